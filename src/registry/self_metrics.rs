//! What a registry says of itself.

use std::sync::Arc;

use crate::metric::Metric;
use crate::registry::Registry;
use crate::snapshot::{Count, Desc, Kind, Labels, Role, SeriesBlock, Values};

/// The names of these metrics, which no other may take.
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

/// Returns what these metrics are, but for their help.
pub(super) fn descs() -> impl Iterator<Item = Desc> {
    let desc = |(name, kind): &(&str, Kind)| Desc::new(name, "", *kind).with_role(role(name));
    NAMES.iter().map(desc)
}

impl Registry {
    /// Returns what the metrics are that the registry has of itself, but for their help.
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

/// What was noticed of a registry's metrics while they were read.
#[derive(Debug, Default)]
pub(super) struct SelfMetrics {
    /// The labels that the reader's handle gives all metrics.
    constant: Labels,
    /// Whether there are collectors.
    pub(super) has_collectors: bool,
    invalid: LabeledNumbers<Count>,
    series: LabeledNumbers<f64>,
    overflow: LabeledNumbers<Count>,
}

#[derive(Debug)]
struct LabeledNumbers<T>(Vec<(Labels, T)>);

impl SelfMetrics {
    pub(super) fn new(constant: Labels) -> Self {
        Self {
            constant,
            ..Self::default()
        }
    }

    /// Notes what is to be said of a metric of which so many series were read.
    pub(super) fn record(&mut self, metric: &Metric, series: usize) {
        let labels = || Labels::with_pairs(&self.constant, [("metric", metric.name())]);
        let invalid = metric.invalid_count();
        if invalid > 0 {
            self.invalid.0.push((labels(), invalid.into()));
        }
        // One series without labels is nothing to be watched. Constant labels may make more.
        if series > 1 || (series > 0 && !metric.label_names().is_empty()) {
            self.series.0.push((labels(), series as f64));
        }
        let overflowed = metric.overflow_count();
        if let Some(overflowed) = overflowed.filter(|count| series > 0 || *count > 0) {
            self.overflow.0.push((labels(), overflowed.into()));
        }
    }

    /// Returns what was noted of a registry, sorted by name; all of it since it began.
    pub(super) fn blocks(mut self, registry: &Registry) -> Vec<SeriesBlock> {
        self.add_skipped_series(registry);
        let mut panics = LabeledNumbers::default();
        if self.has_collectors {
            let counts = registry
                .registries()
                .map(|part| part.inner.panics.get_u64());
            let sum = counts.fold(0, u64::wrapping_add);
            panics.0.push((self.constant, Count::from(sum)));
        }
        let since = registry
            .registries()
            .map(|part| part.inner.created_millis)
            .min();
        let families = [
            panics.blocks(
                COLLECTOR_PANICS,
                "Times that a collector panicked, so that its metrics were left out.",
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
                "Times that `_overflow` replaced a label's value that was over the limit, \
                 too long or not allowed.",
                Values::Counter,
            ),
        ];
        let mut blocks: Vec<_> = families.into_iter().flatten().collect();
        for block in &mut blocks {
            block.created_millis = vec![since.unwrap_or(0); block.labels.len()];
        }
        blocks
    }

    /// Adds the series of other registries that were left out.
    fn add_skipped_series(&mut self, registry: &Registry) {
        let Some(others) = &registry.additional else {
            return;
        };
        for (metric, series) in others.skipped_series() {
            let labels = Labels::with_pairs(&self.constant, [("metric", &*metric)]);
            let noted = self.invalid.0.iter_mut();
            match noted.into_iter().find(|(noted, _)| *noted == labels) {
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
        let classic = self.0.iter().all(|(labels, _)| labels.has_classic_names());
        let desc = Arc::new(
            Desc::new(name, help, kind)
                .with_role(role(name))
                .with_classic_labels(classic),
        );
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
