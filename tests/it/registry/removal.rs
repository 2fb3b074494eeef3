//! Removal of series, and handles to removed series.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use fastrand::Rng;
use tachometer::snapshot::SeriesBlock;
use tachometer::{Counter, Family, Registry};

use crate::support::read::{series, sum, to_f64};

#[test]
fn a_removed_series_is_gone_until_its_handle_is_used_and_then_begins_at_zero() {
    let registry = Registry::new();
    let counters = registry.counter_family("c", "", ["x"]).unwrap();
    let histograms = registry.histogram_family("h", "", ["x"]).unwrap();
    let gauges = registry.gauge_family("g", "", ["x"]).unwrap();
    let (counter, histogram, gauge) = (
        counters.with(["a"]),
        histograms.with(["a"]),
        gauges.with(["a"]),
    );
    for round in 1..=2 {
        for _ in 0..10_000 {
            counter.inc();
            histogram.observe(0.5);
        }
        gauge.set(7);
        assert_eq!(series(&registry), 3, "round {round}");
        assert!(counters.remove(["a"]) && histograms.remove(["a"]) && gauges.remove(["a"]));
        assert_eq!(series(&registry), 0);
        assert!(!counters.remove(["a"]) && !histograms.remove(["a"]) && !gauges.remove(["a"]));
        assert_eq!(registry.get("c").unwrap().value(), 0.0);
        assert_eq!(registry.get("c").unwrap().series(), 0);

        // Through the kept handles.
        counter.inc_by(0.5);
        histogram.observe(0.25);
        gauge.set(0);
        assert_eq!(series(&registry), 3);
        assert_eq!(sum(&registry, "c", &[("x", "a")]), 0.5);
        assert_eq!(histogram.stats().sum, 0.25);
    }
}

#[test]
fn requesting_a_removed_series_creates_it_again_at_zero() {
    let registry = Registry::new();
    let counters = registry.counter_family("c", "", ["x"]).unwrap();
    let gauges = registry.gauge_family("g", "", ["x"]).unwrap();
    for value in ["plain", "with \"quotes\" and \\"] {
        let counter = counters.with([value]);
        counter.inc();
        gauges.with([value]).set(3);
        assert!(counters.remove([value]) && gauges.remove([value]));
        assert_eq!(series(&registry), 0);
        // The same series, not another of its name.
        counters.with([value]);
        gauges.with([value]);
        assert_eq!(series(&registry), 2);
        counter.inc();
        assert_eq!(counters.with([value]).get(), 1.0);
        assert_eq!(gauges.with([value]).get(), 0.0);
        assert!(counters.remove([value]) && gauges.remove([value]));
    }
    assert!(!counters.remove(["never there"]));
}

#[test]
fn adding_0_does_not_revive_a_removed_counter_and_setting_a_gauge_to_0_does() {
    let registry = Registry::new();
    let counters = registry.counter_family("c", "", ["x"]).unwrap();
    let gauges = registry.gauge_family("g", "", ["x"]).unwrap();
    let (counter, gauge) = (counters.with(["a"]), gauges.with(["a"]));
    counters.remove(["a"]);
    gauges.remove(["a"]);
    counter.inc_by(0);
    assert_eq!(series(&registry), 0);
    gauge.inc();
    gauge.dec();
    assert_eq!(series(&registry), 1);
}

#[test]
fn a_series_that_was_used_again_survives_a_reset() {
    let registry = Registry::new();
    let counters = registry.counter_family("c", "", ["x"]).unwrap();
    let histograms = registry.histogram_family("h", "", ["x"]).unwrap();
    let gauges = registry.gauge_family("g", "", ["x"]).unwrap();
    let (counter, histogram, gauge) = (
        counters.with(["a"]),
        histograms.with(["a"]),
        gauges.with(["a"]),
    );
    assert!(counters.remove(["a"]) && histograms.remove(["a"]) && gauges.remove(["a"]));
    registry.reset_all();
    assert_eq!(series(&registry), 0);
    counter.inc();
    histogram.observe(0.5);
    gauge.inc();
    registry.reset_all();
    assert_eq!(series(&registry), 3);

    assert!(counters.remove(["a"]) && histograms.remove(["a"]) && gauges.remove(["a"]));
    counter.inc();
    histogram.observe(0.5);
    gauge.inc();
    counter.reset();
    histogram.reset();
    gauge.reset();
    assert_eq!(series(&registry), 3);
}

