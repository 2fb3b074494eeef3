//! Encodes native histograms: exponential buckets as spans, and each count as the difference to the
//! count before it.

use crate::encode::Buffer;
use crate::encode::wire::{
    MAX_FIELD, put_bytes_header, put_f64, put_sint, put_u64, varint_len, write_varint_field, zigzag,
};
use crate::snapshot::NativeBuckets;

/// The field numbers of `Histogram` for exponential buckets, and those of `BucketSpan`.
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

    /// The fields of the buckets with one sign.
    pub(super) struct BucketFields {
        pub(super) span: u8,
        pub(super) delta: u8,
    }
}

/// Appends the exponential buckets to a `Histogram`.
pub(super) fn put_native(buffer: &mut Buffer, buckets: &NativeBuckets) {
    put_sint(
        buffer,
        field::SCHEMA,
        i64::from(buckets.resolution.schema()),
    );
    // Never 0: Prometheus recognizes an empty native histogram by it.
    put_f64(buffer, field::ZERO_THRESHOLD, NativeBuckets::ZERO_THRESHOLD);
    put_u64(buffer, field::ZERO_COUNT, buckets.zero_count);
    put_buckets(buffer, &field::NEGATIVE, &buckets.negative);
    put_buckets(buffer, &field::POSITIVE, &buckets.positive);
}

fn put_buckets(buffer: &mut Buffer, fields: &field::BucketFields, buckets: &[(i32, u64)]) {
    let mut next = 0;
    for run in buckets.chunk_by(|one, other| one.0 + 1 == other.0) {
        let (Some((first, _)), Some((last, _))) = (run.first(), run.last()) else {
            continue;
        };
        // The first offset is relative to 0, the others to the end of the span before.
        let (offset, length) = (i64::from(first - next), run.len() as u64);
        let len = 2 + varint_len(zigzag(offset)) + varint_len(length);
        put_bytes_header(buffer, fields.span, len);
        put_sint(buffer, field::SPAN_OFFSET, offset);
        put_u64(buffer, field::SPAN_LENGTH, length);
        next = last + 1;
    }
    buffer.put_with(MAX_FIELD * buckets.len(), |target| {
        let (mut len, mut before) = (0, 0);
        for (_, count) in buckets {
            let delta = count.wrapping_sub(before).cast_signed();
            len += write_varint_field(&mut target[len..], fields.delta, zigzag(delta));
            before = *count;
        }
        len
    });
}
