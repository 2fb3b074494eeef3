//! The summary of a registry, and its JSON.

use std::collections::BTreeMap;

use crate::encode::{Buffer, JsonWriter, rfc3339};
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
        let mut buffer = Buffer::default();
        JsonWriter::new(&mut buffer).object(|json| {
            json.key("timestamp").string(&rfc3339(self.timestamp));
            json.key("uptime_seconds").number(self.uptime.as_secs_f64());
            json.key("total_metrics").integer(self.total_metrics as u64);
            json.key("metrics_by_type").object(|json| {
                for (kind, count) in &self.metrics_by_type {
                    json.key(kind).integer(*count as u64);
                }
            });
            json.key("snapshots").object(|json| {
                for (name, metric) in &self.metrics {
                    json.escaped_key(name).object(|json| {
                        json.key("type").string(metric.kind.as_str());
                        json.key("series").integer(metric.series as u64);
                        json.key("value").number(metric.value);
                    });
                }
            });
        });
        buffer.into_string()
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
