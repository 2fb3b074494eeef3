//! One series, read by itself.

use std::time::SystemTime;

use crate::snapshot::{HistogramStats, Kind, Labels};

/// One series as it stood at a moment: what a handle's `snapshot()` returns.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Sample {
    /// The series' labels; none for a metric without.
    pub labels: Labels,
    /// What it held.
    pub value: Value,
    /// When it was read.
    pub timestamp: SystemTime,
}

impl Sample {
    pub(crate) fn now(labels: &Labels, value: Value) -> Self {
        Self {
            labels: labels.clone(),
            value,
            timestamp: SystemTime::now(),
        }
    }
}

/// What a single series held.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// A counter's sum.
    Counter(f64),
    /// A gauge's number.
    Gauge(f64),
    /// A histogram's statistics.
    Histogram(HistogramStats),
}

impl Value {
    /// Returns what kind of metric holds such a value.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Counter(_) => Kind::Counter,
            Self::Gauge(_) => Kind::Gauge,
            Self::Histogram(_) => Kind::Histogram,
        }
    }
}
