//! The metrics of a registry of the `prometheus` crate in a registry of this crate.

mod families;
mod histograms;
mod numbers;
#[cfg(test)]
#[cfg(not(tachometer_loom))]
mod tests;

use std::fmt;

use crate::bridge::nested_reads::{ReadMark, is_read_for_prometheus};
use crate::registry::{Collect, CollectSink};

/// All metrics of a registry of the `prometheus` crate as a collector, for services with libraries
/// that use that crate.
///
/// ```
/// use tachometer::Registry;
/// use tachometer::bridge::PrometheusCollector;
///
/// let registry = Registry::new();
/// let default = prometheus::default_registry().clone();
/// registry.collector(PrometheusCollector::new(default))?;
///
/// // Somewhere in a library.
/// let calls = prometheus::register_int_counter!("library_calls_total", "Calls.")?;
/// calls.inc();
///
/// assert!(registry.export_prometheus().contains("library_calls_total 1\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What is exported
///
/// Counters, gauges and histograms, with the same names, labels, help texts and numbers as the
/// `TextEncoder` of the `prometheus` crate writes. Metrics that are registered or removed later
/// appear and disappear with the next scrape. There are these differences:
///
/// - OpenMetrics requires that the name of a counter ends in `_total`. So every format of
///   Prometheus appends it to a counter that lacks it, as it does for the metrics of this crate.
/// - A label named `le` or `quantile`, which Prometheus reserves for buckets and quantiles, is
///   called `exported_le` or `exported_quantile`. A label `region` is called `exported_region` if
///   the handle of the registry has a constant label of that name
///   ([`Registry::with_labels`](crate::Registry::with_labels)). If that name is in use, the prefix
///   is repeated.
/// - A label named `__x`, which Prometheus reserves, is called `exported_x`. A custom collector can
///   have label names that Prometheus does not accept: `a-b` is called `a_b`.
/// - A label with an empty value is left out, which is the same to Prometheus.
/// - A metric keeps the first help text that is not empty.
/// - The `prometheus` crate merges families that have the same name and does not check their
///   types. The first one determines the type, and a value of another type is 0, as in the text
///   of its encoder.
/// - Bounds of buckets are written as OpenMetrics requires: `1.0` instead of `1`.
///
/// The model of the `prometheus` crate has no creation times and no exemplars. In OpenMetrics and
/// OTLP all series were created when the collector was registered.
///
/// # What is left out
///
/// `tachometer_series_refused_total{collector="PrometheusCollector"}` counts series that are left
/// out, and one warning for each metric has the reason:
///
/// - The name is not valid, or is that of another metric of the registry. For example, the process
///   collector of the `prometheus` crate has the same names as `SystemMetrics`: use one of them.
/// - The type of the metric has changed. The first type is kept.
/// - The metric is a summary or untyped. This crate has no such type.
/// - The sample has a timestamp. An exporter must not present an old value as the current one.
/// - The buckets of a histogram contradict each other or the count.
///
/// `tachometer_invalid_observations_total` counts series with a repeated label name, counters that
/// are negative, infinite or NaN, and repeated series.
///
/// # Collectors that fail
///
/// A collector of the `prometheus` crate that panics or blocks affects all metrics of its registry,
/// since that crate has one function to gather all of them. See [`Collect`] for what happens then.
/// That function holds a lock of its registry. A collector that registers metrics there blocks
/// forever.
///
/// # Both directions
///
/// If a [`RegistryCollector`](crate::bridge::RegistryCollector) exports this registry to the same
/// `prometheus::Registry`, both scrapes contain each metric once. A read by a `RegistryCollector`
/// contains nothing of any `PrometheusCollector`.
pub struct PrometheusCollector {
    registry: prometheus::Registry,
}

impl PrometheusCollector {
    /// Creates a collector of all metrics of a registry.
    #[must_use]
    pub fn new(registry: prometheus::Registry) -> Self {
        Self { registry }
    }
}

impl Collect for PrometheusCollector {
    fn collect(&self, sink: &mut CollectSink<'_>) {
        // The thread may hold the lock of that registry. It must not take it again.
        if is_read_for_prometheus() {
            return;
        }
        let families = {
            let _mark = ReadMark::of_prometheus();
            self.registry.gather()
        };
        // The memory of a family is freed before the next one is converted.
        for family in families {
            families::add(&family, sink);
        }
    }
}

impl fmt::Debug for PrometheusCollector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PrometheusCollector")
            .finish_non_exhaustive()
    }
}