#[test]
fn increments_that_race_with_removals_are_counted_at_most_once() {
    let registry = Registry::new();
    let family = registry.counter_family("c", "", ["x"]).unwrap();
    let turns = 20_000_u32;
    thread::scope(|scope| {
        for _ in 0..2 {
            let handle = family.with(["a"]);
            let family = &family;
            scope.spawn(move || {
                for turn in 0..turns {
                    if turn % 2 == 0 {
                        handle.inc();
                    } else {
                        family.with(["a"]).inc();
                    }
                }
            });
        }
        for _ in 0..200 {
            family.remove(["a"]);
            assert!(sum(&registry, "c", &[]) <= f64::from(2 * turns));
        }
    });
    // From here on nothing is removed, and nothing may be lost or come twice.
    let before = sum(&registry, "c", &[]);
    thread::scope(|scope| {
        for _ in 0..2 {
            let handle = family.with(["a"]);
            scope.spawn(move || (0..turns).for_each(|_| handle.inc()));
        }
    });
    assert_eq!(sum(&registry, "c", &[]), before + f64::from(2 * turns));
}

/// Creates and removes series until those that were removed before have left the family.
fn churn(family: &Family<Counter, 1>) {
    for number in 0..100 {
        let value = format!("churn {number}");
        family.with_ref([&value], Counter::inc);
        assert!(family.remove([&value]));
    }
}

#[test]
fn removed_series_free_their_part_of_the_limit() {
    let registry = Registry::new();
    let names = ["x", "y"];
    let counters = registry.counter_family("c", "", names).unwrap().limit(3);
    let gauges = registry.gauge_family("g", "", names).unwrap().limit(3);
    let histograms = registry.histogram_family("h", "", names).unwrap().limit(3);
    for tenant in 0..1_000 {
        let values = [&*format!("tenant {tenant}"), "a\"\\"];
        counters.with_ref(values, Counter::inc);
        gauges.with(values).set(1);
        histograms.with(values).observe(1.0);
        for metric in ["c", "g", "h"] {
            assert_eq!(
                sum(&registry, metric, &[("x", values[0])]),
                1.0,
                "{values:?}"
            );
        }
        assert!(counters.remove(values) && gauges.remove(values) && histograms.remove(values));
    }
    assert_eq!(sum(&registry, "tachometer_series_overflow_total", &[]), 0.0);
}

#[test]
fn a_removed_series_counts_under_the_limit_while_a_handle_is_held() {
    let registry = Registry::new();
    let family = registry.counter_family("c", "", ["x"]).unwrap().limit(2);
    let handles = ["a", "b"].map(|value| family.with([value]));
    assert!(family.remove(["a"]) && family.remove(["b"]));
    family.with_ref(["c"], Counter::inc);
    assert_eq!(sum(&registry, "c", &[("x", "_overflow")]), 1.0);
    let [a, b] = handles;
    drop(a);
    // Without a read in between.
    family.with_ref(["d"], Counter::inc);
    assert_eq!(sum(&registry, "c", &[("x", "d")]), 1.0);
    family.with_ref(["e"], Counter::inc);
    assert_eq!(sum(&registry, "c", &[("x", "_overflow")]), 2.0);
    b.inc();
    assert_eq!(sum(&registry, "c", &[("x", "b")]), 1.0);
}

#[test]
fn a_value_counts_under_the_limit_until_its_last_series_is_removed() {
    let registry = Registry::new();
    let family = registry
        .counter_family("c", "", ["x", "y"])
        .unwrap()
        .limit(3);
    family.with(["a", "1"]);
    family.with(["a", "2"]);
    family.remove(["a", "1"]);
    // "a" and "2" are left.
    family.with_ref(["b", "2"], Counter::inc);
    family.with_ref(["c", "2"], Counter::inc);
    assert_eq!(sum(&registry, "c", &[("x", "b")]), 1.0);
    assert_eq!(sum(&registry, "c", &[("x", "_overflow"), ("y", "2")]), 1.0);
}

