//! One series, read by itself.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::snapshot::{HistogramStats, Kind, Labels};

/// One series as it stood at a moment: what a handle's `snapshot()` returns.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SeriesSnapshot {
    /// The series' labels; none for a metric without.
    pub labels: Labels,
    /// What it held.
    pub value: SeriesValue,
    /// When the series was made or last reset, to the millisecond.
    pub created: SystemTime,
    /// When it was read.
    pub timestamp: SystemTime,
}

impl SeriesSnapshot {
    /// Returns a value read now, of a series that is there since so many
    /// milliseconds after 1970.
    pub(crate) fn new(labels: &Labels, since: u64, value: SeriesValue) -> Self {
        Self {
            labels: labels.clone(),
            value,
            created: UNIX_EPOCH + Duration::from_millis(since),
            timestamp: SystemTime::now(),
        }
    }
}

/// What a single series held.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SeriesValue {
    /// A counter's sum.
    Counter(f64),
    /// A gauge's number.
    Gauge(f64),
    /// A histogram's statistics.
    Histogram(HistogramStats),
}

impl SeriesValue {
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
