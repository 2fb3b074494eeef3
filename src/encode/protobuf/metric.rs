//! Encodes one series: the message `Metric` and the messages in it.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::encode::Buffer;
use crate::encode::protobuf::labels::{LabelEncoder, put_labels};
use crate::encode::protobuf::native::put_native;
use crate::encode::wire::{
    put_bytes_header, put_f64, put_message, put_u64, short_varint, varint_len,
};
use crate::snapshot::{Bounds, Escaping, Exemplar, HistogramView, SeriesBlock, Values};

/// The field numbers of these messages.
mod field {
    pub(super) const METRIC_LABEL: u8 = 1;
    pub(super) const METRIC_GAUGE: u8 = 2;
    pub(super) const METRIC_COUNTER: u8 = 3;
    pub(super) const METRIC_HISTOGRAM: u8 = 7;
    /// The same in `Gauge` and `Counter`.
    pub(super) const VALUE: u8 = 1;
    pub(super) const COUNTER_EXEMPLAR: u8 = 2;
    pub(super) const COUNTER_CREATED: u8 = 3;
    pub(super) const HISTOGRAM_COUNT: u8 = 1;
    pub(super) const HISTOGRAM_SUM: u8 = 2;
    pub(super) const HISTOGRAM_BUCKET: u8 = 3;
    pub(super) const HISTOGRAM_CREATED: u8 = 15;
    pub(super) const BUCKET_CUMULATIVE: u8 = 1;
    pub(super) const BUCKET_BOUND: u8 = 2;
    pub(super) const BUCKET_EXEMPLAR: u8 = 3;
    pub(super) const EXEMPLAR_LABEL: u8 = 1;
    pub(super) const EXEMPLAR_VALUE: u8 = 2;
    pub(super) const EXEMPLAR_TIMESTAMP: u8 = 3;
    pub(super) const TIMESTAMP_SECONDS: u8 = 1;
    pub(super) const TIMESTAMP_NANOS: u8 = 2;
}

/// Encodes series.
#[derive(Debug)]
pub(super) struct MetricEncoder {
    labels: LabelEncoder,
    /// Whether to write creation times.
    created: bool,
    bounds: Option<Bounds>,
    /// The bound of each bucket, including `+Inf`, as a field.
    bound_fields: Vec<BoundField>,
    /// The lengths of the headers of the last series and of its value.
    metric_header: usize,
    value_header: usize,
}

/// The field of a bound: a tag and eight bytes, and padding.
type BoundField = [u8; 16];
const BOUND_LEN: usize = 1 + size_of::<f64>();

impl MetricEncoder {
    pub(super) fn new(escaping: Escaping, created: bool) -> Self {
        Self {
            labels: LabelEncoder::new(escaping),
            created,
            bounds: None,
            bound_fields: Vec::new(),
            metric_header: 2,
            value_header: 2,
        }
    }

    /// Prepares for the series of a block.
    pub(super) fn start_block(&mut self, block: &SeriesBlock) {
        if let Values::Histogram(histograms) = &block.values
            && self.bounds.as_ref() != Some(&histograms.bounds)
        {
            let bounds = histograms.bounds.iter().chain(&[f64::INFINITY]);
            self.bound_fields = bounds.map(|bound| bound_field(*bound)).collect();
            self.bounds = Some(histograms.bounds.clone());
        }
    }

    /// Appends a field with the message of one series.
    pub(super) fn put(
        &mut self,
        buffer: &mut Buffer,
        field: u8,
        block: &SeriesBlock,
        series: usize,
    ) {
        let Self {
            labels,
            bound_fields,
            metric_header,
            value_header,
            created,
            ..
        } = self;
        let created = block.created_millis.get(series).filter(|_| *created);
        put_message(buffer, field, metric_header, |buffer| {
            if let Some(text) = block.labels.get(series) {
                labels.put(buffer, field::METRIC_LABEL, text);
            }
            let field = match &block.values {
                Values::Counter(_) => field::METRIC_COUNTER,
                Values::Gauge(_) => field::METRIC_GAUGE,
                Values::Histogram(_) => field::METRIC_HISTOGRAM,
            };
            put_message(buffer, field, value_header, |buffer| {
                put_value(buffer, block, series, bound_fields, created.copied());
            });
        });
    }
}

/// Appends the fields of a `Counter`, `Gauge` or `Histogram`.
fn put_value(
    buffer: &mut Buffer,
    block: &SeriesBlock,
    series: usize,
    bound_fields: &[BoundField],
    created: Option<u64>,
) {
    let exemplars = block.exemplars_for(series);
    match &block.values {
        Values::Counter(counts) => {
            put_f64(buffer, field::VALUE, counts[series].value());
            if let Some(exemplar) = exemplars.first() {
                put_exemplar(buffer, field::COUNTER_EXEMPLAR, exemplar);
            }
            put_created(buffer, field::COUNTER_CREATED, created);
        }
        Values::Gauge(numbers) => put_f64(buffer, field::VALUE, numbers[series]),
        Values::Histogram(histograms) => {
            if let Some(histogram) = histograms.get(series) {
                put_histogram(buffer, &histogram, exemplars, bound_fields);
                if let Some(native) = histogram.native() {
                    put_native(buffer, native);
                }
            }
            put_created(buffer, field::HISTOGRAM_CREATED, created);
        }
    }
}

