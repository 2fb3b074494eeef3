//! The summary of a registry, and its JSON.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::encode::rfc3339;
use crate::registry::Registry;
use crate::snapshot::{Desc, MetricSummary, RegistrySummary};

impl Registry {
    /// Returns an overview of the registry: how many metrics it has, and one number for each.
    ///
    /// ```
    /// use tachometer::Registry;
    ///
    /// let registry = Registry::new();
    /// registry.counter("jobs_total", "Jobs done.")?.inc_by(3);
    /// let summary = registry.summary();
    /// assert_eq!((summary.total_metrics, summary.metrics_by_type["counter"]), (1, 1));
    /// assert_eq!(summary.metrics["jobs_total"].value, 3.0);
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    #[must_use]
    pub fn summary(&self) -> RegistrySummary {
        let reader = self.reader();
        let mut summary = RegistrySummary {
            timestamp: reader.read_at(),
            uptime: reader.uptime(),
            total_metrics: 0,
            metrics_by_type: BTreeMap::new(),
            metrics: BTreeMap::new(),
        };
        // The reader returns nothing for a family without series, so metrics are counted here.
        for metric in self.metrics() {
            summary.add(metric.desc(), 0, 0.0);
        }
        for block in reader {
            summary.add(&block.desc, block.labels.len(), block.values.total());
        }
        summary.total_metrics = summary.metrics.len();
        for metric in summary.metrics.values() {
            let count = summary.metrics_by_type.entry(metric.kind.as_str());
            *count.or_default() += 1;
        }
        summary
    }
}

impl RegistrySummary {
    /// Returns the summary as JSON: `{"timestamp", "uptime_seconds", "total_metrics",
    /// "metrics_by_type": {TYPE: number}, "snapshots": {NAME: {"type", "series", "value"}}}`.
    /// A sum that is not finite is `null`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let metrics = self.metrics.iter().map(|(name, metric)| {
            let metric = json!({
                "type": metric.kind.as_str(),
                "series": metric.series,
                "value": metric.value,
            });
            (name.clone(), metric)
        });
        json!({
            "timestamp": rfc3339(self.timestamp),
            "uptime_seconds": self.uptime.as_secs_f64(),
            "total_metrics": self.total_metrics,
            "metrics_by_type": self.metrics_by_type,
            "snapshots": metrics.collect::<serde_json::Map<String, Value>>(),
        })
        .to_string()
    }

    fn add(&mut self, desc: &Desc, series: usize, value: f64) {
        let metric = self.metrics.entry(desc.name().to_owned());
        let metric = metric.or_insert_with(|| MetricSummary::new(desc.kind()));
        metric.series += series;
        metric.value += value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    #[test]
    fn times_outside_rfc3339_are_clamped() {
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
