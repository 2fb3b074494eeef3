//! One number for each metric of a registry.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use crate::snapshot::Kind;

/// An overview of a registry: how many metrics it has, and one number for each.
///
/// [`Registry::summary`](crate::Registry::summary) returns it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RegistrySummary {
    /// When it was created.
    pub timestamp: SystemTime,
    /// How long the registry had existed at that time.
    pub uptime: Duration,
    /// The number of metrics.
    pub total_metrics: usize,
    /// The number of metrics of each kind, without kinds that have none.
    pub metrics_by_type: BTreeMap<&'static str, usize>,
    /// Each metric, by its registered name.
    pub metrics: BTreeMap<String, MetricSummary>,
}

/// One number for a metric.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct MetricSummary {
    /// What kind of metric it is.
    pub kind: Kind,
    /// The number of its series.
    pub series: usize,
    /// The sum over its series; for a histogram, the number of observations.
    pub value: f64,
}

impl MetricSummary {
    /// Makes the summary of a metric without series.
    pub(crate) fn new(kind: Kind) -> Self {
        Self {
            kind,
            series: 0,
            value: 0.0,
        }
    }
}