#[test]
fn a_value_that_is_recorded_in_a_series_that_left_its_family_is_kept() {
    for is_replaced in [false, true] {
        let registry = Registry::new();
        let family = registry.counter_family("c", "", ["x"]).unwrap().limit(2);
        if is_replaced {
            churn(&family);
        }
        // A lookup that creates a series has a handle to it.
        family.with(["a"]);
        family.with_ref(["a"], |counter| {
            assert!(family.remove(["a"]));
            churn(&family);
            assert_eq!(series(&registry), 0);
            counter.inc();
        });
        assert_eq!(sum(&registry, "c", &[("x", "a")]), 1.0);
        // It counts under the limit again.
        family.with_ref(["b"], Counter::inc);
        family.with_ref(["c"], Counter::inc);
        assert_eq!(sum(&registry, "c", &[("x", "_overflow")]), 1.0);
        assert!(family.remove(["a"]));
        family.with_ref(["d"], Counter::inc);
        assert_eq!(sum(&registry, "c", &[("x", "d")]), 1.0);
    }
}

#[test]
fn a_removed_series_is_removed_again_before_a_read_notices_its_use() {
    let registry = Registry::new();
    let family = registry.counter_family("c", "", ["x"]).unwrap();
    family.with(["a"]);
    family.with_ref(["a"], |counter| {
        assert!(family.remove(["a"]));
        churn(&family);
        counter.inc();
    });
    assert!(family.remove(["a"]));
    assert_eq!(series(&registry), 0);
}

#[test]
fn a_series_is_created_once_even_while_another_thread_uses_the_removed_one() {
    for is_replaced in [false, true] {
        let registry = Registry::new();
        let family = registry.counter_family("c", "", ["x"]).unwrap();
        if is_replaced {
            churn(&family);
        }
        // A lookup that creates a series has a handle to it.
        family.with(["a"]);
        family.with_ref(["a"], |counter| {
            assert!(family.remove(["a"]));
            churn(&family);
            family.with_ref(["a"], Counter::inc);
            counter.inc();
        });
        assert_eq!(series(&registry), 1);
        assert_eq!(sum(&registry, "c", &[("x", "a")]), 2.0);
    }
}

#[test]
fn a_new_series_shows_no_exemplar_of_a_removed_one() {
    let registry = Registry::new();
    let family = registry.counter_family("c", "", ["x"]).unwrap();
    churn(&family);
    for number in 0..1_000 {
        let counter = family.with([&format!("old {number}")]);
        assert!(family.remove([&format!("old {number}")]));
        // Adding 0 is not a use, but stores an exemplar.
        counter.inc_with_exemplar(0, &[("trace_id", "1")]);
        drop(counter);
        churn(&family);
        assert_eq!(series(&registry), 0);
        family.with_ref([&format!("new {number}")], Counter::inc);
        let blocks = registry.gather().filter(|block| block.desc.name() == "c");
        assert_eq!(blocks.map(|block| block.exemplars.len()).sum::<usize>(), 0);
        family.remove([&format!("new {number}")]);
    }
}

#[test]
fn a_read_that_is_in_progress_shows_each_series_once_whatever_is_removed() {
    let registry = Registry::new();
    let family = registry.counter_family("c", "", ["x"]).unwrap();
    for round in 0..2 {
        for number in 0..300 {
            family.with_ref([&format!("{number:03}")], Counter::inc);
        }
        let mut blocks = registry.gather().filter(|block| block.desc.name() == "c");
        let texts = |block: SeriesBlock| -> Vec<String> {
            let labels = block.labels.iter();
            labels.map(|labels| labels.as_str().to_owned()).collect()
        };
        let mut seen = texts(blocks.next().unwrap());
        for number in 0..200 {
            assert!(family.remove([&format!("{number:03}")]));
        }
        for number in 0..100 {
            family.with_ref([&format!("{round} later {number}")], Counter::inc);
        }
        seen.extend(blocks.flat_map(texts));
        let all = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), all);
        for number in 200..300 {
            let labels = format!("x=\"{number:03}\"");
            assert!(seen.contains(&labels), "{labels}");
        }
        family.retain(|_, _| false);
        assert_eq!(series(&registry), 0);
    }
}

