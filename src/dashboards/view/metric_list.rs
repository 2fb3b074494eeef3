//! The page's searchable list of all metrics.

use std::sync::Arc;

use crate::dashboards::view::values::shortened;
use crate::encode::JsonWriter;
use crate::snapshot::{Desc, Role, SeriesBlock, Values};

/// The most metrics in the list.
const MAX_METRICS: usize = 400;
/// The most series that are listed for one metric.
const MAX_SERIES_PER_METRIC: usize = 8;
/// The most series that are listed for all metrics together.
const MAX_SERIES: usize = 800;
/// The most metrics over their label limit that are named.
const MAX_OVERFLOWED: usize = 20;

/// The metrics of a registry, collected while it is read.
#[derive(Debug, Default)]
pub(super) struct MetricList {
    entries: Vec<MetricEntry>,
    /// The number of all series, listed or not.
    pub(super) series: usize,
    /// The number of metrics that are not listed.
    omitted_metrics: usize,
    listed_series: usize,
    /// The names of metrics with a label that has more values than its limit.
    pub(super) overflowed: Vec<String>,
}

#[derive(Debug)]
struct MetricEntry {
    desc: Arc<Desc>,
    series: usize,
    /// The sum over all series.
    value: f64,
    /// The labels and values of the first series.
    listed_series: Vec<(String, f64)>,
}

impl MetricList {
    pub(super) fn add(&mut self, block: &SeriesBlock) {
        self.series += block.labels.len();
        if block.desc.role() == Some(Role::SeriesOverflow) {
            self.add_overflowed(block);
        }
        if block.is_first && self.entries.len() == MAX_METRICS {
            self.omitted_metrics += 1;
        } else if block.is_first {
            self.entries.push(MetricEntry {
                desc: Arc::clone(&block.desc),
                series: 0,
                value: 0.0,
                listed_series: Vec::new(),
            });
        }
        let last = self.entries.last_mut();
        // The blocks of a family have the same name, but not necessarily the same `Arc<Desc>`.
        let Some(entry) = last.filter(|entry| entry.desc.name() == block.desc.name()) else {
            return;
        };
        entry.series += block.labels.len();
        let capacity = MAX_SERIES_PER_METRIC.saturating_sub(entry.listed_series.len());
        let capacity = capacity.min(MAX_SERIES - self.listed_series);
        for (position, labels) in block.labels.iter().enumerate() {
            let value = series_value(&block.values, position);
            entry.value += value;
            if position < capacity && !labels.is_empty() {
                entry
                    .listed_series
                    .push((labels.as_str().to_owned(), value));
                self.listed_series += 1;
            }
        }
    }

    fn add_overflowed(&mut self, block: &SeriesBlock) {
        for (position, labels) in block.labels.iter().enumerate() {
            if series_value(&block.values, position) > 0.0 && self.overflowed.len() < MAX_OVERFLOWED
            {
                // The label `metric` comes after the registry's constant labels.
                let metric = labels.pairs().last();
                self.overflowed
                    .extend(metric.map(|(_, name)| name.into_owned()));
            }
        }
    }

    pub(super) fn write(&self, json: &mut JsonWriter<'_>) {
        json.object(|json| {
            json.key("omitted").number(self.omitted_metrics as f64);
            json.key("rows").array(|json| {
                for entry in &self.entries {
                    json.array(|json| entry.write(json));
                }
            });
        });
    }
}

impl MetricEntry {
    /// Writes name, kind, help, number of series, their sum, and the first series.
    fn write(&self, json: &mut JsonWriter<'_>) {
        json.string(&shortened(self.desc.exposed_name()));
        json.string(self.desc.kind().as_str());
        json.string(&shortened(self.desc.help()));
        json.number(self.series as f64);
        json.number(self.value);
        json.array(|json| {
            for (labels, value) in &self.listed_series {
                json.string(&shortened(labels));
                json.number(*value);
            }
        });
    }
}

/// Returns the value of a series. For a histogram, this is the number of observations.
fn series_value(values: &Values, position: usize) -> f64 {
    match values {
        Values::Counter(counts) => counts.get(position).map_or(0.0, |count| count.value()),
        Values::Gauge(numbers) => numbers.get(position).copied().unwrap_or_default(),
        Values::Histogram(histograms) => histograms
            .get(position)
            .map_or(0.0, |histogram| histogram.count() as f64),
    }
}
