//! Assertions on the metrics of a registry.

use std::fmt::Write;

use crate::metric::{Amount, InFlight, Metric, to_f64};
use crate::registry::Registry;
use crate::snapshot::{Kind, LabelsView, SeriesBlock, Values};

/// Asserts the sum of the series of a metric that have all of these labels, or for a histogram
/// the number of their observations.
///
/// The macros [`assert_counter!`](crate::assert_counter), [`assert_gauge!`](crate::assert_gauge)
/// and [`assert_histogram_count!`](crate::assert_histogram_count) call this function.
///
/// # Panics
///
/// If the sum differs, with all series of the metric, or if there is no metric of that name and
/// kind.
#[track_caller]
pub fn assert_value(
    registry: &Registry,
    kind: Kind,
    name: &str,
    labels: &[(&str, &str)],
    expected: impl Amount,
) {
    let (name, actual_kind) = match registry.get(name) {
        Some(metric) => (metric.name().to_owned(), metric.kind()),
        None => match Registry::self_metric_descs().find(|desc| desc.name() == name) {
            Some(desc) => (name.to_owned(), desc.kind()),
            None => {
                let metrics = registry.metrics();
                let names: Vec<_> = metrics.iter().map(Metric::name).collect();
                panic!("the registry has no metric {name:?}; it has {names:?}");
            }
        },
    };
    assert!(
        actual_kind == kind,
        "{name:?} is a {actual_kind}, not a {kind}"
    );
    let (mut sum, mut all) = (0.0, String::new());
    // `name` includes the prefix of the registry handle.
    for block in registry.reader().filter_names([&name]) {
        for (series, number) in block.labels.iter().zip(numbers(&block)) {
            if labels.iter().all(|label| has_label(series, *label)) {
                sum += number;
            }
            let _ = write!(all, "\n  {name}{{{}}} {number}", series.as_str());
        }
    }
    let expected = to_f64(expected);
    let labels: Vec<_> = labels.iter().map(|(k, v)| format!("{k}={v:?}")).collect();
    assert!(
        sum == expected || (sum.is_nan() && expected.is_nan()),
        "expected {expected} of {name}{{{}}}, found {sum}; its series:{}",
        labels.join(","),
        if all.is_empty() { " none" } else { &all }
    );
}

/// Returns one number for each series of a block.
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

fn has_label(series: LabelsView<'_>, (name, value): (&str, &str)) -> bool {
    series
        .pairs()
        .any(|(key, text)| key == name && text == value)
}

/// Asserts that no request, stream or call measured by a layer is in flight.
///
/// A response is in flight until its body has been read or dropped.
///
/// # Panics
///
/// If one is in flight, with its series.
#[track_caller]
pub fn assert_nothing_in_flight(registry: &Registry) {
    let metrics = registry.metrics();
    let in_flight: Vec<_> = metrics
        .iter()
        .filter(|metric| metric.has_instrument::<InFlight>())
        .flat_map(|metric| non_zero_series(registry, metric.name()))
        .collect();
    assert!(in_flight.is_empty(), "in flight: {}", in_flight.join(", "));
}

/// Returns the series of a gauge that are not 0.
fn non_zero_series(registry: &Registry, name: &str) -> Vec<String> {
    let mut lines = Vec::new();
    for block in registry.gather() {
        if block.desc.name() != name {
            continue;
        }
        for (series, number) in block.labels.iter().zip(numbers(&block)) {
            if number != 0.0 {
                lines.push(format!("{name}{{{}}} {number}", series.as_str()));
            }
        }
    }
    lines
}

/// Asserts that [`Registry::lint`] finds none of the problems that `promtool check metrics`
/// reports.
///
/// # Panics
///
/// If it does, with all of them.
#[doc(alias = "promtool")]
#[track_caller]
pub fn assert_lint_clean(registry: &Registry) {
    let lints = registry.lint();
    let messages: Vec<_> = lints.iter().map(ToString::to_string).collect();
    assert!(messages.is_empty(), "lint:\n  {}", messages.join("\n  "));
}