#[test]
fn retain_and_for_each_pass_the_values_in_the_order_of_the_handle() {
    let registry = Registry::new().with_labels([("env", "a\"b")]).unwrap();
    let family = registry.gauge_family("g", "", ["x", "y"]).unwrap().limit(4);
    let reversed = registry.gauge_family("g", "", ["y", "x"]).unwrap();
    let pairs = [["a", "1"], ["\"\\", "\n"], ["a\",y=\"1", ""]];
    for (number, values) in pairs.into_iter().enumerate() {
        family.with(values).set(number);
    }
    let mut seen = Vec::new();
    reversed.for_each(|[y, x], gauge| seen.push(([x.to_owned(), y.to_owned()], gauge.get())));
    let expected = [
        (["a", "1"], 0.0),
        (["\"\\", "\n"], 1.0),
        (["_overflow", "_overflow"], 2.0),
    ];
    let expected = expected.map(|(values, number)| (values.map(str::to_owned), number));
    assert_eq!(seen, expected);

    // The closure may use the family.
    reversed.retain(|[y, x], gauge| {
        family.with(["a", "1"]).set(7);
        family.remove(["_overflow", "_overflow"]);
        assert_eq!(family.with([x, y]).get(), gauge.get());
        x == "a"
    });
    let mut seen = Vec::new();
    family.for_each(|values, gauge| seen.push((values.map(str::to_owned), gauge.get())));
    assert_eq!(seen, [(["a", "1"].map(str::to_owned), 7.0)]);
    let empty = registry.counter_family("empty", "", [""; 0]).unwrap();
    empty.for_each(|[], counter| counter.inc());
    empty.with([]).inc();
    empty.retain(|[], counter| counter.get() > 1.0);
    assert_eq!(series(&registry), 1);
    empty.with([]).inc();
    assert_eq!(sum(&registry, "empty", &[]), 1.0);
}

#[test]
fn a_declared_series_comes_back_after_its_removal() {
    let registry = Registry::new();
    let family = registry.counter_family("c", "", ["x"]).unwrap().limit(0);
    let family = family.declare([&["a"]]);
    churn_over_the_limit(&family);
    assert!(family.remove(["a"]));
    churn_over_the_limit(&family);
    family.with_ref(["a"], Counter::inc);
    assert_eq!(sum(&registry, "c", &[("x", "a")]), 1.0);
}

fn churn_over_the_limit(family: &Family<Counter, 1>) {
    for number in 0..100 {
        family.with_ref([&number.to_string()], Counter::inc);
        assert!(family.remove(["_overflow"]));
    }
}

#[test]
fn series_that_are_used_while_others_are_removed_lose_nothing() {
    const SERIES: usize = 8;
    const TURNS: usize = 20_000;
    let registry = Registry::new();
    let family = registry.counter_family("c", "", ["x"]).unwrap();
    let done = AtomicUsize::new(0);
    thread::scope(|scope| {
        for seed in 0..3 {
            let (family, done) = (&family, &done);
            scope.spawn(move || {
                let mut random = Rng::with_seed(seed);
                for _ in 0..TURNS {
                    let kept = format!("kept {}", random.usize(..SERIES));
                    family.with_ref([&kept], Counter::inc);
                    let brief = format!("brief {}", random.usize(..100));
                    family.with_ref([&brief], Counter::inc);
                }
                done.fetch_add(1, Ordering::SeqCst);
            });
        }
        while done.load(Ordering::SeqCst) < 3 {
            family.retain(|[value], _| value.starts_with("kept"));
            family.remove(["brief 7"]);
            assert!(sum(&registry, "c", &[]) <= to_f64(6 * TURNS));
        }
    });
    let mut kept = 0;
    family.for_each(|[value], counter| {
        kept += if value.starts_with("kept") {
            counter.get_u64()
        } else {
            0
        };
    });
    assert_eq!(kept, 60_000);
    family.retain(|[value], _| value.starts_with("kept"));
    assert_eq!(series(&registry), SERIES);
}

#[test]
fn each_value_that_a_removal_did_not_take_is_counted() {
    const TURNS: usize = 20_000;
    let registry = Registry::new();
    let family = registry.histogram_family("h", "", ["x"]).unwrap().limit(4);
    thread::scope(|scope| {
        for seed in 0..3 {
            let family = &family;
            scope.spawn(move || {
                let mut random = Rng::with_seed(seed);
                for turn in 0..TURNS {
                    let value = random.usize(..12).to_string();
                    match turn % 50 {
                        0 => drop(family.remove([&value])),
                        1 => family.retain(|[other], _| other != value),
                        2 => family.with([&value]).reset(),
                        _ => family.with_ref([&value], |one| one.observe(1.0)),
                    }
                }
            });
        }
    });
    // Nothing is removed any more, and nothing may be lost or count twice.
    family.retain(|_, _| false);
    assert_eq!(series(&registry), 0);
    for value in 0..12 {
        family.with_ref([&value.to_string()], |one| one.observe(1.0));
    }
    assert_eq!(sum(&registry, "h", &[]), 12.0);
    // Exactly the limit is available.
    assert_eq!(series(&registry), 5);
}
