//! Collectors and callbacks: metrics computed at each scrape.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tachometer::export::Format;
use tachometer::registry::{Collect, CollectSink, HistogramValues};
use tachometer::snapshot::{Desc, Kind};
use tachometer::{Buckets, Histogram, Registry};

use crate::support::read::{series, sum};

#[test]
fn callbacks_are_called_at_each_scrape_and_have_no_handle() {
    let registry = Registry::new();
    let calls = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&calls);
    registry
        .gauge_fn("depth", "Jobs that wait.", move || {
            counted.fetch_add(1, Ordering::Relaxed) + 1
        })
        .unwrap();
    registry.counter_fn("done", "Jobs done.", || 1.5).unwrap();
    for scrape in 1..=3 {
        let text = registry.export_prometheus();
        assert!(
            text.contains(&format!("# TYPE depth gauge\ndepth {scrape}\n")),
            "{text}"
        );
        assert!(
            text.contains("# TYPE done_total counter\ndone_total 1.5\n"),
            "{text}"
        );
    }
    assert_eq!(registry.get("done").unwrap().value(), 1.5);
    assert_eq!(registry.get("done").unwrap().series(), 1);
    assert_eq!(registry.metrics().len(), 2);
    registry.reset_all();
    assert_eq!(sum(&registry, "done", &[]), 1.5);

    let error = registry.gauge("depth", "").unwrap_err();
    assert!(
        error.is_conflict() && error.to_string().contains("collector"),
        "{error}"
    );
    for taken in ["depth", "done_total"] {
        assert!(
            registry
                .gauge_fn(taken, "", || 0.0)
                .unwrap_err()
                .is_conflict()
        );
    }
    assert!(
        registry
            .gauge_fn("9", "", || 0.0)
            .unwrap_err()
            .is_invalid_name()
    );
}

struct Pools {
    seconds: Histogram,
    pools: usize,
}

impl Collect for Pools {
    fn describe(&self) -> Vec<Desc> {
        vec![
            Desc::new("pool_size", "Connections.", Kind::Gauge),
            Desc::new("pool_opened_total", "Connections opened.", Kind::Counter),
            Desc::new("pool_wait_seconds", "Time to get one.", Kind::Histogram),
        ]
    }

    fn collect(&self, collected: &mut CollectSink<'_>) {
        for pool in 0..self.pools {
            let pool = pool.to_string();
            collected.gauge("pool_size", [("pool", &*pool)], 3);
            collected.counter("pool_opened_total", [("pool", &*pool)], u64::MAX);
            collected.histogram("pool_wait_seconds", [("pool", &*pool)], &self.seconds);
        }
    }
}

#[test]
fn a_collector_fills_whole_families_of_any_kind_and_size() {
    let registry = Registry::new()
        .with_prefix("db_")
        .unwrap()
        .with_labels([("az", "1")])
        .unwrap();
    let seconds = Histogram::with_buckets(Buckets::new(&[0.5]).unwrap());
    seconds.observe(0.25);
    registry
        .collector(Pools {
            seconds,
            pools: 200,
        })
        .unwrap();
    // Sorted in between, and after.
    registry.counter("opened", "").unwrap();
    registry.counter("zz", "").unwrap();

    let text = registry.export_prometheus();
    assert_eq!(text.matches("# TYPE db_pool_size gauge").count(), 1);
    assert!(text.contains("db_pool_size{az=\"1\",pool=\"199\"} 3\n"));
    assert!(text.contains("db_pool_opened_total{az=\"1\",pool=\"7\"} 18446744073709551615\n"));
    assert!(text.contains("db_pool_wait_seconds_bucket{az=\"1\",pool=\"7\",le=\"0.5\"} 1\n"));
    assert!(text.contains("db_pool_wait_seconds_count{az=\"1\",pool=\"7\"} 1\n"));
    assert_eq!(sum(&registry, "db_pool_size", &[]), 600.0);
    assert_eq!(registry.get("pool_wait_seconds").unwrap().value(), 200.0);
    let names: Vec<_> = registry
        .gather()
        .map(|block| block.desc.name().to_owned())
        .collect();
    assert!(
        names
            .iter()
            .filter(|name| !name.starts_with("tachometer_"))
            .is_sorted()
    );
}

