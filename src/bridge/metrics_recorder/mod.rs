//! A recorder of the `metrics` facade.

mod exported_labels;
mod exported_name;
mod families;
mod handles;
mod install;
mod key_cache;
mod settings;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

use ::metrics::{Key, KeyName, Metadata, Recorder, SharedString, Unit};

use crate::bridge::metrics_recorder::families::Families;
use crate::bridge::metrics_recorder::settings::Settings;
use crate::metric::{Buckets, Counter, Gauge, Histogram};
use crate::registry::Registry;

/// A recorder of the [`metrics`](https://docs.rs/metrics/0.24) facade, version 0.24.
///
/// Metrics that any crate records with `counter!`, `gauge!` and `histogram!` are in the scrapes,
/// pages and pushes of a [`Registry`], with the help texts of `describe_counter!` and its siblings.
///
/// ```no_run
/// use tachometer::bridge::MetricsRecorder;
///
/// fn main() -> Result<(), tachometer::Error> {
///     MetricsRecorder::new().install()?;
///     metrics::counter!("jobs", "queue" => "mail").increment(1);
///     Ok(())
/// }
/// ```
///
/// It can also be the recorder of a thread, or one of several in a `Fanout` of metrics-util:
///
/// ```
/// use metrics::{counter, describe_counter, with_local_recorder};
/// use tachometer::Registry;
/// use tachometer::bridge::MetricsRecorder;
///
/// let registry = Registry::new();
/// let recorder = MetricsRecorder::new().registry(&registry);
/// with_local_recorder(&recorder, || {
///     describe_counter!("jobs", "Jobs done.");
///     counter!("jobs", "queue" => "mail").increment(1);
///     counter!("jobs").increment(2);
/// });
/// let text = registry.export_prometheus();
/// assert!(text.contains("# HELP jobs_total Jobs done.\n"));
/// assert!(text.contains("jobs_total{queue=\"mail\"} 1\njobs_total 2\n"));
/// ```
///
/// # Names
///
/// - Other characters than letters, digits, `_` and, in the name of a metric, `:` become `_`, and
///   so does a digit at the start. An empty name becomes `_`. Two names that become the same are
///   the same metric.
/// - Counters end in `_total` in Prometheus's formats, as all counters of a registry.
/// - The labels `le` and `quantile`, those that begin with `__`, and those with the name of a
///   constant label of the registry get the prefix `exported_`. So does a label that would get the
///   name of another label of the series.
/// - A label with an empty value is left out: the two are the same to Prometheus. If a label is
///   repeated, its last value counts.
/// - The series of a metric may have different label names.
///
/// # What is refused
///
/// - A metric whose name belongs to another kind, or to a metric that was registered in another way.
/// - A metric whose name has more than 256 bytes, or exceeds the [`name_limit`](Self::name_limit).
/// - Series with a seventeenth set of label names of a metric.
/// - Series with more than 24 labels, or with a label name of more than 256 bytes.
///
/// These record nothing. `tachometer_series_refused_total{collector="metrics"}` counts the calls of
/// macros that request them, and one warning for each metric, up to 1,000, has the name and the
/// reason.
///
/// # Help texts and units
///
/// The first help text is used, before or after the first use of the metric. It is cut off after
/// 4 KiB. The unit is part of the name, see [`unit_suffixes`](Self::unit_suffixes).
///
/// # Values
///
/// A counter wraps to 0 at 2^64. `absolute` raises it to a value. Histograms have classic
/// [buckets](Self::buckets) and, with [`Buckets::native`], exponential ones; they are never
/// summaries. The level and the target of a macro are ignored.
///
/// A value that is NaN or infinite is ignored and counted as invalid, except by `Gauge::set`. So
/// is a call of `record_many` with a count above 2^40. A call counts once.
///
/// # Allocators
///
/// A global allocator must not record with the facade. Its thread would wait for a lock that it
/// holds itself: the recorder allocates memory while it holds a lock.
#[doc(alias("exporter", "facade", "PrometheusBuilder"))]
#[must_use = "a recorder records nothing until it is installed"]
pub struct MetricsRecorder {
    settings: Settings,
    counters: Families<Counter>,
    gauges: Families<Gauge>,
    histograms: Families<Histogram>,
}

