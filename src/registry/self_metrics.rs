//! Metrics of a registry about itself.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::metric::{Counter, Metric};
use crate::registry::Registry;
use crate::registry::registered_collector::CollectorFailures;
use crate::snapshot::{Count, Desc, Kind, Labels, Role, SeriesBlock, Values};

/// The names of these metrics, which are reserved.
pub(super) const NAMES: [(&str, Kind); 7] = [
    (COLLECTOR_PANICS, Kind::Counter),
    (COLLECTOR_SKIPS, Kind::Counter),
    (INVALID_OBSERVATIONS, Kind::Counter),
    (SERIES, Kind::Gauge),
    (SERIES_EXPIRED, Kind::Counter),
    (SERIES_OVERFLOW, Kind::Counter),
    (SERIES_REFUSED, Kind::Counter),
];
const COLLECTOR_PANICS: &str = "tachometer_collector_panics_total";
const COLLECTOR_SKIPS: &str = "tachometer_collector_skips_total";
const INVALID_OBSERVATIONS: &str = "tachometer_invalid_observations_total";
const SERIES: &str = "tachometer_series";
const SERIES_EXPIRED: &str = "tachometer_series_expired_total";
const SERIES_OVERFLOW: &str = "tachometer_series_overflow_total";
const SERIES_REFUSED: &str = "tachometer_series_refused_total";

/// Returns the descriptions of these metrics, without their help texts.
pub(super) fn descs() -> impl Iterator<Item = Desc> {
    let desc = |(name, kind): &(&str, Kind)| Desc::new(name, "", *kind).with_role(role(name));
    NAMES.iter().map(desc)
}

impl Registry {
    /// Returns the descriptions of the registry's metrics about itself, without their help
    /// texts.
    pub(crate) fn self_metric_descs() -> impl Iterator<Item = Desc> {
        descs()
    }
}

fn role(name: &str) -> Option<Role> {
    match name {
        COLLECTOR_PANICS => Some(Role::CollectorPanics),
        COLLECTOR_SKIPS => Some(Role::CollectorSkips),
        SERIES_OVERFLOW => Some(Role::SeriesOverflow),
        SERIES_REFUSED => Some(Role::SeriesRefused),
        _ => None,
    }
}

/// What a reader has recorded about the metrics of a registry.
#[derive(Debug, Default)]
pub(super) struct SelfMetrics {
    /// The labels of all these metrics.
    constant: Labels,
    /// Whether the registry has collectors.
    pub(super) has_collectors: bool,
    /// Sorted by name.
    metrics: Vec<RecordedMetric>,
}

/// What was recorded about one metric.
#[derive(Debug, Default)]
struct RecordedMetric {
    name: String,
    invalid: u64,
    /// The number of its series, if it is exported.
    series: Option<u64>,
    /// The number of its series that have expired, if they can.
    expired: Option<u64>,
    /// How often a series had a value replaced, if it is exported.
    overflow: Option<u64>,
}

impl SelfMetrics {
    pub(super) fn new(constant: Labels) -> Self {
        Self {
            constant,
            ..Self::default()
        }
    }

    /// Records that `series` series of a metric were read. Metrics are recorded in the order of
    /// their names.
    pub(super) fn record(&mut self, metric: &Metric, series: usize) {
        let overflow = metric.overflowed_lookups();
        // The number of series of a metric without labels is always 1, unless constant labels
        // make more.
        let has_series_count = series > 1 || (series > 0 && !metric.label_names().is_empty());
        self.metrics.push(RecordedMetric {
            name: metric.name().to_owned(),
            invalid: metric.invalid_count(),
            series: has_series_count.then_some(series as u64),
            expired: metric.expired_series(),
            overflow: overflow.filter(|count| series > 0 || *count > 0),
        });
    }