#[test]
fn invalid_series_of_a_collector_are_left_out_and_counted() {
    struct Wrong;

    impl Collect for Wrong {
        fn describe(&self) -> Vec<Desc> {
            vec![
                Desc::new("right", "", Kind::Gauge),
                Desc::new("sum", "", Kind::Counter),
                Desc::new("seconds", "", Kind::Histogram),
            ]
        }

        fn collect(&self, collected: &mut CollectSink<'_>) {
            collected.gauge("right", [("x", "\"\n")], f64::NAN);
            collected.gauge("right", [("x", "\"\n")], 1); // twice
            collected.gauge("right", [("le", "1")], 1); // reserved
            collected.gauge("right", [("x", "1"), ("x", "2")], 1); // a label twice
            collected.gauge("unheard_of", [], 1); // not described
            collected.counter("right", [], 1); // another kind
            collected.counter("sum", [], -1);
            collected.counter("sum", [], f64::INFINITY);
            let with = |buckets: Buckets| {
                let registry = Registry::new();
                let family = registry.histogram_family_with_buckets("h", "", ["x"], buckets);
                family.unwrap().with([""])
            };
            let one = || Buckets::new(&[1.0]).unwrap();
            collected.histogram("seconds", [("b", "1")], &with(one()));
            // Buckets may differ.
            collected.histogram("seconds", [("b", "2")], &with(one().native()));
            collected.histogram("seconds", [("b", "3")], &with(Buckets::default()));
            collected.histogram("seconds", [("b", "3")], &with(one())); // twice
        }
    }

    let registry = Registry::new();
    registry.collector(Wrong).unwrap();
    let text = registry.export_prometheus();
    assert!(text.contains("right{x=\"\\\"\\n\"} NaN\n"), "{text}");
    assert_eq!(text.matches("\nright{").count(), 1, "{text}");
    // A family whose series were all refused has no header either.
    assert!(!text.contains("# TYPE sum"), "{text}");
    assert!(!text.contains("unheard_of"), "{text}");
    assert!(registry.gather().all(|block| !block.labels.is_empty()));
    assert_eq!(registry.get("seconds").unwrap().series(), 3);
    assert_eq!(registry.get("sum").unwrap().series(), 0);
    let registry = Registry::new();
    registry.collector(Wrong).unwrap();
    let text = registry.export_prometheus();
    for (metric, refused) in [("right", 4), ("sum", 2), ("seconds", 1)] {
        let line =
            format!("tachometer_invalid_observations_total{{metric=\"{metric}\"}} {refused}\n");
        assert!(text.contains(&line), "{line} in {text}");
    }
    let refused = "tachometer_series_refused_total{collector=\"Wrong\"} 1\n";
    assert!(text.contains(refused), "{text}");
}

#[test]
fn a_collector_that_panics_loses_only_its_own_metrics_and_is_counted() {
    struct PanickingCollector;

    impl Collect for PanickingCollector {
        fn describe(&self) -> Vec<Desc> {
            vec![
                Desc::new("angry_a", "", Kind::Gauge),
                Desc::new("angry_b", "", Kind::Gauge),
            ]
        }

        fn collect(&self, collected: &mut CollectSink<'_>) {
            collected.gauge("angry_a", [], 1);
            panic!("the database is away");
        }
    }

    let registry = Registry::new();
    registry.counter("calm", "").unwrap().inc();
    registry.collector(PanickingCollector).unwrap();
    registry.gauge_fn("calm_too", "", || 2).unwrap();
    for scrape in 1..=2 {
        let text = registry.export_prometheus();
        assert!(!text.contains("angry"), "{text}");
        assert!(
            text.contains("calm_total 1\n") && text.contains("calm_too 2\n"),
            "{text}"
        );
        let line = format!("tachometer_collector_panics_total {scrape}\n");
        assert!(text.contains(&line), "{text}");
    }
}

