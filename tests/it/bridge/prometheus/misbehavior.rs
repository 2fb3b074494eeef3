//! Collectors of the `prometheus` crate that return what is not valid, or do not return.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use prometheus::proto::{Metric, MetricType};
use tachometer::Registry;
use tachometer::bridge::PrometheusCollector;
use tachometer::export::Format;

use crate::bridge::prometheus::custom_collector::{
    counter, family, gauge, histogram, register, registry_of,
};
use crate::bridge::prometheus::from_prometheus::{collecting, exported, refused_series};
use crate::bridge::prometheus::text_encoder::from_encoder;
use crate::support::compare_exports::read;
use crate::support::parse::Series;
use crate::support::read::sum;
use crate::support::warnings::warnings;

const COUNTER: MetricType = MetricType::COUNTER;
const GAUGE: MetricType = MetricType::GAUGE;
const HISTOGRAM: MetricType = MetricType::HISTOGRAM;

/// Returns a registry with a metric of its own and another collector, which must be complete
/// whatever the other registry returns.
fn with_others(other: &prometheus::Registry) -> Registry {
    let registry = collecting(other);
    registry.counter("own_total", "Own.").unwrap().inc();
    registry.gauge_fn("computed", "Computed.", || 7).unwrap();
    registry
}

/// Reads all formats. Returns the names of families that the other registry added.
#[track_caller]
fn scrape(registry: &Registry) -> BTreeSet<String> {
    for format in [Format::OpenMetrics, Format::Protobuf, Format::TextV1] {
        read(format, &registry.export(format).to_bytes());
    }
    let mut families = exported(registry);
    for name in ["own_total", "computed"] {
        assert!(families.remove(name).is_some(), "{name}: {families:?}");
    }
    families.into_keys().collect()
}

fn invalid(registry: &Registry, metric: &str) -> f64 {
    let name = "tachometer_invalid_observations_total";
    sum(registry, name, &[("metric", metric)])
}

#[test]
fn a_collector_that_panics_is_counted_and_affects_no_other() {
    let other = prometheus::Registry::new();
    let calls = AtomicUsize::new(0);
    register(&other, "custom", move || {
        assert!(
            calls.fetch_add(1, Ordering::Relaxed).is_multiple_of(2),
            "as the test expects"
        );
        vec![family("theirs", GAUGE, vec![gauge(&[], 1.0)])]
    });
    let registry = with_others(&other);
    let text = registry.export_prometheus();
    assert!(
        text.contains("\ntheirs 1\n") && text.contains("panics_total 0\n"),
        "{text}"
    );
    let text = registry.export_prometheus();
    assert!(
        !text.contains("\ntheirs ") && text.contains("panics_total 1\n"),
        "{text}"
    );
    assert!(
        text.contains("own_total 1\n") && text.contains("computed 7\n"),
        "{text}"
    );
    assert!(registry.export_prometheus().contains("\ntheirs 1\n"));
}

#[test]
fn a_metric_that_changes_its_type_keeps_the_first_one() {
    let other = prometheus::Registry::new();
    let calls = AtomicUsize::new(0);
    register(&other, "custom", move || {
        let call = calls.fetch_add(1, Ordering::Relaxed);
        let kinds = [
            COUNTER,
            GAUGE,
            HISTOGRAM,
            MetricType::SUMMARY,
            MetricType::UNTYPED,
        ];
        let metrics = vec![counter(&[("a", "1")], 1.0), counter(&[("a", "2")], 2.0)];
        vec![family("changing", kinds[call % 5], metrics)]
    });
    let registry = with_others(&other);
    let messages = warnings(|| (), {
        let registry = registry.clone();
        move || {
            for call in 0..10 {
                let families = exported(&registry);
                assert_eq!(
                    families.contains_key("changing_total"),
                    call % 5 == 0,
                    "{call}"
                );
            }
        }
    });
    assert_eq!(refused_series(&registry), 2.0 * 8.0);
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(
        messages[0].contains("changing") && messages[0].contains("gauge"),
        "{messages:?}"
    );
}

