//! Label values: closed and open labels, limits, and overflow.

use std::thread;

use tachometer::{Counter, Family, Label, Registry};

use crate::support::read::{series, sum, to_f64};
use crate::support::warnings::warnings;

const OVERFLOW: &str = "_overflow";

#[test]
fn a_service_of_100_routes_3_methods_and_7_statuses_never_overflows() {
    let registry = Registry::new();
    let requests = registry
        .counter_family("requests", "", ["route", "method", "status"])
        .unwrap();
    for route in 0..100 {
        for method in ["GET", "POST", "DELETE"] {
            for status in ["200", "201", "302", "400", "404", "500", "503"] {
                requests.with([&format!("/{route}"), method, status]).inc();
            }
        }
    }
    assert_eq!(series(&registry), 2_100);
    assert_eq!(overflow(&registry), 0.0);
}

#[test]
fn a_flood_of_invented_values_overflows_and_every_one_is_counted() {
    let registry = Registry::new();
    let calls = registry
        .counter_family(
            "calls",
            "",
            [Label::open("host"), Label::closed("plan", ["free"])],
        )
        .unwrap()
        .declare([&["api.example.org", "www.example.org"], &["free"]]);
    let flood = 10_000;
    for number in 0..flood {
        calls.with([&format!("host-{number}"), "free"]).inc();
    }
    // The declared hosts, 2,000 invented ones, and the overflow.
    assert_eq!(series(&registry), 2 + 2_000 + 1);
    assert_eq!(sum(&registry, "calls", &[]), to_f64(flood));
    let folded = to_f64(flood - 2_000);
    assert_eq!(
        sum(&registry, "calls", &[("host", OVERFLOW), ("plan", "free")]),
        folded
    );
    assert_eq!(overflow(&registry), folded);

    // Declared and existing series keep their values.
    for host in ["api.example.org", "www.example.org", "host-7"] {
        let before = sum(&registry, "calls", &[("host", host)]);
        calls.with([host, "free"]).inc();
        assert_eq!(
            sum(&registry, "calls", &[("host", host)]),
            before + 1.0,
            "{host}"
        );
    }
    // A value that is declared late gets its own series.
    let calls = calls.declare([&["late.example.org"], &["free"]]);
    calls.with(["late.example.org", "free"]).inc();
    assert_eq!(
        sum(&registry, "calls", &[("host", "late.example.org")]),
        1.0
    );
    assert_eq!(series(&registry), 2 + 2_000 + 1 + 1);
}

#[test]
fn a_literal_over_the_limit_is_counted_as_overflow_each_time() {
    let registry = Registry::new();
    let calls = registry
        .counter_family("calls", "", ["kind"])
        .unwrap()
        .limit(1);
    for _ in 0..3 {
        calls.with_static(["first"], Counter::inc);
        calls.with_static(["second"], Counter::inc);
    }
    assert_eq!(overflow(&registry), 3.0);
    assert_eq!(sum(&registry, "calls", &[("kind", OVERFLOW)]), 3.0);
    // It gets a series of its own as soon as the limit allows it.
    let calls = calls.limit(2);
    calls.with_static(["second"], Counter::inc);
    calls.with_static(["second"], Counter::inc);
    assert_eq!(sum(&registry, "calls", &[("kind", "second")]), 2.0);
    assert_eq!(overflow(&registry), 3.0);
}

#[test]
fn a_closed_label_accepts_only_its_values() {
    let registry = Registry::new();
    let calls = registry
        .counter_family("calls", "", [Label::closed("plan", ["free", "paid"])])
        .unwrap();
    for plan in ["free", "paid", "none", "", "FREE"] {
        calls.with([plan]).inc();
    }
    assert_eq!(sum(&registry, "calls", &[("plan", OVERFLOW)]), 3.0);
    assert_eq!(series(&registry), 3);
}

