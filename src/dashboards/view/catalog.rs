//! Every metric that there is, to search.

use std::sync::Arc;

use crate::dashboards::view::json::Json;
use crate::snapshot::{Desc, Role, SeriesBlock, Values};

/// So many metrics are told,
const METRICS: usize = 400;
/// of each so many series by themselves,
const SERIES: usize = 8;
/// and so many of all.
const ALL_SERIES: usize = 800;
/// So many metrics that are over their limit.
const OVER: usize = 20;

/// The metrics of a registry, noted as they are read.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    entries: Vec<Entry>,
    /// How many series there are, those included that are not told.
    pub(super) series: usize,
    /// How many metrics are not told.
    left_out: usize,
    told: usize,
    /// The metrics of which a label had too many values.
    pub(super) over: Vec<String>,
}

#[derive(Debug)]
struct Entry {
    desc: Arc<Desc>,
    series: usize,
    value: f64,
    /// The labels of some series, and what each holds.
    told: Vec<(String, f64)>,
}

impl Catalog {
    pub(super) fn add(&mut self, block: &SeriesBlock) {
        self.series += block.labels.len();
        if block.desc.role() == Some(Role::SeriesOverflow) {
            self.note_overflow(block);
        }
        if block.is_first && self.entries.len() == METRICS {
            self.left_out += 1;
        } else if block.is_first {
            self.entries.push(Entry {
                desc: Arc::clone(&block.desc),
                series: 0,
                value: 0.0,
                told: Vec::new(),
            });
        }
        let last = self.entries.last_mut();
        // The blocks of a family are about the same metric, and need not share its description.
        let Some(entry) = last.filter(|entry| entry.desc.name() == block.desc.name()) else {
            return;
        };
        entry.series += block.labels.len();
        let room = SERIES.saturating_sub(entry.told.len());
        let room = room.min(ALL_SERIES - self.told);
        for (position, labels) in block.labels.iter().enumerate() {
            let value = value(&block.values, position);
            entry.value += value;
            if position < room && !labels.is_empty() {
                entry.told.push((labels.as_str().to_owned(), value));
                self.told += 1;
            }
        }
    }

    fn note_overflow(&mut self, block: &SeriesBlock) {
        for (position, labels) in block.labels.iter().enumerate() {
            if value(&block.values, position) > 0.0 && self.over.len() < OVER {
                // Its own label is the last.
                let metric = labels.pairs().last();
                self.over.extend(metric.map(|(_, name)| name.into_owned()));
            }
        }
    }

    pub(super) fn write(&self, json: &mut Json) {
        json.object(|json| {
            json.key("left_out").number(self.left_out as f64);
            json.key("rows").array(|json| {
                for entry in &self.entries {
                    json.array(|json| entry.write(json));
                }
            });
        });
    }
}

impl Entry {
    /// Writes name, kind, help, how many series there are, their sum, and some of them.
    fn write(&self, json: &mut Json) {
        json.text(self.desc.exposed_name());
        json.text(self.desc.kind().as_str());
        json.text(self.desc.help());
        json.number(self.series as f64);
        json.number(self.value);
        json.array(|json| {
            for (labels, value) in &self.told {
                json.text(labels);
                json.number(*value);
            }
        });
    }
}

/// Returns what a series holds: of a histogram how many values.
fn value(values: &Values, position: usize) -> f64 {
    match values {
        Values::Counter(counts) => counts.get(position).map_or(0.0, |count| count.value()),
        Values::Gauge(numbers) => numbers.get(position).copied().unwrap_or_default(),
        Values::Histogram(histograms) => histograms
            .get(position)
            .map_or(0.0, |histogram| histogram.count() as f64),
    }
}