#[test]
fn a_callback_may_register_record_and_scrape() {
    let registry = Registry::new();
    let inner = registry.clone();
    registry
        .gauge_fn("busy", "", move || {
            inner.counter("late", "").unwrap().inc();
            inner.gauge_fn("later", "", || 1).ok();
            // Without callbacks, which would recurse forever.
            assert!(!inner.export_prometheus().contains("busy"));
            5
        })
        .unwrap();
    assert!(registry.export_prometheus().contains("busy 5\n"));
    assert!(registry.export_prometheus().contains("late_total 2\n"));
    assert!(registry.export_prometheus().contains("later 1\n"));
    assert_eq!(
        sum(&registry, "tachometer_collector_panics_total", &[]),
        0.0
    );
}

#[test]
fn registration_of_a_collector_is_atomic() {
    struct Two;

    impl Collect for Two {
        fn describe(&self) -> Vec<Desc> {
            vec![
                Desc::new("one", "", Kind::Gauge),
                Desc::new("two", "", Kind::Gauge),
            ]
        }

        fn collect(&self, _: &mut CollectSink<'_>) {}
    }

    let registry = Registry::new();
    registry.counter("two", "").unwrap();
    assert!(registry.collector(Two).unwrap_err().is_conflict());
    assert!(registry.get("one").is_none());
    assert!(registry.gauge("one", "").is_ok());
    assert_eq!(series(&registry), 2);
}

#[test]
fn labels_of_a_collector_are_a_set_and_an_empty_value_is_none() {
    struct Twice;

    impl Collect for Twice {
        fn describe(&self) -> Vec<Desc> {
            vec![Desc::new("g", "", Kind::Gauge)]
        }

        fn collect(&self, collected: &mut CollectSink<'_>) {
            collected.gauge("g", [("a", "1"), ("b", "2")], 1);
            collected.gauge("g", [("b", "2"), ("a", "1")], 2);
            collected.gauge("g", [], 3);
            collected.gauge("g", [("a", "")], 4);
        }
    }

    let registry = Registry::new();
    registry.collector(Twice).unwrap();
    let text = registry.export_prometheus();
    assert!(text.contains("\ng{a=\"1\",b=\"2\"} 1\n"), "{text}");
    assert!(text.contains("\ng 3\n"), "{text}");
    assert_eq!(text.matches("\ng").count(), 2, "{text}");
}

#[test]
fn a_collector_may_read_another_registry_with_its_collectors() {
    let other = Registry::new();
    other.gauge_fn("two", "", || 2).unwrap();
    let registry = Registry::new();
    let read = other.clone();
    registry
        .gauge_fn("sum", "", move || read.get("two").unwrap().value() + 1.0)
        .unwrap();
    assert!(registry.export_prometheus().contains("sum 3\n"));
}

#[test]
fn showing_a_registry_for_debugging_calls_no_collector() {
    let registry = Registry::new();
    registry
        .gauge_fn("g", "", || -> f64 { panic!("nobody asked") })
        .unwrap();
    assert_eq!(format!("{registry:?}"), "Registry { metrics: 1, .. }");
}

#[test]
fn json_has_null_for_a_minimum_and_a_maximum_that_are_unknown() {
    struct Numbers;

    impl Collect for Numbers {
        fn describe(&self) -> Vec<Desc> {
            vec![Desc::new("seconds", "", Kind::Histogram)]
        }

        fn collect(&self, collected: &mut CollectSink<'_>) {
            let values = HistogramValues::new(&[1.0], &[2, 1], 3.5);
            collected.histogram_values("seconds", [("x", "1")], values);
            let values = values.extremes(0.25, 3.0);
            collected.histogram_values("seconds", [("x", "2")], values);
        }
    }

    let registry = Registry::new();
    registry.collector(Numbers).unwrap();
    let json = registry.export(Format::Json).to_bytes();
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    let value = |x: &str, field: &str| {
        let key = format!("seconds{{x=\"{x}\"}}");
        json["metrics"][&key]["value"][field].as_f64()
    };
    assert_eq!(
        (value("1", "min"), value("1", "max"), value("1", "sum")),
        (None, None, Some(3.5))
    );
    assert_eq!(
        (value("2", "min"), value("2", "max")),
        (Some(0.25), Some(3.0))
    );
}