#[test]
fn an_unlimited_label_accepts_every_value() {
    let registry = Registry::new();
    let shards = registry
        .counter_family("writes", "", [Label::unlimited("shard")])
        .unwrap();
    for shard in 0..5_000 {
        shards.with([&shard.to_string()]).inc();
    }
    assert_eq!(registry.get("writes").unwrap().series(), 5_000);
    assert!(!registry.export_prometheus().contains("overflow"));
}

#[test]
fn a_limit_counts_the_values_of_all_open_labels_and_their_combinations() {
    let registry = Registry::new();
    let family = registry
        .counter_family("f", "", ["a", "b"])
        .unwrap()
        .limit(4);
    for (a, b) in [("1", "1"), ("2", "1"), ("2", "2")] {
        family.with([a, b]).inc();
    }
    // Only the excess value is replaced.
    family.with(["3", "1"]).inc();
    assert_eq!(sum(&registry, "f", &[("a", OVERFLOW), ("b", "1")]), 1.0);
    family.with(["3", "3"]).inc();
    assert_eq!(
        sum(&registry, "f", &[("a", OVERFLOW), ("b", OVERFLOW)]),
        1.0
    );

    let pairs = registry
        .counter_family("pairs", "", ["a", "b"])
        .unwrap()
        .limit(40);
    for a in 0..20 {
        for b in 0..20 {
            pairs.with([&a.to_string(), &b.to_string()]).inc();
        }
    }
    // Of 400 pairs of 40 values, ten times 40 have room.
    assert_eq!(registry.get("pairs").unwrap().series(), 400);
    let pairs = pairs.limit(30);
    pairs.with(["0", "0"]).inc();
    pairs.with(["20", "0"]).inc();
    assert_eq!(sum(&registry, "pairs", &[("a", "0"), ("b", "0")]), 2.0);
    assert_eq!(
        sum(&registry, "pairs", &[("a", OVERFLOW), ("b", OVERFLOW)]),
        1.0
    );
}

#[test]
fn threads_that_flood_a_family_at_once_stay_within_its_limit() {
    let registry = Registry::new();
    let family = registry.counter_family("f", "", ["x"]).unwrap().limit(100);
    thread::scope(|scope| {
        for thread in 0..4 {
            let family = &family;
            scope.spawn(move || {
                let mut random = fastrand::Rng::with_seed(thread);
                for _ in 0..5_000 {
                    family.with_ref([&random.u32(..1_000).to_string()], Counter::inc);
                }
            });
        }
    });
    assert_eq!(series(&registry), 101);
    assert_eq!(sum(&registry, "f", &[]), 20_000.0);
    let folded = sum(&registry, "f", &[("x", OVERFLOW)]);
    assert_eq!(folded, overflow(&registry));
}

#[test]
fn a_different_set_of_allowed_values_is_a_conflict() {
    let registry = Registry::new();
    let ask = |label| registry.counter_family("f", "", [label]);
    ask(Label::closed("x", ["a", "b"])).unwrap();
    assert!(ask(Label::from("x")).is_ok());
    assert!(ask(Label::closed("x", ["b", "a"])).is_ok());
    for other in [
        Label::open("x"),
        Label::unlimited("x"),
        Label::closed("x", ["a", "c"]),
    ] {
        let error = ask(other).unwrap_err();
        assert!(error.is_conflict(), "{error}");
    }
}

#[test]
fn a_value_that_is_too_long_overflows_unless_it_was_declared() {
    let registry = Registry::new();
    let long = "x".repeat(257);
    let family = registry.counter_family("f", "", ["agent"]).unwrap();
    family.with([&long]).inc();
    family.with([&long[..256]]).inc();
    assert_eq!(sum(&registry, "f", &[("agent", OVERFLOW)]), 1.0);
    assert_eq!(sum(&registry, "f", &[("agent", &long[..256])]), 1.0);
    family.declare([&[&*long]]).with([&long]).inc();
    assert_eq!(sum(&registry, "f", &[("agent", &long)]), 1.0);
}