/// The `prometheus` crate merges families of one name. The type of the first one counts.
#[test]
fn a_series_of_another_type_than_its_family_is_0_as_in_the_encoder() {
    let other = registry_of(vec![
        family("merged_total", COUNTER, vec![counter(&[("a", "1")], 1.0)]),
        family("merged_total", GAUGE, vec![gauge(&[("a", "2")], 7.0)]),
    ]);
    let registry = with_others(&other);
    let families = exported(&registry);
    assert_eq!(
        families["merged_total"],
        from_encoder(&other)["merged_total"]
    );
    let values = families["merged_total"].series.iter();
    let values = values.map(|series| series.number.unwrap().real().0);
    assert_eq!(values.collect::<Vec<_>>(), [1.0, 0.0]);
    assert_eq!(refused_series(&registry), 0.0);
}

#[test]
fn types_that_do_not_exist_here_and_timestamps_are_refused_with_the_reason() {
    let mut old = gauge(&[("a", "secret")], 1.0);
    old.set_timestamp_ms(1_700_000_000_000);
    let families = vec![
        family("quantiles", MetricType::SUMMARY, vec![Metric::default(); 3]),
        family("unknown", MetricType::UNTYPED, vec![Metric::default()]),
        family("old", GAUGE, vec![old, gauge(&[("a", "new")], 2.0)]),
    ];
    let registry = with_others(&registry_of(families));
    let messages = warnings(|| (), {
        let registry = registry.clone();
        move || {
            for _ in 0..3 {
                let families = exported(&registry);
                assert_eq!(families["old"].series.len(), 1);
                assert_eq!(families.len(), 3, "{families:?}");
            }
        }
    });
    assert_eq!(refused_series(&registry), 4.0 * 5.0);
    for (metric, reason) in [
        ("quantiles", "summary"),
        ("unknown", "no type"),
        ("old", "timestamp"),
    ] {
        let name = format!("metric=\"{metric}\"");
        let about: Vec<_> = messages
            .iter()
            .filter(|message| message.contains(&name))
            .collect();
        assert!(
            about.len() == 1 && about[0].contains(reason),
            "{messages:?}"
        );
    }
    let messages = messages.join("");
    assert!(!messages.contains("secret"), "{messages}");
}

#[test]
fn names_that_are_not_valid_or_taken_are_refused() {
    let names = [
        "",
        "a-b",
        "9a",
        "é",
        "a b",
        "_total",
        "own_total",
        "own",
        "computed",
        "tachometer_series",
        "fine",
    ];
    let one = |name| family(name, GAUGE, vec![gauge(&[], 1.0)]);
    let other = registry_of(names.map(one).into());
    let registry = with_others(&other);
    let messages = warnings(|| (), {
        let registry = registry.clone();
        move || assert_eq!(Vec::from_iter(scrape(&registry)), ["fine"])
    });
    // In OpenMetrics the counter `own_total` is the family `own`.
    assert_eq!(messages.len(), names.len() - 1, "{messages:?}");
    let refused = refused_series(&registry);
    assert_eq!(refused_series(&registry) - refused, 10.0);
    let text = registry.export_prometheus();
    assert!(
        text.contains("own_total 1\n") && text.contains("computed 7\n"),
        "{text}"
    );
}

