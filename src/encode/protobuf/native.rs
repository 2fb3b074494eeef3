//! A native histogram: exponential buckets as spans, and each count as how much it
//! differs from the one before.

use crate::encode::Buffer;
use crate::encode::protobuf::wire::{put_bytes, put_f64, put_sint, put_u64};
use crate::snapshot::NativeBuckets;

/// The fields of a `Histogram` that are about exponential buckets, and those of a
/// `BucketSpan`.
mod field {
    pub(super) const SCHEMA: u8 = 5;
    pub(super) const ZERO_THRESHOLD: u8 = 6;
    pub(super) const ZERO_COUNT: u8 = 7;
    pub(super) const NEGATIVE: BucketFields = BucketFields { span: 9, delta: 10 };
    pub(super) const POSITIVE: BucketFields = BucketFields {
        span: 12,
        delta: 13,
    };
    pub(super) const SPAN_OFFSET: u8 = 1;
    pub(super) const SPAN_LENGTH: u8 = 2;

    /// The fields of one sign's buckets.
    pub(super) struct BucketFields {
        pub(super) span: u8,
        pub(super) delta: u8,
    }
}

/// Appends the exponential buckets to a `Histogram`.
pub(super) fn put_native(page: &mut Buffer, buckets: &NativeBuckets, part: &mut Buffer) {
    put_sint(page, field::SCHEMA, i64::from(buckets.resolution.schema()));
    // Never 0: by it Prometheus knows a native histogram that is empty.
    put_f64(page, field::ZERO_THRESHOLD, NativeBuckets::ZERO_THRESHOLD);
    put_u64(page, field::ZERO_COUNT, buckets.zero_count);
    put_buckets(page, &field::NEGATIVE, &buckets.negative, part);
    put_buckets(page, &field::POSITIVE, &buckets.positive, part);
}

fn put_buckets(
    page: &mut Buffer,
    side: &field::BucketFields,
    buckets: &[(i32, u64)],
    part: &mut Buffer,
) {
    let mut next = 0;
    for run in buckets.chunk_by(|one, other| one.0 + 1 == other.0) {
        let (Some((first, _)), Some((last, _))) = (run.first(), run.last()) else {
            continue;
        };
        part.clear();
        // Of the first span from 0, of others from the end of the one before.
        put_sint(part, field::SPAN_OFFSET, i64::from(first - next));
        put_u64(part, field::SPAN_LENGTH, run.len() as u64);
        put_bytes(page, side.span, part.written());
        next = last + 1;
    }
    let mut before = 0;
    for (_, count) in buckets {
        put_sint(page, side.delta, count.wrapping_sub(before).cast_signed());
        before = *count;
    }
}
