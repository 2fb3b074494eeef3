//! Encodes the points of a block, and those of counters and gauges.

use std::time::SystemTime;

use crate::encode::Buffer;
use crate::encode::otlp::attributes::AttributeEncoder;
use crate::encode::otlp::exemplar::{ExemplarTimes, put_exemplar};
use crate::encode::otlp::exponential::ExponentialEncoder;
use crate::encode::otlp::histogram::ExplicitEncoder;
use crate::encode::otlp::metric::Data;
use crate::encode::otlp::{HistogramEncoding, Temporality};
use crate::encode::wire::{put_f64, put_fixed64, put_message};
use crate::snapshot::{Count, SeriesBlock, Values, unix_millis};

/// The field numbers of points.
mod field {
    /// The same in all messages with points.
    pub(super) const POINT: u8 = 1;
    /// The same in all points.
    pub(super) const START_TIME: u8 = 2;
    pub(super) const TIME: u8 = 3;
    pub(super) const DOUBLE: u8 = 4;
    pub(super) const INTEGER: u8 = 6;
}

/// Encodes points, and collects those of a request.
#[derive(Debug)]
pub(super) struct PointEncoder {
    count: usize,
    histograms: HistogramEncoding,
    /// When the values were read, in milliseconds since 1970.
    time_millis: u64,
    exemplars: ExemplarTimes,
    attributes: AttributeEncoder,
    explicit: ExplicitEncoder,
    exponential: ExponentialEncoder,
    /// The length of the header of the last point.
    header_len: usize,
    /// The points of a block.
    block: Buffer,
    /// All points. A vector grows without being filled with zeros, as a buffer is.
    encoded: Vec<u8>,
}

/// Returns the end of the interval of a point, in milliseconds since 1970: the time at which the
/// values were read. It is later if the series was created after that time. An interval without a
/// length would mean that its start is unknown.
pub(crate) fn end_of_interval(time_millis: u64, start_millis: u64) -> u64 {
    time_millis.max(start_millis.saturating_add(1))
}

impl PointEncoder {
    pub(super) fn new(histograms: HistogramEncoding, exemplars: ExemplarTimes) -> Self {
        Self {
            count: 0,
            histograms,
            time_millis: 0,
            exemplars,
            attributes: AttributeEncoder::default(),
            explicit: ExplicitEncoder::default(),
            exponential: ExponentialEncoder::default(),
            header_len: 2,
            block: Buffer::default(),
            encoded: Vec::new(),
        }
    }

    /// Sets when the values of the next points are read.
    pub(super) fn set_time(&mut self, time: SystemTime) {
        self.time_millis = unix_millis(time);
    }

    /// Returns the kind of points that the series of a block have.
    pub(super) fn data(&self, block: &SeriesBlock) -> Data {
        let semantic = block.desc.semantic_names();
        match &block.values {
            Values::Counter(_) => Data::Counter,
            Values::Gauge(_) if semantic.is_some_and(|names| names.unit.is_some()) => {
                Data::UpDownCounter
            }
            Values::Gauge(_) => Data::Gauge,
            Values::Histogram(all)
                if self.histograms == HistogramEncoding::Exponential && !all.native.is_empty() =>
            {
                Data::ExponentialHistogram
            }
            Values::Histogram(_) => Data::Histogram,
        }
    }

    /// Appends a point for each series of a block.
    pub(super) fn add(&mut self, block: &SeriesBlock, data: Data, temporality: Temporality) {
        self.attributes
            .start_block(&block.desc, data.attribute_field());
        if let Values::Histogram(all) = &block.values {
            self.explicit.start_block(&all.bounds);
        }
        let series = block.labels.len();
        self.count += series;
        for series in 0..series {
            self.put(block, series, data, temporality);
        }
        self.encoded.extend_from_slice(self.block.written());
        self.block.clear();
    }

    fn put(&mut self, block: &SeriesBlock, series: usize, data: Data, temporality: Temporality) {
        let Self {
            attributes,
            explicit,
            exponential,
            ..
        } = self;
        let (time_millis, exemplars) = (self.time_millis, self.exemplars);
        put_message(
            &mut self.block,
            field::POINT,
            &mut self.header_len,
            |buffer| {
                if let Some(labels) = block.labels.get(series) {
                    attributes.put(buffer, labels);
                }
                let created = block.created_millis.get(series).copied();
                put_interval(buffer, created, time_millis, data);
                match &block.values {
                    Values::Counter(counts) => put_count(buffer, counts[series]),
                    Values::Gauge(numbers) => put_f64(buffer, field::DOUBLE, numbers[series]),
                    Values::Histogram(all) => {
                        if let Some(histogram) = all.get(series) {
                            match (data, histogram.native()) {
                                (Data::ExponentialHistogram, Some(native)) => {
                                    exponential.put(buffer, &histogram, native, temporality);
                                }
                                _ => explicit.put(buffer, &histogram, temporality),
                            }
                        }
                    }
                }
                for exemplar in block.exemplars_for(series) {
                    if exemplars.contains(exemplar.timestamp) {
                        put_exemplar(buffer, data.exemplar_field(), exemplar);
                    }
                }
            },
        );
    }

    /// Returns the number of points.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Returns all points.
    pub(super) fn written(&self) -> &[u8] {
        &self.encoded
    }

    /// Removes all points.
    pub(super) fn clear(&mut self) {
        self.count = 0;
        self.encoded.clear();
    }
}

/// Appends the start and the end of a point's interval.
#[inline]
fn put_interval(buffer: &mut Buffer, created_millis: Option<u64>, time_millis: u64, data: Data) {
    if let Some(start) = created_millis.filter(|start| *start > 0 && data != Data::Gauge) {
        let end = end_of_interval(time_millis, start);
        let mut fields = [0; 18];
        fields[0] = field::START_TIME << 3 | 1;
        fields[1..9].copy_from_slice(&nanos(start).to_le_bytes());
        fields[9] = field::TIME << 3 | 1;
        fields[10..].copy_from_slice(&nanos(end).to_le_bytes());
        buffer.put_slice(&fields);
        return;
    }
    put_fixed64(buffer, field::TIME, nanos(time_millis));
}

/// Appends the value of a counter, as an integer if it is one.
#[inline]
fn put_count(buffer: &mut Buffer, count: Count) {
    match i64::try_from(count.whole) {
        Ok(_) if count.fraction == 0.0 => put_fixed64(buffer, field::INTEGER, count.whole),
        _ => put_f64(buffer, field::DOUBLE, count.value()),
    }
}

fn nanos(millis: u64) -> u64 {
    millis.saturating_mul(1_000_000)
}
