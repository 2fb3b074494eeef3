//! Metrics of a registry about itself.

use std::sync::Arc;

use crate::metric::Metric;
use crate::registry::Registry;
use crate::snapshot::{Count, Desc, Kind, Labels, Role, SeriesBlock, Values};

/// The names of these metrics, which are reserved.
pub(super) const NAMES: [(&str, Kind); 4] = [
    (COLLECTOR_PANICS, Kind::Counter),
    (INVALID_OBSERVATIONS, Kind::Counter),
    (SERIES, Kind::Gauge),
    (SERIES_OVERFLOW, Kind::Counter),
];
const COLLECTOR_PANICS: &str = "tachometer_collector_panics_total";
const INVALID_OBSERVATIONS: &str = "tachometer_invalid_observations_total";
const SERIES: &str = "tachometer_series";
const SERIES_OVERFLOW: &str = "tachometer_series_overflow_total";

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
        SERIES_OVERFLOW => Some(Role::SeriesOverflow),
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
    invalid: LabeledNumbers<Count>,
    series: LabeledNumbers<f64>,
    overflow: LabeledNumbers<Count>,
}

/// The series of one of these metrics.
#[derive(Debug)]
struct LabeledNumbers<T>(Vec<(Labels, T)>);

impl SelfMetrics {
    pub(super) fn new(constant: Labels) -> Self {
        Self {
            constant,
            ..Self::default()
        }
    }

    /// Records that `series` series of a metric were read.
    pub(super) fn record(&mut self, metric: &Metric, series: usize) {
        let labels = || self.constant.with_pairs([("metric", metric.name())]);
        let invalid = metric.invalid_count();
        if invalid > 0 {
            self.invalid.0.push((labels(), invalid.into()));
        }
        // The number of series of a metric without labels is always 1, unless constant labels
        // make more.
        if series > 1 || (series > 0 && !metric.label_names().is_empty()) {
            self.series.0.push((labels(), series as f64));
        }
        let overflow = metric.overflowed_lookups();
        if let Some(overflow) = overflow.filter(|count| series > 0 || *count > 0) {
            self.overflow.0.push((labels(), overflow.into()));
        }
    }

    /// Returns the blocks of these metrics, sorted by name. All series are as old as the
    /// registry.
    pub(super) fn blocks(mut self, registry: &Registry) -> Vec<SeriesBlock> {
        self.add_skipped_series(registry);
        let mut panics = LabeledNumbers::default();
        if self.has_collectors {
            let counts = registry.registries();
            let counts = counts.map(|registry| registry.inner.panics.get_u64());
            let sum = counts.fold(0, u64::wrapping_add);
            panics.0.push((self.constant, Count::from(sum)));
        }
        let created = registry.registries().map(|r| r.inner.created_millis).min();
        let families = [
            panics.blocks(
                COLLECTOR_PANICS,
                "Panics of collectors. The metrics of a collector that panics are omitted.",
                Values::Counter,
            ),
            self.invalid.blocks(
                INVALID_OBSERVATIONS,
                "Values that were ignored (NaN, infinite, or negative for a counter), and series \
                 that were left out of a scrape (invalid or duplicate labels in a collector, or a \
                 conflict with another registry).",
                Values::Counter,
            ),
            self.series
                .blocks(SERIES, "Series of a metric with labels.", Values::Gauge),
            self.overflow.blocks(
                SERIES_OVERFLOW,
                "Times that `_overflow` replaced a label value that was over the limit, \
                 too long or not allowed.",
                Values::Counter,
            ),
        ];
        let mut blocks: Vec<_> = families.into_iter().flatten().collect();
        for block in &mut blocks {
            block.created_millis = vec![created.unwrap_or(0); block.labels.len()];
        }
        blocks
    }

    /// Adds the series of additional registries that were left out to the invalid ones.
    fn add_skipped_series(&mut self, registry: &Registry) {
        let Some(additional) = &registry.additional else {
            return;
        };
        for (metric, series) in additional.skipped_series() {
            let labels = self.constant.with_pairs([("metric", &*metric)]);
            let mut existing = self.invalid.0.iter_mut();
            match existing.find(|(existing, _)| *existing == labels) {
                Some((_, count)) => count.whole += series,
                None => self.invalid.0.push((labels, series.into())),
            }
        }
        self.invalid
            .0
            .sort_by(|(one, _), (other, _)| one.as_str().cmp(other.as_str()));
    }
}

impl<T: Copy> LabeledNumbers<T> {
    fn blocks(self, name: &str, help: &str, values: impl Fn(Vec<T>) -> Values) -> Vec<SeriesBlock> {
        let kind = NAMES.iter().find(|(known, _)| *known == name);
        let kind = kind.map_or(Kind::Gauge, |(_, kind)| *kind);
        let has_classic_labels = self.0.iter().all(|(labels, _)| labels.has_classic_names());
        let desc = Desc::new(name, help, kind)
            .with_role(role(name))
            .with_classic_labels(has_classic_labels);
        let desc = Arc::new(desc);
        let chunks = self.0.chunks(SeriesBlock::MAX_SERIES).enumerate();
        let blocks = chunks.map(|(position, series)| {
            let numbers = series.iter().map(|(_, number)| *number).collect();
            let mut block = SeriesBlock::new(Arc::clone(&desc), values(numbers));
            block.is_first = position == 0;
            block.labels = series.iter().map(|(labels, _)| labels.clone()).collect();
            block
        });
        blocks.collect()
    }
}

impl<T> Default for LabeledNumbers<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}
