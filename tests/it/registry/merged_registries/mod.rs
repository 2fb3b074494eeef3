//! Several registries that are read as one.

mod later_conflicts;
mod self_metrics;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use fastrand::Rng;
use http_body_util::BodyExt;
use tachometer::export::Format;
use tachometer::testing::Exposition;
use tachometer::{Error, Registry};
use tower::ServiceExt;

use crate::support::read::sum;

/// Returns a registry whose metrics have a label of this value.
fn labelled(value: &str) -> Registry {
    Registry::new().with_labels([("part", value)]).unwrap()
}

async fn body(router: Router, path: &str) -> String {
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[track_caller]
fn conflict(merged: Result<Registry, Error>, words: &[&str]) {
    let error = merged.unwrap_err();
    assert!(error.is_conflict(), "{error}");
    for word in words {
        assert!(error.to_string().contains(word), "{word} in {error}");
    }
}

#[test]
fn families_of_several_registries_become_one_and_others_stay_apart() {
    let (one, other) = (labelled("one"), labelled("other"));
    one.counter("jobs_total", "Jobs.").unwrap().inc();
    other.counter("jobs_total", "Jobs.").unwrap().inc_by(2);
    one.gauge("a", "Only here.").unwrap().set(1);
    other.gauge("z", "Only there.").unwrap().set(2);
    let both = Registry::merged([&one, &other]).unwrap();
    let expected = "# HELP a Only here.\n# TYPE a gauge\na{part=\"one\"} 1\n\
                    # HELP jobs_total Jobs.\n# TYPE jobs_total counter\n\
                    jobs_total{part=\"one\"} 1\njobs_total{part=\"other\"} 2\n\
                    # HELP z Only there.\n# TYPE z gauge\nz{part=\"other\"} 2\n";
    let text = both.export_prometheus();
    let about_itself = text.strip_prefix(expected).unwrap();
    // Of both, so that it has no label of one of them.
    assert!(
        about_itself.ends_with("\ntachometer_series{metric=\"jobs_total\"} 2\n"),
        "{text}"
    );
    let jobs = both.get("jobs_total").unwrap();
    assert_eq!((jobs.series(), jobs.value()), (2, 3.0));
    let names: Vec<_> = both
        .metrics()
        .iter()
        .map(|metric| metric.name().to_owned())
        .collect();
    assert_eq!(names, ["a", "jobs_total", "z"]);
    let summary = both.summary();
    assert_eq!(
        (summary.total_metrics, summary.metrics["jobs_total"].value),
        (4, 3.0)
    );
    let only = both.export(Format::Text).filter_names(["z"]).to_bytes();
    assert!(only.ends_with(b"z{part=\"other\"} 2\n"));

    // What is made later is there too, and new metrics are the first registry's.
    other.gauge("later", "").unwrap().set(5);
    assert_eq!(sum(&both, "later", &[]), 5.0);
    both.gauge("mine", "").unwrap().set(6);
    assert!(one.get("mine").is_some() && other.get("mine").is_none());
    assert_eq!(sum(&both, "mine", &[]), 6.0);
    both.reset_all();
    assert_eq!(jobs.value(), 0.0);
}

#[test]
fn a_registry_that_is_given_several_times_is_read_once() {
    let registry = Registry::new();
    registry.counter("jobs_total", "").unwrap().inc();
    let europe = registry.clone().with_labels([("region", "eu")]).unwrap();
    let other = Registry::new();
    other.gauge("size", "").unwrap().set(1);
    let twice = Registry::merged([&registry, &europe, &other, &registry]).unwrap();
    let again = Registry::merged([&twice, &other, &twice]).unwrap();
    for merged in [&twice, &again] {
        assert_eq!(sum(merged, "jobs_total", &[]), 1.0);
        assert_eq!(sum(merged, "size", &[]), 1.0);
    }
    conflict(Registry::merged([]), &["pass at least one"]);
}

#[test]
fn conflicts_between_registries_are_errors_that_say_what_to_do() {
    let one = Registry::new();
    one.counter_with("jobs_total", "Jobs.", [("kind", "a")])
        .unwrap();
    let conflicts = |make: fn(&Registry), words: &[&str]| {
        let other = Registry::new();
        make(&other);
        conflict(Registry::merged([&one, &other]), words);
        conflict(Registry::merged([&other, &one]), words);
    };
    conflicts(
        |other| drop(other.gauge_family("jobs_total", "Jobs.", ["kind"])),
        &["jobs_total", "counter", "gauge", "rename"],
    );
    conflicts(
        |other| drop(other.counter_family("jobs_total", "Jobs.", ["size"])),
        &["jobs_total", "kind", "size", "rename"],
    );
    conflicts(
        |other| drop(other.counter_family("jobs", "Jobs.", ["kind"])),
        &["jobs_total", "\"jobs\"", "rename"],
    );
    conflicts(
        |other| drop(other.counter_family("jobs_total", "Other words.", ["kind"])),
        &["jobs_total", "Jobs.", "Other words.", "help"],
    );
    conflicts(
        |other| drop(other.counter_with("jobs_total", "Jobs.", [("kind", "a")])),
        &["\"jobs_total\"", "[\"kind\"]", "constant label"],
    );
    // Another value of the label is another series.
    let other = Registry::new();
    other
        .counter_with("jobs_total", "Jobs.", [("kind", "b")])
        .unwrap();
    assert!(Registry::merged([&one, &other]).is_ok());
}

#[test]
fn merging_and_each_scrape_call_collectors_once() {
    let registry = Registry::new();
    let calls = Arc::new(AtomicU32::new(0));
    let counted = Arc::clone(&calls);
    let read = move || f64::from(counted.fetch_add(1, Ordering::Relaxed));
    registry.gauge_fn("size", "", read).unwrap();
    let merged = Registry::merged([&registry, &Registry::new()]).unwrap();
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    // A scrape reads when its first chunk is made, and not before.
    let export = merged.export(Format::Text);
    assert_eq!(calls.load(Ordering::Relaxed), 1);
    drop(export.to_bytes());
    assert_eq!(calls.load(Ordering::Relaxed), 2);
}

#[test]
fn any_registries_are_merged_as_a_naive_model_merges_them() {
    for seed in 0..200 {
        let mut random = Rng::with_seed(seed);
        let registries: Vec<_> = (0..3).map(|_| Registry::new()).collect();
        let mut expected = BTreeMap::new();
        let both = Registry::merged(&registries).unwrap();
        let mut all = Vec::new();
        for _ in 0..random.usize(..200) {
            let (at, name) = (random.usize(..3), random.u8(..5));
            let labels = [random.u8(..3).to_string(), random.u8(..40).to_string()];
            all.push((at, name, labels));
        }
        for (at, name, [x, y]) in &all {
            let name = format!("m{name}_total");
            let labels = [("x", &**x), ("y", &**y)];
            let counter = registries[*at].counter_with(&name, "", labels).unwrap();
            counter.inc_by(1 + at);
        }
        // The first registry that has a series is the one that is read.
        all.sort_by_key(|(at, ..)| *at);
        for (at, name, labels) in &all {
            let (owner, value) = expected.entry((name, labels)).or_insert((*at, 0));
            if owner == at {
                *value += 1 + at;
            }
        }
        let text = both.export_prometheus();
        let read = Exposition::parse(&text).unwrap();
        let samples = read.samples().filter(|(name, ..)| name.starts_with('m'));
        assert_eq!(samples.count(), expected.len(), "seed {seed}");
        for ((name, [x, y]), (_, value)) in expected {
            let found = read.value(&format!("m{name}_total"), [("x", &**x), ("y", &**y)]);
            assert_eq!(
                found,
                Some(f64::from(u32::try_from(value).unwrap())),
                "seed {seed}"
            );
        }
        let types = text.lines().filter(|line| line.starts_with("# TYPE m"));
        let names: std::collections::BTreeSet<_> = all.iter().map(|(_, name, _)| name).collect();
        assert_eq!(types.count(), names.len(), "seed {seed}");
    }
}

#[test]
fn concurrent_recording_and_registration_keep_each_reading_consistent() {
    let registries: Arc<[_; 2]> = Arc::new([labelled("one"), labelled("other")]);
    let both = Registry::merged(&*registries).unwrap();
    std::thread::scope(|threads| {
        for (at, registry) in registries.iter().enumerate() {
            threads.spawn(move || {
                for number in 0..200 {
                    let name = format!("m{}_total", number % 20);
                    let labels = [("x", &*number.to_string())];
                    registry
                        .counter_with(&name, "", labels)
                        .unwrap()
                        .inc_by(1 + at);
                }
            });
        }
        for _ in 0..50 {
            let text = both.export_prometheus();
            let read = Exposition::parse(&text).unwrap();
            let types = text.lines().filter(|line| line.starts_with("# TYPE "));
            let names: std::collections::BTreeSet<_> = types.clone().collect();
            assert_eq!(types.count(), names.len(), "{text}");
            drop(read);
        }
    });
    let total: f64 = (0..20)
        .map(|name| sum(&both, &format!("m{name}_total"), &[]))
        .sum();
    assert_eq!(total, 600.0);
}
