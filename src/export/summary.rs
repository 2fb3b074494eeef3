//! A registry at a glance.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::encode::rfc3339;
use crate::registry::Registry;
use crate::snapshot::{Desc, Kind};

/// A registry at a glance: how many metrics there are, and of each one number.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// When it was made.
    pub timestamp: SystemTime,
    /// For how long the registry had existed then.
    pub uptime: Duration,
    /// How many metrics there are.
    pub total_metrics: usize,
    /// How many there are of each kind that there is.
    pub metrics_by_type: BTreeMap<&'static str, usize>,
    /// Each metric, by its registered name.
    pub snapshots: BTreeMap<String, MetricSummary>,
}

/// A metric at a glance.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct MetricSummary {
    /// What it measures.
    pub kind: Kind,
    /// How many series it has.
    pub series: usize,
    /// The sum over its series; of a histogram the number of observations.
    pub value: f64,
}

impl Summary {
    /// Returns it as JSON: `{"timestamp", "uptime_seconds", "total_metrics",
    /// "metrics_by_type": {TYPE: number}, "snapshots": {NAME: {"type", "series",
    /// "value"}}}`. A sum that is not finite is `null`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let snapshots = self.snapshots.iter().map(|(name, one)| {
            let one = json!({
                "type": one.kind.as_str(),
                "series": one.series,
                "value": one.value,
            });
            (name.clone(), one)
        });
        json!({
            "timestamp": rfc3339(self.timestamp),
            "uptime_seconds": self.uptime.as_secs_f64(),
            "total_metrics": self.total_metrics,
            "metrics_by_type": self.metrics_by_type,
            "snapshots": snapshots.collect::<serde_json::Map<String, Value>>(),
        })
        .to_string()
    }

    fn add(&mut self, desc: &Desc, series: usize, value: f64) {
        let one = self.snapshots.entry(desc.name().to_owned());
        let one = one.or_insert(MetricSummary {
            kind: desc.kind(),
            series: 0,
            value: 0.0,
        });
        one.series += series;
        one.value += value;
    }
}

impl Registry {
    /// Returns all metrics at a glance, one number each.
    ///
    /// ```
    /// use tachometer::Registry;
    ///
    /// let registry = Registry::new();
    /// registry.counter("jobs_total", "Jobs done.")?.inc_by(3);
    /// let summary = registry.summary();
    /// assert_eq!((summary.total_metrics, summary.metrics_by_type["counter"]), (1, 1));
    /// assert_eq!(summary.snapshots["jobs_total"].value, 3.0);
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    #[must_use]
    pub fn summary(&self) -> Summary {
        let gather = self.gather();
        let mut summary = Summary {
            timestamp: gather.read_at(),
            uptime: gather.uptime(),
            total_metrics: 0,
            metrics_by_type: BTreeMap::new(),
            snapshots: BTreeMap::new(),
        };
        // A family without a series has no block.
        for metric in self.metrics() {
            summary.add(metric.desc(), 0, 0.0);
        }
        for block in gather {
            summary.add(&block.desc, block.labels.len(), block.values.total());
        }
        summary.total_metrics = summary.snapshots.len();
        for one in summary.snapshots.values() {
            *summary
                .metrics_by_type
                .entry(one.kind.as_str())
                .or_default() += 1;
        }
        summary
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_no_calendar_has_is_the_nearest_that_one_has() {
        let mut summary = Registry::new().summary();
        let day = Duration::from_secs(60 * 60 * 24);
        for (time, text) in [
            (SystemTime::UNIX_EPOCH - day, "1970-01-01T00:00:00.000Z"),
            (
                SystemTime::UNIX_EPOCH + day * 4_000_000,
                "9999-12-31T23:59:59",
            ),
        ] {
            summary.timestamp = time;
            assert!(summary.to_json().contains(text), "{}", summary.to_json());
        }
    }
}