#[test]
fn label_names_that_are_not_valid_are_changed_and_repeated_ones_are_counted() {
    let labels: [&[(&str, &str)]; 10] = [
        &[("a-b", "1")],
        &[("", "1")],
        &[("__name__", "1")],
        &[("a", "1"), ("a", "2")],
        &[("b-c", "1"), ("b-c", "2")],
        &[("d.e", "1"), ("d_e", "2"), ("d-e", "3")],
        // In another order, so it is the same series.
        &[("d-e", "3"), ("d.e", "1"), ("d_e", "2")],
        &[("le", "1"), ("quantile", "0.5")],
        &[("exported_le", "1"), ("le", "2")],
        &[("fine", "1")],
    ];
    let metrics = labels.map(|labels| gauge(labels, 1.0)).into();
    let registry = with_others(&registry_of(vec![family("labels", GAUGE, metrics)]));
    assert_eq!(Vec::from_iter(scrape(&registry)), ["labels"]);
    let text = registry.export_prometheus();
    for line in [
        "labels{a_b=\"1\"} 1\n",
        "labels{_=\"1\"} 1\n",
        "labels{exported_name__=\"1\"} 1\n",
        "labels{d_e=\"2\",exported_d_e=\"3\",exported_exported_d_e=\"1\"} 1\n",
        "labels{exported_le=\"1\",exported_quantile=\"0.5\"} 1\n",
        "labels{exported_exported_le=\"2\",exported_le=\"1\"} 1\n",
        "labels{fine=\"1\"} 1\n",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert_eq!(exported(&registry)["labels"].series.len(), 7);
    let before = invalid(&registry, "labels");
    assert_eq!(invalid(&registry, "labels") - before, 3.0);
}

#[test]
fn a_label_with_the_name_of_a_constant_label_is_renamed() {
    let families = vec![
        family(
            "mixed",
            GAUGE,
            vec![
                gauge(&[("a", "1")], 1.0),
                gauge(&[("service", "library"), ("service_name", "cart")], 2.0),
                gauge(&[("exported_service", "x"), ("service", "y")], 3.0),
            ],
        ),
        family("one", GAUGE, vec![gauge(&[("service", "z")], 4.0)]),
    ];
    let registry = Registry::new().with_utf8_names();
    let labels = [("service", "api"), ("service.name", "shop")];
    let labeled = registry.clone().with_labels(labels).unwrap();
    labeled
        .collector(PrometheusCollector::new(registry_of(families)))
        .unwrap();
    let families = exported(&registry);
    let labels = |name: &str| {
        let series = families[name].series.iter();
        let pairs = |series: &Series| {
            let pairs = series.labels.iter();
            let pairs = pairs.filter(|(name, _)| !name.starts_with("service"));
            let pairs = pairs.map(|(name, value)| format!("{name}={value}"));
            (series.labels.len(), pairs.collect::<Vec<_>>().join(","))
        };
        series.map(pairs).collect::<BTreeSet<_>>()
    };
    let expected = [
        (3, "a=1"),
        (4, "exported_exported_service=y,exported_service=x"),
        (4, "exported_service=library,exported_service_name=cart"),
    ];
    let expected = expected.map(|(count, pairs)| (count, pairs.to_owned()));
    assert_eq!(Vec::from_iter(labels("mixed")), expected);
    let expected = [(3, "exported_service=z".to_owned())];
    assert_eq!(Vec::from_iter(labels("one")), expected);
    assert_eq!(invalid(&registry, "mixed") + invalid(&registry, "one"), 0.0);
    assert_eq!(refused_series(&registry), 0.0);
}

#[test]
fn of_series_with_the_same_labels_one_is_exported() {
    let metrics = vec![
        gauge(&[("a", "1"), ("b", "2")], 1.0),
        gauge(&[("b", "2"), ("a", "1")], 2.0),
        gauge(&[("b", "2"), ("a", "1"), ("c", "")], 3.0),
        gauge(&[("b", "1"), ("a", "2")], 4.0),
    ];
    // The other registry merges families of one name.
    let families = vec![
        family("doubled", GAUGE, metrics.clone()),
        family("doubled", GAUGE, metrics),
    ];
    let registry = with_others(&registry_of(families));
    assert_eq!(Vec::from_iter(scrape(&registry)), ["doubled"]);
    let before = invalid(&registry, "doubled");
    assert_eq!(invalid(&registry, "doubled") - before, 6.0);
    assert_eq!(exported(&registry)["doubled"].series.len(), 2);
}

#[test]
fn counters_that_are_negative_or_not_finite_are_counted_and_large_ones_are_exact() {
    let values = [
        -1.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        1e300,
        2.0_f64.powi(64),
        0.5,
    ];
    let large = [18_446_744_073_709_549_568.0, 9_007_199_254_740_992.0];
    let series = |(id, value): (usize, &f64)| counter(&[("id", &id.to_string())], *value);
    let metrics = values
        .iter()
        .chain(&large)
        .enumerate()
        .map(series)
        .collect();
    let registry = with_others(&registry_of(vec![family("values", COUNTER, metrics)]));
    assert_eq!(Vec::from_iter(scrape(&registry)), ["values_total"]);
    let before = invalid(&registry, "values");
    assert_eq!(invalid(&registry, "values") - before, 4.0);
    let text = registry.export_prometheus();
    for line in [
        "{id=\"4\"} 1e+300\n",
        "{id=\"5\"} 1.8446744073709552e+19\n",
        "{id=\"6\"} 0.5\n",
        "{id=\"7\"} 18446744073709549568\n",
        "{id=\"8\"} 9007199254740992\n",
    ] {
        assert!(text.contains(&format!("values_total{line}")), "{text}");
    }
}

#[test]
fn histograms_of_any_buckets_equal_those_of_the_encoder() {
    let infinity = f64::INFINITY;
    let metrics = vec![
        histogram(&[("id", "empty")], &[], 0, 0.0),
        histogram(&[("id", "no buckets")], &[], 3, 1.5),
        histogram(&[("id", "one")], &[(1.0, 2)], 3, 1.5),
        histogram(&[("id", "other bounds")], &[(-1.0, 0), (2.5, 2)], 3, -4.0),
        histogram(
            &[("id", "infinity")],
            &[(1.0, 2), (infinity, 5)],
            5,
            f64::NAN,
        ),
        histogram(&[("id", "only infinity")], &[(infinity, 5)], 5, infinity),
        histogram(&[("id", "large")], &[(1e300, 1 << 50)], 1 << 52, 1e308),
    ];
    let other = registry_of(vec![family("sizes", HISTOGRAM, metrics)]);
    let registry = collecting(&other);
    assert_eq!(exported(&registry), from_encoder(&other));
    assert_eq!(refused_series(&registry), 0.0);
}

#[test]
fn histograms_that_contradict_themselves_are_refused() {
    let infinity = f64::INFINITY;
    let fine = histogram(&[("id", "fine")], &[(1.0, 1)], 2, 3.0);
    let broken = [
        // The cumulative counts decrease.
        histogram(&[("id", "1")], &[(1.0, 2), (2.0, 1)], 2, 3.0),
        // There are fewer values than in the last bucket.
        histogram(&[("id", "2")], &[(1.0, 1), (2.0, 2)], 1, 3.0),
        // The count differs from the bucket up to infinity.
        histogram(&[("id", "3")], &[(1.0, 1), (infinity, 3)], 4, 3.0),
        histogram(&[("id", "4")], &[(1.0, 1), (infinity, 3)], 2, 3.0),
    ];
    let invalid_bounds = [
        histogram(&[("id", "5")], &[(2.0, 1), (1.0, 2)], 2, 3.0),
        histogram(&[("id", "6")], &[(1.0, 1), (1.0, 2)], 2, 3.0),
        histogram(&[("id", "7")], &[(f64::NAN, 1)], 2, 3.0),
        histogram(&[("id", "8")], &[(f64::NEG_INFINITY, 1)], 2, 3.0),
        histogram(&[("id", "9")], &[(infinity, 1), (infinity, 2)], 2, 3.0),
    ];
    let metrics = [&broken[..], &invalid_bounds, &[fine]].concat();
    let registry = with_others(&registry_of(vec![family("sizes", HISTOGRAM, metrics)]));
    let messages = warnings(|| (), {
        let registry = registry.clone();
        move || {
            let families = exported(&registry);
            assert_eq!(families["sizes"].series.len(), 1, "{families:?}");
        }
    });
    assert_eq!(refused_series(&registry), 2.0 * 4.0);
    let before = invalid(&registry, "sizes");
    assert_eq!(invalid(&registry, "sizes") - before, 5.0);
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(
        messages[0].contains("lower cumulative count"),
        "{messages:?}"
    );
}

#[test]
fn a_help_text_may_come_later_and_then_stays() {
    let other = prometheus::Registry::new();
    let calls = AtomicUsize::new(0);
    register(&other, "custom", move || {
        let mut family = family("late", GAUGE, vec![gauge(&[], 1.0)]);
        let helps = ["", "First.", "", "Second."];
        family.set_help(helps[calls.fetch_add(1, Ordering::Relaxed)].to_owned());
        vec![family]
    });
    let registry = collecting(&other);
    for expected in ["", "First.", "First.", "First."] {
        assert_eq!(exported(&registry)["late"].help, expected);
    }
}

/// The names of the process collector of the `prometheus` crate are those of this crate.
#[cfg(target_os = "linux")]
#[test]
fn a_process_collector_of_both_crates_is_refused_once() {
    let names = [
        "process_open_fds",
        "process_resident_memory_bytes",
        "process_threads",
    ];
    let one = |name: &str| family(name, GAUGE, vec![gauge(&[], -1.0)]);
    let other = registry_of(names.map(one).into());
    let registry = Registry::new();
    tachometer::system::SystemMetrics::new()
        .register(&registry)
        .unwrap();
    let families = other.clone();
    registry
        .collector(PrometheusCollector::new(families))
        .unwrap();
    let families = exported(&registry);
    for name in names {
        let value = families[name].series[0].number.unwrap().real().0;
        assert!(value > 0.0, "{name} {value}");
    }
    assert_eq!(refused_series(&registry), 2.0 * 3.0);
}
