//! Puts a request together.

use crate::encode::Buffer;
use crate::encode::otlp::metric::Metric;
use crate::encode::wire::{put_bytes_header, varint_len};

/// The field numbers of the messages around metrics.
mod field {
    pub(super) const REQUEST_RESOURCE_METRICS: u8 = 1;
    pub(super) const RESOURCE_METRICS_SCOPE_METRICS: u8 = 2;
    pub(super) const SCOPE_METRICS_METRIC: u8 = 2;
}

/// The encoded parts of a request, and its metrics.
pub(super) struct RequestParts<'a> {
    pub(super) resource: &'a [u8],
    pub(super) scope: &'a [u8],
    pub(super) metrics: &'a [Metric],
    /// The points of all metrics.
    pub(super) points: &'a [u8],
}

impl RequestParts<'_> {
    /// Encodes the request.
    pub(super) fn to_request(&self) -> Vec<u8> {
        // The lengths of outer messages come first, so the texts of all metrics are encoded first.
        let mut texts = Buffer::default();
        let mut lens = Vec::with_capacity(self.metrics.len());
        let mut metrics_len = 0;
        for (metric, points) in self.metrics_with_points() {
            let start = texts.len();
            metric.put_start(&mut texts, points.len());
            let text_len = texts.len() - start;
            let len = text_len + points.len() + metric.end().len();
            lens.push((text_len, len));
            metrics_len += field_len(len);
        }
        let scope_metrics_len = self.scope.len() + metrics_len;
        let resource_metrics_len = self.resource.len() + field_len(scope_metrics_len);
        let mut request = Vec::with_capacity(field_len(resource_metrics_len));
        let mut header = Buffer::default();
        let mut put_header = |request: &mut Vec<u8>, field, len| {
            header.clear();
            put_bytes_header(&mut header, field, len);
            request.extend_from_slice(header.written());
        };
        put_header(
            &mut request,
            field::REQUEST_RESOURCE_METRICS,
            resource_metrics_len,
        );
        request.extend_from_slice(self.resource);
        put_header(
            &mut request,
            field::RESOURCE_METRICS_SCOPE_METRICS,
            scope_metrics_len,
        );
        request.extend_from_slice(self.scope);
        let mut texts = texts.written();
        for ((metric, points), (text_len, len)) in self.metrics_with_points().zip(lens) {
            put_header(&mut request, field::SCOPE_METRICS_METRIC, len);
            let (text, after) = texts.split_at(text_len);
            texts = after;
            request.extend_from_slice(text);
            request.extend_from_slice(points);
            request.extend_from_slice(metric.end());
        }
        request
    }

    /// Returns each metric with its points.
    fn metrics_with_points(&self) -> impl Iterator<Item = (&Metric, &[u8])> {
        self.metrics.iter().scan(0, |start, metric| {
            let points = self.points.get(*start..metric.points_end)?;
            *start = metric.points_end;
            Some((metric, points))
        })
    }
}

/// Returns the length of a field with a value of `len` bytes.
fn field_len(len: usize) -> usize {
    1 + varint_len(len as u64) + len
}
