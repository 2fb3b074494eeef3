//! Encodes one series: the message `Metric` and the messages in it.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::encode::buffer::{Buffer, ShortText};
use crate::encode::protobuf::Scratch;
use crate::encode::protobuf::native::put_native;
use crate::encode::protobuf::wire::{
    bytes_field_len, for_each_varint_byte, put_bytes, put_bytes_header, put_f64, put_u64,
    varint_len,
};
use crate::snapshot::{Escaping, Exemplar, HistogramView, Labels, SeriesBlock, Values};

/// The field numbers of these messages.
mod field {
    pub(super) const METRIC_LABEL: u8 = 1;
    pub(super) const METRIC_GAUGE: u8 = 2;
    pub(super) const METRIC_COUNTER: u8 = 3;
    pub(super) const METRIC_HISTOGRAM: u8 = 7;
    pub(super) const LABEL_NAME: u8 = 1;
    pub(super) const LABEL_VALUE: u8 = 2;
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

/// Sets `scratch.metric` to the message of one series.
pub(super) fn put_metric(
    block: &SeriesBlock,
    series: usize,
    escaping: Escaping,
    scratch: &mut Scratch,
) {
    let Scratch {
        metric,
        value,
        nested: part,
    } = scratch;
    metric.clear();
    value.clear();
    if let Some(labels) = block.labels.get(series) {
        // No scheme changes classic names.
        let is_classic = block.desc.is_classic();
        let escaping = if is_classic { Escaping::Utf8 } else { escaping };
        put_labels(metric, field::METRIC_LABEL, labels, escaping);
    }
    let exemplars = block.exemplars_for(series);
    let created = block.created_millis.get(series).copied();
    let field = match &block.values {
        Values::Counter(counts) => {
            put_f64(value, field::VALUE, counts[series].value());
            if let Some(exemplar) = exemplars.first() {
                put_exemplar(value, field::COUNTER_EXEMPLAR, exemplar);
            }
            put_created(value, field::COUNTER_CREATED, created);
            field::METRIC_COUNTER
        }
        Values::Gauge(numbers) => {
            put_f64(value, field::VALUE, numbers[series]);
            field::METRIC_GAUGE
        }
        Values::Histogram(histograms) => {
            if let Some(histogram) = histograms.get(series) {
                put_histogram(value, &histogram, exemplars);
                if let Some(native) = histogram.native() {
                    put_native(value, native, part);
                }
            }
            put_created(value, field::HISTOGRAM_CREATED, created);
            field::METRIC_HISTOGRAM
        }
    };
    put_bytes(metric, field, value.written());
}

fn put_labels(buffer: &mut Buffer, field: u8, labels: &Labels, escaping: Escaping) {
    for (name, value) in labels.pairs() {
        let name = escaping.label_name(&name);
        put_bytes_header(
            buffer,
            field,
            bytes_field_len(name.len()) + bytes_field_len(value.len()),
        );
        put_bytes(buffer, field::LABEL_NAME, name.as_bytes());
        put_bytes(buffer, field::LABEL_VALUE, value.as_bytes());
    }
}

fn put_histogram(buffer: &mut Buffer, histogram: &HistogramView<'_>, exemplars: &[Exemplar]) {
    put_u64(buffer, field::HISTOGRAM_COUNT, histogram.count());
    put_f64(buffer, field::HISTOGRAM_SUM, histogram.totals().sum);
    if exemplars.is_empty() {
        for (bound, cumulative) in histogram.cumulative() {
            buffer.put_short_text(&bucket(bound, cumulative));
        }
        return;
    }
    for (position, (bound, cumulative)) in histogram.cumulative().enumerate() {
        let mut bucket = Buffer::default();
        bucket.put_short_text(&bucket_fields(bound, cumulative));
        if let Some(exemplar) = exemplars.iter().find(|e| e.bucket == position) {
            put_exemplar(&mut bucket, field::BUCKET_EXEMPLAR, exemplar);
        }
        put_bytes(buffer, field::HISTOGRAM_BUCKET, bucket.written());
    }
}

/// Returns the field of a bucket without an exemplar.
#[inline]
fn bucket(bound: f64, cumulative: u64) -> ShortText {
    let count = if cumulative == 0 {
        0
    } else {
        1 + varint_len(cumulative)
    };
    let mut bytes = ShortText::default();
    bytes.push(field::HISTOGRAM_BUCKET << 3 | 2);
    // The length is at most 20, so it takes one byte.
    bytes.push((count + 1 + size_of::<f64>()).to_le_bytes()[0]);
    push_bucket(&mut bytes, bound, cumulative);
    bytes
}

fn bucket_fields(bound: f64, cumulative: u64) -> ShortText {
    let mut bytes = ShortText::default();
    push_bucket(&mut bytes, bound, cumulative);
    bytes
}

#[inline]
fn push_bucket(bytes: &mut ShortText, bound: f64, cumulative: u64) {
    if cumulative != 0 {
        bytes.push(field::BUCKET_CUMULATIVE << 3);
        for_each_varint_byte(cumulative, |byte| bytes.push(byte));
    }
    bytes.push(field::BUCKET_BOUND << 3 | 1);
    bytes.push_eight(bound.to_le_bytes());
}

#[cold]
fn put_exemplar(buffer: &mut Buffer, field: u8, exemplar: &Exemplar) {
    let mut message = Buffer::default();
    // The names of exemplar labels are always classic.
    let labels = &exemplar.labels;
    put_labels(&mut message, field::EXEMPLAR_LABEL, labels, Escaping::Utf8);
    put_f64(&mut message, field::EXEMPLAR_VALUE, exemplar.value);
    put_time(&mut message, field::EXEMPLAR_TIMESTAMP, exemplar.timestamp);
    put_bytes(buffer, field, message.written());
}

/// Appends the creation time of a series, in milliseconds since 1970, if it is known.
fn put_created(buffer: &mut Buffer, field: u8, created_millis: Option<u64>) {
    if let Some(millis) = created_millis {
        let nanos = millis % 1_000 * 1_000_000;
        buffer.put_short_text(&timestamp(field, millis / 1_000, nanos));
    }
}

/// Appends a time, unless it is before 1970.
fn put_time(buffer: &mut Buffer, field: u8, time: SystemTime) {
    if let Ok(since_1970) = time.duration_since(UNIX_EPOCH) {
        let nanos = u64::from(since_1970.subsec_nanos());
        buffer.put_short_text(&timestamp(field, since_1970.as_secs(), nanos));
    }
}

/// Returns the field of a time.
fn timestamp(field: u8, seconds: u64, nanos: u64) -> ShortText {
    let numbers = [
        (field::TIMESTAMP_SECONDS, seconds),
        (field::TIMESTAMP_NANOS, nanos),
    ];
    let numbers = numbers.into_iter().filter(|(_, number)| *number != 0);
    let len: usize = numbers
        .clone()
        .map(|(_, number)| 1 + varint_len(number))
        .sum();
    let mut bytes = ShortText::default();
    bytes.push(field << 3 | 2);
    // The length is at most 22, so it takes one byte.
    bytes.push(len.to_le_bytes()[0]);
    for (field, number) in numbers {
        bytes.push(field << 3);
        for_each_varint_byte(number, |byte| bytes.push(byte));
    }
    bytes
}
