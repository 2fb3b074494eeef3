//! Reading a whole registry, a block at a time.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::metric::Metric;
use crate::snapshot::{Block, Count, Desc, Kind, Labels, Values};

/// How often the metrics of a registry refused a value, by metric.
pub(super) const INVALID_OBSERVATIONS: &str = "tachometer_invalid_observations_total";

/// All metrics of a registry, read a block at a time as it is asked for one.
///
/// Families come sorted by name, their series in the order in which they were
/// made, and families without a series are left out. Last comes what the registry
/// says of itself, `tachometer_invalid_observations_total`.
#[derive(Debug)]
#[must_use = "a registry is read as blocks are taken"]
pub struct Gather {
    metrics: std::vec::IntoIter<Metric>,
    current: Option<(Metric, usize)>,
    /// The metrics that refused values, found on the way, told at the end.
    invalid: Invalid,
    taken: SystemTime,
    uptime: Duration,
}

impl Gather {
    pub(super) fn new(metrics: Vec<Metric>, uptime: Duration) -> Self {
        Self {
            metrics: metrics.into_iter(),
            current: None,
            invalid: Invalid::default(),
            taken: SystemTime::now(),
            uptime,
        }
    }

    /// Returns when the reading began.
    #[must_use]
    pub fn taken(&self) -> SystemTime {
        self.taken
    }

    /// Returns for how long the registry had existed then.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.uptime
    }
}

impl Iterator for Gather {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
        loop {
            if let Some((metric, from)) = &mut self.current
                && let Some(block) = metric.block(*from)
            {
                *from += Block::SERIES;
                return Some(block);
            }
            match self.metrics.next() {
                Some(metric) => {
                    self.invalid.note(&metric);
                    self.current = Some((metric, 0));
                }
                None => return self.invalid.block(),
            }
        }
    }
}

/// The metrics that refused values.
#[derive(Debug, Default)]
struct Invalid {
    noted: Vec<(Labels, Count)>,
    told: usize,
}

impl Invalid {
    fn note(&mut self, metric: &Metric) {
        let count = metric.invalid();
        if count > 0 {
            let labels = Labels::new([("metric", metric.name())]);
            self.noted.push((labels, count.into()));
        }
    }

    fn block(&mut self) -> Option<Block> {
        let rest = self.noted.get(self.told..)?;
        let series = rest.get(..rest.len().min(Block::SERIES))?;
        if series.is_empty() {
            return None;
        }
        let desc = Desc::new(
            INVALID_OBSERVATIONS,
            "Values that a metric could not take and ignored: NaN, infinite, \
             or a counter's negative.",
            Kind::Counter,
        );
        let counts = series.iter().map(|(_, count)| *count).collect();
        let mut block = Block::new(Arc::new(desc), self.told == 0, Values::Counter(counts));
        block.labels = series.iter().map(|(labels, _)| labels.clone()).collect();
        self.told += block.labels.len();
        Some(block)
    }
}
