//! One series: the message `Metric` and what lies in it.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::encode::Page;
use crate::encode::protobuf::Scratch;
use crate::encode::protobuf::native::put_native;
use crate::encode::protobuf::wire::{put_bytes, put_f64, put_u64};
use crate::snapshot::{Block, Escaping, Exemplar, HistogramView, Labels, Values};

/// The fields of these messages, by their names there.
mod field {
    pub(super) const METRIC_LABEL: u8 = 1;
    pub(super) const METRIC_GAUGE: u8 = 2;
    pub(super) const METRIC_COUNTER: u8 = 3;
    pub(super) const METRIC_HISTOGRAM: u8 = 7;
    pub(super) const LABEL_NAME: u8 = 1;
    pub(super) const LABEL_VALUE: u8 = 2;
    /// Of a gauge as of a counter.
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

/// Makes `scratch.metric` the message of one series.
pub(super) fn put_metric(block: &Block, series: usize, escaping: Escaping, scratch: &mut Scratch) {
    let Scratch {
        metric,
        value,
        part,
    } = scratch;
    metric.clear();
    value.clear();
    if let Some(labels) = block.labels.get(series) {
        put_labels(metric, field::METRIC_LABEL, labels, escaping, part);
    }
    let exemplars = block.exemplars_of(series);
    let since = block.since.get(series).copied();
    let field = match &block.values {
        Values::Counter(counts) => {
            put_f64(value, field::VALUE, counts[series].value());
            if let Some(exemplar) = exemplars.first() {
                put_exemplar(value, field::COUNTER_EXEMPLAR, exemplar, part);
            }
            put_created(value, field::COUNTER_CREATED, since, part);
            field::METRIC_COUNTER
        }
        Values::Gauge(numbers) => {
            put_f64(value, field::VALUE, numbers[series]);
            field::METRIC_GAUGE
        }
        Values::Histogram(histograms) => {
            if let Some(histogram) = histograms.get(series) {
                put_histogram(value, &histogram, exemplars, part);
                if let Some(native) = histogram.native() {
                    put_native(value, native, part);
                }
            }
            put_created(value, field::HISTOGRAM_CREATED, since, part);
            field::METRIC_HISTOGRAM
        }
    };
    put_bytes(metric, field, value.written());
}

fn put_labels(page: &mut Page, field: u8, labels: &Labels, escaping: Escaping, part: &mut Page) {
    for (name, value) in labels.pairs() {
        part.clear();
        put_bytes(part, field::LABEL_NAME, escaping.label(&name).as_bytes());
        put_bytes(part, field::LABEL_VALUE, value.as_bytes());
        put_bytes(page, field, part.written());
    }
}

fn put_histogram(
    page: &mut Page,
    histogram: &HistogramView<'_>,
    exemplars: &[Exemplar],
    part: &mut Page,
) {
    put_u64(page, field::HISTOGRAM_COUNT, histogram.count());
    put_f64(page, field::HISTOGRAM_SUM, histogram.totals().sum);
    let mut exemplars = exemplars.iter().peekable();
    for (bucket, (bound, up_to)) in histogram.cumulative().enumerate() {
        part.clear();
        put_u64(part, field::BUCKET_CUMULATIVE, up_to);
        put_f64(part, field::BUCKET_BOUND, bound);
        if let Some(exemplar) = exemplars.next_if(|exemplar| exemplar.bucket == bucket) {
            put_exemplar(part, field::BUCKET_EXEMPLAR, exemplar, &mut Page::default());
        }
        put_bytes(page, field::HISTOGRAM_BUCKET, part.written());
    }
}

#[cold]
fn put_exemplar(page: &mut Page, field: u8, exemplar: &Exemplar, part: &mut Page) {
    let mut message = Page::default();
    // The names of an exemplar's labels are always classic.
    let labels = &exemplar.labels;
    put_labels(
        &mut message,
        field::EXEMPLAR_LABEL,
        labels,
        Escaping::Utf8,
        part,
    );
    put_f64(&mut message, field::EXEMPLAR_VALUE, exemplar.value);
    put_time(
        &mut message,
        field::EXEMPLAR_TIMESTAMP,
        exemplar.timestamp,
        part,
    );
    put_bytes(page, field, message.written());
}

/// Appends since when a series counts, in milliseconds after 1970, where it is known.
fn put_created(page: &mut Page, field: u8, since: Option<u64>, part: &mut Page) {
    if let Some(millis) = since {
        let nanos = millis % 1_000 * 1_000_000;
        put_timestamp(page, field, millis / 1_000, nanos, part);
    }
}

/// Appends a time; none where the clock stood before 1970.
fn put_time(page: &mut Page, field: u8, time: SystemTime, part: &mut Page) {
    if let Ok(since_1970) = time.duration_since(UNIX_EPOCH) {
        let nanos = u64::from(since_1970.subsec_nanos());
        put_timestamp(page, field, since_1970.as_secs(), nanos, part);
    }
}

fn put_timestamp(page: &mut Page, field: u8, seconds: u64, nanos: u64, part: &mut Page) {
    part.clear();
    put_u64(part, field::TIMESTAMP_SECONDS, seconds);
    put_u64(part, field::TIMESTAMP_NANOS, nanos);
    put_bytes(page, field, part.written());
}
