//! Encodes the points of histograms with classic buckets, which OTLP calls explicit.

use crate::encode::Buffer;
use crate::encode::otlp::Temporality;
use crate::encode::wire::{put_bytes, put_bytes_header, put_f64, put_fixed64};
use crate::snapshot::{Bounds, HistogramView};

/// The field numbers of `HistogramDataPoint`.
mod field {
    pub(super) const COUNT: u8 = 4;
    pub(super) const SUM: u8 = 5;
    pub(super) const BUCKET_COUNTS: u8 = 6;
    pub(super) const EXPLICIT_BOUNDS: u8 = 7;
    pub(super) const MIN: u8 = 11;
    pub(super) const MAX: u8 = 12;
}

/// Encodes histograms. It keeps the encoded bounds of the last block.
#[derive(Debug, Default)]
pub(super) struct ExplicitEncoder {
    bounds: Option<Bounds>,
    encoded_bounds: Vec<u8>,
}

impl ExplicitEncoder {
    /// Prepares for histograms with these bounds.
    pub(super) fn start_block(&mut self, bounds: &Bounds) {
        if self.bounds.as_ref() != Some(bounds) {
            let bytes = bounds.iter().flat_map(|bound| bound.to_le_bytes());
            self.encoded_bounds = bytes.collect();
            self.bounds = Some(bounds.clone());
        }
    }

    /// Appends the fields of a histogram.
    pub(super) fn put(
        &self,
        buffer: &mut Buffer,
        histogram: &HistogramView<'_>,
        temporality: Temporality,
    ) {
        let count = histogram.count();
        put_fixed64(buffer, field::COUNT, count);
        put_sum(buffer, field::SUM, histogram);
        let counts = histogram.counts();
        let len = size_of_val(counts);
        put_bytes_header(buffer, field::BUCKET_COUNTS, len);
        buffer.put_with(len, |target| {
            for (target, count) in target.chunks_exact_mut(8).zip(counts) {
                target.copy_from_slice(&count.to_le_bytes());
            }
            len
        });
        put_bytes(buffer, field::EXPLICIT_BOUNDS, &self.encoded_bounds);
        put_extremes(buffer, [field::MIN, field::MAX], histogram, temporality);
    }
}

/// Appends the sum, unless a value was negative or, if the minimum is unknown, a bucket with a negative
/// bound has a value. OTLP requires a sum that does not decrease.
#[inline]
pub(super) fn put_sum(buffer: &mut Buffer, field: u8, histogram: &HistogramView<'_>) {
    if !histogram.may_have_negative_values() {
        put_f64(buffer, field, histogram.totals().sum);
    }
}

/// Appends the minimum and the maximum, if there is a value and they are known. They are unknown for
/// an interval, and may be so for histograms of a collector.
#[inline]
pub(super) fn put_extremes(
    buffer: &mut Buffer,
    [min, max]: [u8; 2],
    histogram: &HistogramView<'_>,
    temporality: Temporality,
) {
    let has_values = histogram.counts().iter().any(|count| *count > 0);
    if temporality == Temporality::Cumulative && has_values {
        let totals = histogram.totals();
        for (field, number) in [(min, totals.min), (max, totals.max)] {
            if !number.is_nan() {
                put_f64(buffer, field, number);
            }
        }
    }
}