    /// Returns the blocks of these metrics, sorted by name. All series are as old as the
    /// registry.
    pub(super) fn blocks(mut self, registry: &Registry) -> Vec<SeriesBlock> {
        self.add_skipped_series(registry);
        let created = registry.registries().map(|r| r.inner.created_millis).min();
        let mut blocks = Blocks {
            created_millis: created.unwrap_or(0),
            blocks: Vec::new(),
        };
        let failures = |count: fn(&CollectorFailures) -> &Counter| {
            let counts = registry
                .registries()
                .map(|r| count(&r.inner.failures).get_u64());
            let sum = counts.fold(0, u64::wrapping_add);
            self.has_collectors.then(|| (self.constant.clone(), sum))
        };
        let panics = failures(|failures| &failures.panics);
        let skips = failures(|failures| &failures.skips);
        blocks.add(
            COLLECTOR_PANICS,
            "Panics of collectors. The metrics of a collector that panics are omitted.",
            panics.as_slice(),
        );
        blocks.add(
            COLLECTOR_SKIPS,
            "Reads that left out a collector, since an earlier call of it had not returned after \
             10 seconds.",
            skips.as_slice(),
        );
        blocks.add(
            INVALID_OBSERVATIONS,
            "Values that were ignored (NaN, infinite, or negative for a counter), and series that \
             were left out of a scrape (invalid or duplicate labels in a collector, or a conflict \
             with another registry).",
            &self.labeled(|metric| Some(metric.invalid).filter(|count| *count > 0)),
        );
        blocks.add(
            SERIES,
            "Series of a metric with labels.",
            &self.labeled(|metric| metric.series),
        );
        blocks.add(
            SERIES_EXPIRED,
            "Series that were removed because nothing was recorded in them for the time that \
             `Family::expire_after` sets.",
            &self.labeled(|metric| metric.expired),
        );
        blocks.add(
            SERIES_OVERFLOW,
            "Times that `_overflow` replaced a label value that was over the limit, too long or \
             not allowed.",
            &self.labeled(|metric| metric.overflow),
        );
        blocks.add(
            SERIES_REFUSED,
            "Series of a collector or of another library that were left out, since the name of \
             their metric is not valid or taken, or they cannot be exported.",
            &self.refused_series(registry),
        );
        blocks.blocks
    }

    /// Adds the series of additional registries that were left out to the invalid ones.
    fn add_skipped_series(&mut self, registry: &Registry) {
        let Some(additional) = &registry.additional else {
            return;
        };
        for (name, series) in additional.skipped_series() {
            let position = self.metrics.partition_point(|metric| metric.name < name);
            let existing = self.metrics.get_mut(position);
            match existing.filter(|metric| metric.name == name) {
                Some(metric) => metric.invalid += series,
                None => self.metrics.insert(
                    position,
                    RecordedMetric {
                        name,
                        invalid: series,
                        ..RecordedMetric::default()
                    },
                ),
            }
        }
    }

    /// Returns the labels and the number of refused series of each collector, sorted by name.
    fn refused_series(&self, registry: &Registry) -> Vec<(Labels, u64)> {
        let mut sums = BTreeMap::new();
        let counts = registry
            .registries()
            .flat_map(|r| r.inner.refusals.counts());
        for (collector, series) in counts {
            *sums.entry(collector).or_insert(0) += series;
        }
        let labels = |collector: &str| self.constant.with_pairs([("collector", collector)]);
        let sums = sums.iter();
        sums.map(|(collector, sum)| (labels(collector), *sum))
            .collect()
    }

    /// Returns the labels of each metric that has this number, and the number.
    fn labeled(&self, number: fn(&RecordedMetric) -> Option<u64>) -> Vec<(Labels, u64)> {
        let mut all = Vec::new();
        for metric in &self.metrics {
            if let Some(number) = number(metric) {
                let labels = self.constant.with_pairs([("metric", &*metric.name)]);
                all.push((labels, number));
            }
        }
        all
    }
}

/// The blocks of metrics whose series are of the same age.
struct Blocks {
    created_millis: u64,
    blocks: Vec<SeriesBlock>,
}

impl Blocks {
    /// Adds one of the metrics.
    fn add(&mut self, name: &str, help: &str, series: &[(Labels, u64)]) {
        let kind = NAMES.iter().find(|(known, _)| *known == name);
        let kind = kind.map_or(Kind::Gauge, |(_, kind)| *kind);
        let has_classic_labels = series.iter().all(|(labels, _)| labels.has_classic_names());
        let desc = Desc::new(name, help, kind)
            .with_role(role(name))
            .with_classic_labels(has_classic_labels);
        let desc = Arc::new(desc);
        for (position, series) in series.chunks(SeriesBlock::MAX_SERIES).enumerate() {
            let numbers = series.iter().map(|(_, number)| *number);
            let values = match kind {
                Kind::Counter => Values::Counter(numbers.map(Count::from).collect()),
                _ => Values::Gauge(numbers.map(|number| number as f64).collect()),
            };
            let mut block = SeriesBlock::new(Arc::clone(&desc), values);
            block.is_first = position == 0;
            block.is_computed = true;
            block.labels = series.iter().map(|(labels, _)| labels.view()).collect();
            block.created_millis = vec![self.created_millis; series.len()];
            self.blocks.push(block);
        }
    }
}
