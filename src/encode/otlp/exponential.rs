//! Encodes the points of exponential histograms.

use crate::encode::Buffer;
use crate::encode::otlp::Temporality;
use crate::encode::otlp::histogram::{put_extremes, put_sum};
use crate::encode::wire::{MAX_VARINT, put_f64, put_fixed64, put_message, put_sint, write_varint};
use crate::snapshot::{HistogramView, NativeBuckets};

/// The field numbers of `ExponentialHistogramDataPoint` and of its `Buckets`.
mod field {
    pub(super) const COUNT: u8 = 4;
    pub(super) const SUM: u8 = 5;
    pub(super) const SCALE: u8 = 6;
    pub(super) const ZERO_COUNT: u8 = 7;
    pub(super) const POSITIVE: u8 = 8;
    pub(super) const NEGATIVE: u8 = 9;
    pub(super) const MIN: u8 = 12;
    pub(super) const MAX: u8 = 13;
    pub(super) const ZERO_THRESHOLD: u8 = 14;
    pub(super) const BUCKETS_OFFSET: u8 = 1;
    pub(super) const BUCKETS_COUNTS: u8 = 2;
}

/// The maximum number of buckets with one sign, as in the SDKs of OpenTelemetry.
const MAX_BUCKETS: i64 = 160;

/// Encodes exponential histograms.
#[derive(Debug)]
pub(super) struct ExponentialEncoder {
    /// The lengths of the headers of the last buckets and of their counts.
    buckets_header: usize,
    counts_header: usize,
}

impl Default for ExponentialEncoder {
    fn default() -> Self {
        Self {
            buckets_header: 2,
            counts_header: 2,
        }
    }
}

impl ExponentialEncoder {
    /// Appends the fields of a histogram.
    pub(super) fn put(
        &mut self,
        buffer: &mut Buffer,
        histogram: &HistogramView<'_>,
        native: &NativeBuckets,
        temporality: Temporality,
    ) {
        // The number of values in these buckets. While values are recorded, that of the classic
        // ones may differ.
        put_fixed64(buffer, field::COUNT, native.count());
        put_sum(buffer, field::SUM, histogram);
        let halvings = halvings(native);
        let scale = i64::from(native.resolution.schema()) - i64::from(halvings);
        put_sint(buffer, field::SCALE, scale);
        put_fixed64(buffer, field::ZERO_COUNT, native.zero_count);
        self.put_buckets(buffer, field::POSITIVE, &native.positive, halvings);
        self.put_buckets(buffer, field::NEGATIVE, &native.negative, halvings);
        put_extremes(buffer, [field::MIN, field::MAX], histogram, temporality);
        put_f64(buffer, field::ZERO_THRESHOLD, NativeBuckets::ZERO_THRESHOLD);
    }

    /// Appends the buckets with one sign, including empty ones between others.
    fn put_buckets(
        &mut self,
        buffer: &mut Buffer,
        field: u8,
        buckets: &[(i32, u64)],
        halvings: u32,
    ) {
        let (Some((first, _)), Some((last, _))) = (buckets.first(), buckets.last()) else {
            return;
        };
        let offset = otlp_index(*first, halvings);
        let end = otlp_index(*last, halvings) + 1;
        put_message(buffer, field, &mut self.buckets_header, |buffer| {
            put_sint(buffer, field::BUCKETS_OFFSET, offset);
            let buckets_len = usize::try_from(end - offset).unwrap_or(0);
            let counts_header = &mut self.counts_header;
            put_message(buffer, field::BUCKETS_COUNTS, counts_header, |buffer| {
                buffer.put_with(MAX_VARINT * buckets_len, |target| {
                    write_counts(target, buckets, halvings)
                });
            });
        });
    }
}

/// Writes the counts of all buckets from the first to the last to the start of a slice, and returns
/// their length.
fn write_counts(target: &mut [u8], buckets: &[(i32, u64)], halvings: u32) -> usize {
    let (mut len, mut sum) = (0, 0);
    let mut bucket = buckets
        .first()
        .map_or(0, |(index, _)| otlp_index(*index, halvings));
    for (index, count) in buckets {
        let next = otlp_index(*index, halvings);
        while bucket < next {
            len += write_varint(&mut target[len..], sum);
            sum = 0;
            bucket += 1;
        }
        sum += count;
    }
    len + write_varint(&mut target[len..], sum)
}

/// Returns how often the resolution is halved so that neither sign has too many buckets.
fn halvings(native: &NativeBuckets) -> u32 {
    let fits = |buckets: &[(i32, u64)], halvings| match buckets {
        [(first, _), .., (last, _)] => {
            otlp_index(*last, halvings) - otlp_index(*first, halvings) < MAX_BUCKETS
        }
        _ => true,
    };
    let mut halvings = 0;
    while !(fits(&native.positive, halvings) && fits(&native.negative, halvings)) {
        halvings += 1;
    }
    halvings
}

/// Returns the index of a bucket in OTLP, which numbers buckets by their lower bound, after the
/// resolution was halved.
fn otlp_index(index: i32, halvings: u32) -> i64 {
    (i64::from(index) - 1) >> halvings
}
