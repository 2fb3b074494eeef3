//! OTLP: the message `ExportMetricsServiceRequest` of `opentelemetry.proto.collector.metrics.v1`.
//!
//! The messages of the OpenTelemetry crates have no public constructors or bring an SDK along, and
//! `prost` encodes a tree of messages, which would have to be built from each block of series. This
//! encoder needs no dependency, and writes the numbers of a block in one pass over it.
//!
//! The messages are defined in
//! <https://github.com/open-telemetry/opentelemetry-proto/tree/main/opentelemetry/proto>.
//!
//! A message begins with its length. So all points are encoded first, and the metrics around them when
//! the request is complete.

mod attributes;
mod exemplar;
mod exponential;
mod histogram;
mod metric;
mod point;
mod request;

#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;
use std::time::SystemTime;

use crate::encode::Buffer;
use crate::encode::wire::{put_bytes, put_message};
use crate::snapshot::SeriesBlock;
use attributes::put_attribute;
pub(crate) use exemplar::ExemplarTimes;
use metric::{Data, Metric};
use point::PointEncoder;
pub(crate) use point::end_of_interval;
use request::RequestParts;

/// The field numbers of the resource and of the scope.
mod field {
    /// In `ResourceMetrics`.
    pub(super) const RESOURCE: u8 = 1;
    pub(super) const RESOURCE_ATTRIBUTE: u8 = 1;
    /// In `ScopeMetrics`.
    pub(super) const SCOPE: u8 = 1;
    pub(super) const SCOPE_NAME: u8 = 1;
    pub(super) const SCOPE_VERSION: u8 = 2;
}

/// Whether the points of counters and histograms count from the creation of their series, or from
/// the last export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Temporality {
    /// From the creation of the series.
    Cumulative,
    /// From the last export.
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
    /// What all requests begin with: the resource and the scope.
    resource: Buffer,
    scope: Buffer,
    metrics: Vec<Metric>,
    /// The number of bytes of all metrics without their points.
    texts_len: usize,
    points: PointEncoder,
}

impl OtlpEncoder {
    /// Makes an encoder that sends the exemplars that were recorded in these times.
    pub(crate) fn new(settings: &OtlpSettings, exemplars: ExemplarTimes) -> Self {
        Self {
            resource: encode_resource(&settings.resource),
            scope: encode_scope(),
            metrics: Vec::new(),
            texts_len: 0,
            points: PointEncoder::new(settings.histograms, exemplars),
        }
    }

    /// Begins a request with values that are read at `time`.
    pub(crate) fn start_request(&mut self, time: SystemTime) {
        self.points.set_time(time);
    }

    /// Adds a point for each series of a block.
    pub(crate) fn add(&mut self, block: &SeriesBlock, temporality: Temporality) {
        if block.labels.is_empty() {
            return;
        }
        let data = self.points.data(block);
        let temporality = match data {
            // Both are sent as they are.
            Data::Gauge | Data::UpDownCounter => Temporality::Cumulative,
            Data::Counter | Data::Histogram | Data::ExponentialHistogram => temporality,
        };
        self.points.add(block, data, temporality);
        let points_end = self.points.written().len();
        match self.metrics.last_mut() {
            Some(last)
                if Arc::ptr_eq(&last.desc, &block.desc)
                    && (last.data, last.temporality) == (data, temporality) =>
            {
                last.points_end = points_end;
            }
            _ => {
                let metric = Metric {
                    desc: Arc::clone(&block.desc),
                    data,
                    temporality,
                    points_end,
                };
                self.texts_len += metric.len_without_points();
                self.metrics.push(metric);
            }
        }
    }

    /// Returns the number of points that were added since the last request.
    pub(crate) fn points(&self) -> usize {
        self.points.count()
    }

    /// Returns about how many bytes the request has.
    pub(crate) fn len(&self) -> usize {
        let start = self.resource.len() + self.scope.len();
        start + self.texts_len + self.points.written().len()
    }

    /// Ends the request. Returns `None` if nothing was added to it.
    pub(crate) fn take_request(&mut self) -> Option<Vec<u8>> {
        if self.metrics.is_empty() {
            return None;
        }
        let parts = RequestParts {
            resource: self.resource.written(),
            scope: self.scope.written(),
            metrics: &self.metrics,
            points: self.points.written(),
        };
        let request = parts.to_request();
        self.metrics.clear();
        self.texts_len = 0;
        self.points.clear();
        Some(request)
    }
}

fn encode_resource(attributes: &[(String, String)]) -> Buffer {
    let mut buffer = Buffer::default();
    put_message(&mut buffer, field::RESOURCE, &mut 2, |buffer| {
        for (name, value) in attributes {
            put_attribute(buffer, field::RESOURCE_ATTRIBUTE, name, value);
        }
    });
    buffer
}

/// Encodes the instrumentation scope: this crate.
fn encode_scope() -> Buffer {
    let mut buffer = Buffer::default();
    put_message(&mut buffer, field::SCOPE, &mut 2, |buffer| {
        put_bytes(buffer, field::SCOPE_NAME, env!("CARGO_PKG_NAME").as_bytes());
        let version = env!("CARGO_PKG_VERSION");
        put_bytes(buffer, field::SCOPE_VERSION, version.as_bytes());
    });
    buffer
}