#[test]
fn overflow_is_reported_even_after_all_series_are_removed() {
    let registry = Registry::new();
    let family = registry.counter_family("f", "", ["x"]).unwrap().limit(0);
    family.with(["a"]).inc();
    assert!(family.remove([OVERFLOW]));
    assert_eq!(series(&registry), 0);
    assert_eq!(overflow(&registry), 1.0);
    assert!(registry.get("f").unwrap().value().is_sign_positive());
}

#[test]
fn an_error_about_a_label_names_no_recorded_value() {
    let registry = Registry::new();
    let family = registry.counter_family("f", "", ["x"]).unwrap();
    for number in 0..3_000 {
        family.with([&format!("secret-{number}")]).inc();
    }
    let error = registry
        .counter_family("f", "", [Label::unlimited("x")])
        .unwrap_err()
        .to_string();
    assert!(!error.contains("secret") && error.len() < 300, "{error}");
    assert!(
        error.contains("x (open)") && error.contains("x (unlimited)"),
        "{error}"
    );
}

#[test]
fn threads_that_use_the_last_combination_at_once_all_get_it() {
    for _ in 0..200 {
        let registry = Registry::new();
        let family = registry
            .counter_family("f", "", ["x", "y"])
            .unwrap()
            .limit(2);
        for number in 0..19 {
            // Nineteen of the twenty combinations, though of two values alone.
            let declared = number.to_string();
            let family = family.clone().declare([&[], &[&declared]]);
            family.with(["a", &declared]).inc();
        }
        // The overflow series exists, so it is found without a lock.
        family.with([OVERFLOW, "0"]);
        let go = std::sync::Barrier::new(2);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    go.wait();
                    family.with(["b", "0"]).inc();
                });
            }
        });
        assert_eq!(sum(&registry, "f", &[("x", "b")]), 2.0);
        assert_eq!(overflow(&registry), 0.0);
    }
}

#[test]
fn one_warning_names_the_label_but_no_value_and_is_logged_outside_every_lock() {
    let registry = Registry::new();
    let family = registry
        .counter_family("calls", "", ["host"])
        .unwrap()
        .limit(1);
    let events = warned(&family, || {
        for host in ["one", "two-is-a-secret", "three-is-a-secret"] {
            family.with([host]).inc();
        }
    });
    assert_eq!(events.len(), 1, "{events:?}");
    for word in ["calls", "host", "have 1 values", "Family::limit"] {
        assert!(events[0].contains(word), "{word} in {}", events[0]);
    }
    assert!(!events[0].contains("secret"));
}

#[test]
fn a_warning_says_why_a_value_overflows_and_what_to_do() {
    let registry = Registry::new();
    let long = "x".repeat(300);
    for (name, label, limit, values, words) in [
        (
            "closed",
            Label::closed("x", ["a"]),
            9,
            vec!["b"],
            "is closed",
        ),
        ("long", Label::open("x"), 9, vec![&*long], "longer than 256"),
        (
            "values",
            Label::open("x"),
            1,
            vec!["a", "b"],
            "1 values together",
        ),
    ] {
        let family = registry
            .counter_family(name, "", [label])
            .unwrap()
            .limit(limit);
        let events = warned(&family, || {
            for value in values {
                family.with([value]).inc();
            }
        });
        assert!(
            events.len() == 1 && events[0].contains(words),
            "{name}: {events:?}"
        );
    }
}

/// Runs a closure and returns its warnings; each warning is recorded in the family it is about,
/// as a subscriber that counts events does.
fn warned(family: &Family<Counter, 1>, run: impl FnOnce()) -> Vec<String> {
    let family = family.clone();
    warnings(move || family.with(["events"]).inc(), run)
}

fn overflow(registry: &Registry) -> f64 {
    sum(registry, "tachometer_series_overflow_total", &[])
}