impl MetricsRecorder {
    /// Creates a recorder that records in the [global registry](Registry::global).
    pub fn new() -> Self {
        Self {
            settings: Settings::new(),
            counters: Families::new(),
            gauges: Families::new(),
            histograms: Families::new(),
        }
    }

    /// Sets the registry to record in. Its prefix and its constant labels apply.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.settings.registry = Some(registry.clone());
        self
    }

    /// Sets how many distinct values the labels of a metric may have together; the default is
    /// 2,000. The limit is that of [`Family::limit`](crate::Family::limit), for each set of label
    /// names: past it, series get the label value `_overflow`, and sums stay right.
    pub fn label_limit(mut self, values: usize) -> Self {
        self.settings.label_limit = Some(values);
        self
    }

    /// Sets how many metric names each kind (counter, gauge, histogram) may have; the default is
    /// 2,000. Described names count. Metrics past the limit are refused, and their descriptions are
    /// ignored.
    pub fn name_limit(mut self, names: usize) -> Self {
        self.settings.name_limit = names;
        self
    }

    /// Removes series in which nothing was recorded for this time. The default is never. See
    /// [`Family::expire_after`](crate::Family::expire_after).
    ///
    /// A counter that was set with `absolute` never expires, since the next call would count
    /// everything again. A gauge that was changed with `increment` or `decrement` never expires
    /// either, since later changes are relative to its last value. A gauge that was only set starts
    /// at 0 after it has expired.
    pub fn expire_after(mut self, unused: Duration) -> Self {
        self.settings.lifetime = Some(unused);
        self
    }

    /// Sets the buckets of histograms; the default is classic buckets for durations of 5 ms to
    /// 10 s.
    pub fn buckets(mut self, buckets: Buckets) -> Self {
        self.settings.buckets = buckets;
        self
    }

    /// Sets the buckets of the histogram that is called `name` in the facade.
    ///
    /// ```
    /// use tachometer::Buckets;
    /// use tachometer::bridge::MetricsRecorder;
    ///
    /// let recorder = MetricsRecorder::new()
    ///     .buckets(Buckets::default().native())
    ///     .buckets_for("response.bytes", Buckets::new(&[1e3, 1e6, 1e9])?);
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    pub fn buckets_for(mut self, name: &str, buckets: Buckets) -> Self {
        self.settings.buckets_for.insert(name.to_owned(), buckets);
        self
    }

    /// Sets whether the unit that a metric is described with is appended to its name, unless the
    /// name ends in it: `sent_total` in bytes becomes `sent_bytes_total`. The default is `true`.
    ///
    /// The unit must be described before the first use of the metric: a name does not change
    /// later, and a warning is logged. `Unit::Count` appends nothing, and `Unit::Percent` appends
    /// `percent`, since no value is converted.
    pub fn unit_suffixes(mut self, enabled: bool) -> Self {
        self.settings.has_unit_suffixes = enabled;
        self
    }
}

impl Recorder for MetricsRecorder {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.counters
            .describe(name.as_str(), unit, &help, &self.settings);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.gauges
            .describe(name.as_str(), unit, &help, &self.settings);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.histograms
            .describe(name.as_str(), unit, &help, &self.settings);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> ::metrics::Counter {
        let series = self.counters.series(key, &self.settings, |_, _| ());
        series.map_or_else(::metrics::Counter::noop, ::metrics::Counter::from_arc)
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> ::metrics::Gauge {
        let series = self.gauges.series(key, &self.settings, |_, _| ());
        series.map_or_else(::metrics::Gauge::noop, ::metrics::Gauge::from_arc)
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> ::metrics::Histogram {
        let buckets = Settings::buckets_of;
        let series = self.histograms.series(key, &self.settings, buckets);
        series.map_or_else(::metrics::Histogram::noop, ::metrics::Histogram::from_arc)
    }
}

impl Default for MetricsRecorder {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MetricsRecorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsRecorder")
            .field("registry", self.settings.registry())
            .finish_non_exhaustive()
    }
}
