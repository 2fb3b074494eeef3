//! Prometheus's protobuf format: delimited messages of the type
//! `io.prometheus.client.MetricFamily`.
//!
//! It is the one format that carries native histograms. The messages:
//! <https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto>.
//!
//! A message begins with its length, so that it has to be whole before any of it is
//! sent. A family that would make one of more than 28 KiB is therefore told in
//! several, each with its name, help and kind; Prometheus reads one after the other.
//! By its first histogram it takes all of a message to be native or not, so those with
//! exponential buckets share none with those without.

mod metric;
mod native;
mod wire;

use crate::encode::{Buffer, Encode};
use crate::snapshot::{Desc, Escaping, Kind, SeriesBlock, Values};
use metric::put_metric;
use wire::{put_bytes, put_u64, put_varint};

/// A family's message is ended once its series take so many bytes: with the page that
/// it then goes to, it is what a scrape holds.
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
    /// Name, help, kind and unit of the family under way.
    header: Buffer,
    /// Its series, as far as they have not been sent.
    series: Buffer,
    /// Whether the block under way has exponential buckets.
    native: bool,
    scratch: Scratch,
}

/// Messages within messages, whose lengths must be known before they are written.
#[derive(Debug, Default)]
struct Scratch {
    metric: Buffer,
    /// A metric's value: a counter, a histogram.
    value: Buffer,
    /// What lies in a value: an exemplar, a span.
    nested: Buffer,
}

impl ProtobufEncoder {
    pub(crate) fn new(escaping: Escaping) -> Self {
        Self {
            escaping,
            header: Buffer::default(),
            series: Buffer::with_capacity(32 * 1024),
            native: false,
            scratch: Scratch::default(),
        }
    }

    /// Sends the series that were collected, as one message.
    fn flush(&mut self, page: &mut Buffer) {
        if self.series.len() > 0 {
            let length = self.header.len() + self.series.len();
            put_varint(page, length as u64);
            page.put_slice(self.header.written());
            page.put_slice(self.series.written());
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

    fn block(&mut self, block: &SeriesBlock, page: &mut Buffer) {
        let native = matches!(&block.values, Values::Histogram(all) if !all.native.is_empty());
        if block.is_first || native != self.native {
            self.flush(page);
        }
        self.native = native;
        if block.is_first {
            self.start_family(&block.desc);
        }
    }

    fn series(&mut self, block: &SeriesBlock, series: usize, page: &mut Buffer) {
        put_metric(block, series, self.escaping, &mut self.scratch);
        let metric = self.scratch.metric.written();
        put_bytes(&mut self.series, field::METRIC, metric);
        if self.series.len() >= MAX_MESSAGE {
            self.flush(page);
        }
    }

    fn max_pending(&self) -> usize {
        MAX_MESSAGE
    }

    fn finish(&mut self, _cut: bool, page: &mut Buffer) {
        self.flush(page);
    }
}

/// Returns the number of a kind in the enumeration `MetricType`.
fn metric_type(kind: Kind) -> u64 {
    match kind {
        Kind::Counter => 0,
        Kind::Gauge => 1,
        Kind::Histogram => 4,
    }
}
