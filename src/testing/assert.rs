//! Assertions on the numbers of a registry.

use std::fmt::Write;

use crate::metric::{Amount, InFlight, Metric, to_f64};
use crate::registry::Registry;
use crate::snapshot::{Kind, Labels, SeriesBlock, Values};

/// Asserts the sum of those series of a metric that have all of these labels; of a histogram
/// the number of its observations. It is what
/// [`assert_counter!`](crate::assert_counter) and its kin call.
///
/// # Panics
///
/// When the sum is another, and then with all series that there are; when there is no metric
/// of that name, or one of another kind.
#[track_caller]
pub fn assert_value(
    registry: &Registry,
    kind: Kind,
    name: &str,
    labels: &[(&str, &str)],
    expected: impl Amount,
) {
    let (name, own) = match registry.get(name) {
        Some(metric) => (metric.name().to_owned(), metric.kind()),
        None => match Registry::self_metric_descs().find(|desc| desc.name() == name) {
            Some(desc) => (name.to_owned(), desc.kind()),
            None => {
                let metrics = registry.metrics();
                let names: Vec<_> = metrics.iter().map(Metric::name).collect();
                panic!("there is no metric {name:?} in the registry; there are {names:?}");
            }
        },
    };
    assert!(own == kind, "{name:?} is a {own} and no {kind}");
    let (mut found, mut all) = (0.0, String::new());
    // By its whole name, which a handle's prefix is a part of.
    for block in registry.reader().filter_names([&name]) {
        for (series, number) in block.labels.iter().zip(numbers(&block)) {
            if labels.iter().all(|label| has(series, *label)) {
                found += number;
            }
            let _ = write!(all, "\n  {name}{{{}}} {number}", series.as_str());
        }
    }
    let expected = to_f64(expected);
    let asked: Vec<_> = labels.iter().map(|(k, v)| format!("{k}={v:?}")).collect();
    assert!(
        found == expected || (found.is_nan() && expected.is_nan()),
        "expected {expected} of {name}{{{}}}, found {found}; its series:{}",
        asked.join(","),
        if all.is_empty() { " none" } else { &all }
    );
}

/// Returns a number for each series of a block.
fn numbers(block: &SeriesBlock) -> Vec<f64> {
    match &block.values {
        Values::Counter(counts) => counts.iter().map(|count| count.value()).collect(),
        Values::Gauge(numbers) => numbers.clone(),
        Values::Histogram(histograms) => {
            let counts = histograms.iter().map(|one| one.count() as f64);
            counts.collect()
        }
    }
}

fn has(series: &Labels, (name, value): (&str, &str)) -> bool {
    series.pairs().any(|(own, its)| own == name && its == value)
}

/// Asserts that nothing is under way: no request, stream or call that a layer measures.
///
/// A response is under way until its body has been read or dropped.
///
/// # Panics
///
/// When something is, with its series.
#[track_caller]
pub fn assert_nothing_in_flight(registry: &Registry) {
    let metrics = registry.metrics();
    let busy: Vec<_> = metrics
        .iter()
        .filter(|metric| metric.has_instrument::<InFlight>())
        .flat_map(|metric| busy(registry, metric.name()))
        .collect();
    assert!(busy.is_empty(), "in flight: {}", busy.join(", "));
}

/// Returns those series of a gauge that are not 0.
fn busy(registry: &Registry, name: &str) -> Vec<String> {
    let mut busy = Vec::new();
    for block in registry.gather() {
        if block.desc.name() != name {
            continue;
        }
        for (series, number) in block.labels.iter().zip(numbers(&block)) {
            if number != 0.0 {
                busy.push(format!("{name}{{{}}} {number}", series.as_str()));
            }
        }
    }
    busy
}

/// Asserts that [`Registry::lint`] finds nothing that `promtool check metrics` would.
///
/// # Panics
///
/// When it does, with all that it finds.
#[track_caller]
pub fn assert_lint_clean(registry: &Registry) {
    let lints = registry.lint();
    let told: Vec<_> = lints.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "lint:\n  {}", told.join("\n  "));
}
