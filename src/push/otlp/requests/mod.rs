//! Reads a registry as a sequence of requests.

#[cfg(test)]
mod tests;

use std::fmt;
use std::io::Write;
use std::mem;
use std::time::SystemTime;

use bytes::Bytes;
use flate2::write::GzEncoder;

use crate::encode::{ExemplarTimes, OtlpEncoder, OtlpSettings, Temporality};
use crate::push::otlp::Compression;
use crate::push::otlp::delta::{PendingBaselines, SharedBaselines};
use crate::registry::{BlockReader, Delivery, Registry};
use crate::snapshot::SeriesBlock;

/// The maximum number of points in a request.
pub(super) const MAX_POINTS: usize = 10_000;

/// A request ends when it has this many bytes, before compression. Receivers have limits, and
/// points with many buckets or long labels are large.
const MAX_BYTES: usize = 1 << 20;

/// How a registry is encoded.
#[derive(Debug, Clone)]
pub(super) struct RequestSettings {
    pub(super) registry: Registry,
    pub(super) otlp: OtlpSettings,
    pub(super) temporality: Temporality,
    /// Used if the temporality is delta.
    pub(super) baselines: SharedBaselines,
    pub(super) compression: Compression,
}

/// Reads a registry once, and encodes one request after the other.
///
/// Its methods run collectors and may take long, so they are called on a thread for blocking work.
pub(super) struct Requests {
    reader: BlockReader,
    delivery: Delivery,
    encoder: OtlpEncoder,
    temporality: Temporality,
    baselines: SharedBaselines,
    /// Those of the last request.
    pending: PendingBaselines,
    /// Whether the last request was accepted.
    is_accepted: bool,
    compression: Compression,
    /// A block that did not fit into the request before.
    block: Option<SeriesBlock>,
}

/// The body of a request.
#[derive(Debug, Clone)]
pub(super) struct RequestBody {
    pub(super) bytes: Bytes,
    pub(super) is_gzip: bool,
}

impl Requests {
    pub(super) fn new(settings: RequestSettings, exemplars_since: Option<SystemTime>) -> Self {
        let (reader, delivery) = settings.registry.reader_for_delivery();
        let exemplars = ExemplarTimes {
            since: exemplars_since,
            before: reader.read_at(),
        };
        Self {
            encoder: OtlpEncoder::new(&settings.otlp, exemplars),
            pending: PendingBaselines::default(),
            reader,
            delivery,
            temporality: settings.temporality,
            baselines: settings.baselines,
            is_accepted: false,
            compression: settings.compression,
            block: None,
        }
    }

    /// Returns when the export started. Exemplars that are recorded later are left to the next one.
    pub(super) fn read_at(&self) -> SystemTime {
        self.reader.read_at()
    }

    /// Encodes the next request, or returns `None` at the end of the registry.
    pub(super) fn next_request(&mut self) -> Option<RequestBody> {
        self.next_request_at(SystemTime::now)
    }

    /// Encodes the next request with the time of this clock. The points of a request have the time
    /// at which it begins: the requests before may have been sent again and again.
    fn next_request_at(&mut self, now: impl Fn() -> SystemTime) -> Option<RequestBody> {
        if mem::take(&mut self.is_accepted) {
            self.baselines.accept(mem::take(&mut self.pending));
        }
        let time = now();
        self.encoder.start_request(time);
        self.pending = PendingBaselines::new(time);
        let mut is_first = true;
        while let Some(mut block) = self.next_block() {
            if !mem::take(&mut is_first) && self.is_full(&block) {
                self.block = Some(block);
                break;
            }
            if self.temporality == Temporality::Delta {
                self.baselines.subtract(&mut block, &mut self.pending);
            }
            self.encoder.add(&block, self.temporality);
        }
        let Some(bytes) = self.encoder.take_request() else {
            self.baselines.finish_read();
            return None;
        };
        Some(match self.compression {
            Compression::None => RequestBody::plain(bytes),
            Compression::Gzip => RequestBody::gzip(bytes),
        })
    }

    /// Returns true if the request has no space for a block.
    fn is_full(&self, block: &SeriesBlock) -> bool {
        let points = self.encoder.points() + block.labels.len();
        points > MAX_POINTS || self.encoder.len() >= MAX_BYTES
    }

    /// Returns the next block.
    fn next_block(&mut self) -> Option<SeriesBlock> {
        self.block.take().or_else(|| self.reader.next())
    }

    /// Records that the last request was accepted. The next call of
    /// [`next_request`](Self::next_request) moves its baselines, so there must be one.
    pub(super) fn accept_request(&mut self) {
        self.is_accepted = true;
    }

    /// Records that all requests were accepted.
    pub(super) fn complete_delivery(self) {
        self.delivery.complete();
    }
}

impl RequestBody {
    fn plain(bytes: Vec<u8>) -> Self {
        Self {
            bytes: bytes.into(),
            is_gzip: false,
        }
    }

    fn gzip(bytes: Vec<u8>) -> Self {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
        match encoder.write_all(&bytes).and_then(|()| encoder.finish()) {
            Ok(compressed) => Self {
                bytes: compressed.into(),
                is_gzip: true,
            },
            // Writing to a vector does not fail.
            Err(_) => Self::plain(bytes),
        }
    }
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Requests").finish_non_exhaustive()
    }
}
