//! The value of a single series.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::snapshot::{HistogramStats, Kind, Labels};

/// The value of one series at one time. The `snapshot()` methods of handles return it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SeriesSnapshot {
    /// The labels of the series.
    pub labels: Labels,
    /// The value of the series.
    pub value: SeriesValue,
    /// When the series was created or last reset, to the millisecond.
    pub created: SystemTime,
    /// When it was read.
    pub timestamp: SystemTime,
}

impl SeriesSnapshot {
    /// Makes a snapshot with the current time; `created_millis` is in milliseconds since 1970.
    pub(crate) fn new(labels: &Labels, created_millis: u64, value: SeriesValue) -> Self {
        Self {
            labels: labels.clone(),
            value,
            created: UNIX_EPOCH + Duration::from_millis(created_millis),
            timestamp: SystemTime::now(),
        }
    }
}

/// The value of a single series, by kind of metric.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum SeriesValue {
    /// The sum of a counter.
    Counter(f64),
    /// The value of a gauge.
    Gauge(f64),
    /// The statistics of a histogram.
    Histogram(HistogramStats),
}

impl SeriesValue {
    /// Returns the kind of metric that has this value.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Counter(_) => Kind::Counter,
            Self::Gauge(_) => Kind::Gauge,
            Self::Histogram(_) => Kind::Histogram,
        }
    }
}
