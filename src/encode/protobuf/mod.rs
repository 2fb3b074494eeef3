//! Prometheus's protobuf format: delimited messages of the type
//! `io.prometheus.client.MetricFamily`.
//!
//! `prost` encodes a tree of messages, which would have to be built from each block of series.
//! This encoder writes the numbers of a block directly, one series at a time.
//!
//! It is the only format with native histograms. The messages are defined in
//! <https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto>.
//!
//! A message begins with its length, so it must be complete before any of it is sent. A family
//! whose message would exceed 28 KiB is therefore split into several messages, each with the name,
//! help and type; Prometheus accepts that. Prometheus treats all histograms of a message like the
//! first one, native or not, so histograms with and without exponential buckets are in separate
//! messages.

mod labels;
mod metric;
mod native;

#[cfg(test)]
mod tests;

use crate::encode::wire::{put_bytes, put_u64, put_varint};
use crate::encode::{Buffer, Encode};
use crate::snapshot::{Desc, Escaping, Kind, SeriesBlock, Values};
use metric::MetricEncoder;

/// A message is ended once its series take this many bytes. A scrape holds one message and one
/// chunk in memory.
const MAX_MESSAGE: usize = 28 * 1024;

/// The fields of a `MetricFamily`.
mod field {
    pub(super) const NAME: u8 = 1;
    pub(super) const HELP: u8 = 2;
    pub(super) const TYPE: u8 = 3;
    pub(super) const METRIC: u8 = 4;
    pub(super) const UNIT: u8 = 5;
}

/// Writes series as delimited protobuf.
#[derive(Debug)]
pub(crate) struct ProtobufEncoder {
    escaping: Escaping,
    /// The encoded name, help, type and unit of the current family.
    header: Buffer,
    /// The encoded series of the family that have not been written to the output yet.
    series: Buffer,
    /// Whether the current block has exponential buckets.
    is_native: bool,
    metric: MetricEncoder,
}

impl ProtobufEncoder {
    /// If `created` is set, counters and histograms have their creation time.
    pub(crate) fn new(escaping: Escaping, created: bool) -> Self {
        Self {
            escaping,
            header: Buffer::default(),
            series: Buffer::with_capacity(32 * 1024),
            is_native: false,
            metric: MetricEncoder::new(escaping, created),
        }
    }

    /// Writes the collected series as one message.
    fn flush(&mut self, buffer: &mut Buffer) {
        if self.series.len() > 0 {
            let length = self.header.len() + self.series.len();
            put_varint(buffer, length as u64);
            buffer.put_slice(self.header.written());
            buffer.put_slice(self.series.written());
            self.series.clear();
        }
    }

    fn start_family(&mut self, desc: &Desc) {
        let name = self.escaping.metric_name(desc.exposed_name());
        let header = &mut self.header;
        header.clear();
        put_bytes(header, field::NAME, name.as_bytes());
        put_bytes(header, field::HELP, desc.help().as_bytes());
        put_u64(header, field::TYPE, metric_type(desc.kind()));
        if let Some(unit) = desc.unit() {
            put_bytes(header, field::UNIT, unit.as_bytes());
        }
    }
}

impl Encode for ProtobufEncoder {
    fn start(&mut self, _page: &mut Buffer) {}

    fn block(&mut self, block: &SeriesBlock, buffer: &mut Buffer) {
        let is_native = matches!(&block.values, Values::Histogram(all) if !all.native.is_empty());
        if block.is_first || is_native != self.is_native {
            self.flush(buffer);
        }
        self.is_native = is_native;
        if block.is_first {
            self.start_family(&block.desc);
        }
        self.metric.start_block(block);
    }

    fn series(&mut self, block: &SeriesBlock, series: usize, buffer: &mut Buffer) {
        self.metric
            .put(&mut self.series, field::METRIC, block, series);
        if self.series.len() >= MAX_MESSAGE {
            self.flush(buffer);
        }
    }

    fn max_pending(&self) -> usize {
        MAX_MESSAGE
    }

    fn finish(&mut self, _truncated: bool, buffer: &mut Buffer) {
        self.flush(buffer);
    }
}

/// Returns the value of a kind in the enum `MetricType`.
fn metric_type(kind: Kind) -> u64 {
    match kind {
        Kind::Counter => 0,
        Kind::Gauge => 1,
        Kind::Histogram => 4,
    }
}