fn put_histogram(
    buffer: &mut Buffer,
    histogram: &HistogramView<'_>,
    exemplars: &[Exemplar],
    bound_fields: &[BoundField],
) {
    put_u64(buffer, field::HISTOGRAM_COUNT, histogram.count());
    put_f64(buffer, field::HISTOGRAM_SUM, histogram.totals().sum);
    if !exemplars.is_empty() {
        return put_buckets_with_exemplars(buffer, histogram, exemplars, bound_fields);
    }
    buffer.put_with(MAX_BUCKET * bound_fields.len(), |target| {
        let (mut len, mut cumulative) = (0, 0);
        for (count, bound) in histogram.counts().iter().zip(bound_fields) {
            cumulative += count;
            len += write_bucket(&mut target[len..], cumulative, bound);
        }
        len
    });
}

/// The length of the slice that [`write_bucket`] needs.
const MAX_BUCKET: usize = 40;

/// Writes the field of a bucket without an exemplar to the start of a slice, and returns its
/// length.
#[inline]
fn write_bucket(target: &mut [u8], cumulative: u64, bound: &BoundField) -> usize {
    const MAX_FIVE_BYTES: u64 = (1 << 35) - 1;
    if cumulative > MAX_FIVE_BYTES {
        let mut field = Buffer::default();
        let count_len = 1 + varint_len(cumulative);
        put_bytes_header(&mut field, field::HISTOGRAM_BUCKET, count_len + BOUND_LEN);
        put_u64(&mut field, field::BUCKET_CUMULATIVE, cumulative);
        field.put_slice(&bound[..BOUND_LEN]);
        target[..field.len()].copy_from_slice(field.written());
        return field.len();
    }
    let (varint, varint_len) = short_varint(cumulative);
    // The default, 0, is left out. The length is at most 6; the mask shows the compiler that the
    // index below is in the array.
    let count_len = if cumulative == 0 { 0 } else { 1 + varint_len } & 7;
    let Some(target) = target.first_chunk_mut::<MAX_BUCKET>() else {
        return 0;
    };
    target[0] = field::HISTOGRAM_BUCKET << 3 | 2;
    // The length is at most 15, so it takes one byte.
    target[1] = (count_len + BOUND_LEN).to_le_bytes()[0];
    target[2] = field::BUCKET_CUMULATIVE << 3;
    target[3..11].copy_from_slice(&varint);
    target[2 + count_len..][..bound.len()].copy_from_slice(bound);
    2 + count_len + BOUND_LEN
}

#[cold]
fn put_buckets_with_exemplars(
    buffer: &mut Buffer,
    histogram: &HistogramView<'_>,
    exemplars: &[Exemplar],
    bound_fields: &[BoundField],
) {
    let buckets = histogram.cumulative().zip(bound_fields);
    for (position, ((_, cumulative), bound)) in buckets.enumerate() {
        put_message(buffer, field::HISTOGRAM_BUCKET, &mut 2, |buffer| {
            put_u64(buffer, field::BUCKET_CUMULATIVE, cumulative);
            buffer.put_slice(&bound[..BOUND_LEN]);
            if let Some(exemplar) = exemplars.iter().find(|e| e.bucket == position) {
                put_exemplar(buffer, field::BUCKET_EXEMPLAR, exemplar);
            }
        });
    }
}

fn bound_field(bound: f64) -> BoundField {
    let mut bytes = [0; 16];
    bytes[0] = field::BUCKET_BOUND << 3 | 1;
    bytes[1..BOUND_LEN].copy_from_slice(&bound.to_le_bytes());
    bytes
}

#[cold]
fn put_exemplar(buffer: &mut Buffer, field: u8, exemplar: &Exemplar) {
    put_message(buffer, field, &mut 2, |buffer| {
        // The names of exemplar labels are always classic.
        let labels = exemplar.labels.view();
        put_labels(buffer, field::EXEMPLAR_LABEL, labels, Escaping::Utf8);
        put_f64(buffer, field::EXEMPLAR_VALUE, exemplar.value);
        put_time(buffer, field::EXEMPLAR_TIMESTAMP, exemplar.timestamp);
    });
}

/// Appends the creation time of a series, in milliseconds since 1970, if it is known.
#[inline]
fn put_created(buffer: &mut Buffer, field: u8, created_millis: Option<u64>) {
    if let Some(millis) = created_millis {
        let nanos = millis % 1_000 * 1_000_000;
        put_timestamp(buffer, field, millis / 1_000, nanos);
    }
}

/// Appends a time, unless it is before 1970.
fn put_time(buffer: &mut Buffer, field: u8, time: SystemTime) {
    if let Ok(since_1970) = time.duration_since(UNIX_EPOCH) {
        let nanos = u64::from(since_1970.subsec_nanos());
        put_timestamp(buffer, field, since_1970.as_secs(), nanos);
    }
}

#[inline]
fn put_timestamp(buffer: &mut Buffer, field: u8, seconds: u64, nanos: u64) {
    let field_len = |number| {
        if number == 0 {
            0
        } else {
            1 + varint_len(number)
        }
    };
    put_bytes_header(buffer, field, field_len(seconds) + field_len(nanos));
    put_u64(buffer, field::TIMESTAMP_SECONDS, seconds);
    put_u64(buffer, field::TIMESTAMP_NANOS, nanos);
}
