//! Encodes a metric: what all its points have in common.

use std::sync::Arc;

use crate::encode::Buffer;
use crate::encode::otlp::Temporality;
use crate::encode::wire::{put_bytes, put_bytes_header};
use crate::snapshot::{Desc, is_classic_metric};

/// The field numbers of `Metric` and of the messages with its points.
mod field {
    pub(super) const NAME: u8 = 1;
    pub(super) const DESCRIPTION: u8 = 2;
    pub(super) const UNIT: u8 = 3;
    pub(super) const GAUGE: u8 = 5;
    pub(super) const SUM: u8 = 7;
    pub(super) const HISTOGRAM: u8 = 9;
    pub(super) const EXPONENTIAL_HISTOGRAM: u8 = 10;
    /// The same in `Sum`, `Histogram` and `ExponentialHistogram`.
    pub(super) const TEMPORALITY: u8 = 2;
    pub(super) const SUM_IS_MONOTONIC: u8 = 3;
}

/// A metric of a request.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) desc: Arc<Desc>,
    pub(super) data: Data,
    pub(super) temporality: Temporality,
    /// Where its points end in those of all metrics.
    pub(super) points_end: usize,
}

/// The kind of points that a metric has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Data {
    Counter,
    /// A sum that increases and decreases.
    UpDownCounter,
    Gauge,
    Histogram,
    ExponentialHistogram,
}

impl Data {
    /// Returns the field number of an attribute of a point.
    pub(super) fn attribute_field(self) -> u8 {
        match self {
            Self::Counter | Self::UpDownCounter | Self::Gauge => 7,
            Self::Histogram => 9,
            Self::ExponentialHistogram => 1,
        }
    }

    /// Returns the field number of an exemplar of a point.
    pub(super) fn exemplar_field(self) -> u8 {
        match self {
            Self::Counter | Self::UpDownCounter | Self::Gauge => 5,
            Self::Histogram => 8,
            Self::ExponentialHistogram => 11,
        }
    }
}

impl Metric {
    /// Appends what comes before the points, which have `points_len` bytes.
    pub(super) fn put_start(&self, buffer: &mut Buffer, points_len: usize) {
        put_bytes(buffer, field::NAME, metric_name(&self.desc).as_bytes());
        put_bytes(buffer, field::DESCRIPTION, self.desc.help().as_bytes());
        if let Some(unit) = unit(&self.desc) {
            put_bytes(buffer, field::UNIT, unit.as_bytes());
        }
        let field = match self.data {
            Data::Gauge => field::GAUGE,
            Data::Counter | Data::UpDownCounter => field::SUM,
            Data::Histogram => field::HISTOGRAM,
            Data::ExponentialHistogram => field::EXPONENTIAL_HISTOGRAM,
        };
        put_bytes_header(buffer, field, points_len + self.end().len());
    }

    /// Returns about how many bytes the metric has without its points.
    pub(super) fn len_without_points(&self) -> usize {
        /// The tags and the lengths of five fields, as long as these have less than 16 KiB.
        const HEADERS: usize = 5 * 3;
        let unit_len = unit(&self.desc).map_or(0, str::len);
        let texts_len = metric_name(&self.desc).len() + self.desc.help().len() + unit_len;
        HEADERS + texts_len + self.end().len()
    }

    /// Returns what comes after the points: the temporality, and whether a sum is monotonic.
    pub(super) fn end(&self) -> &'static [u8] {
        const TEMPORALITY: u8 = field::TEMPORALITY << 3;
        const MONOTONIC: u8 = field::SUM_IS_MONOTONIC << 3;
        match (self.data, self.temporality) {
            (Data::Gauge, _) => &[],
            (Data::Counter, Temporality::Delta) => &[TEMPORALITY, 1, MONOTONIC, 1],
            (Data::Counter, Temporality::Cumulative) => &[TEMPORALITY, 2, MONOTONIC, 1],
            (_, Temporality::Delta) => &[TEMPORALITY, 1],
            (_, Temporality::Cumulative) => &[TEMPORALITY, 2],
        }
    }
}

/// Returns the name in OTLP: the semantic one, or else that of a scrape.
///
/// The name of a counter ends in `_total`, which receivers that translate names for Prometheus do
/// not append again. A counter whose name has dots is named in OpenTelemetry's style, and keeps its
/// registered name.
pub(super) fn metric_name(desc: &Desc) -> &str {
    match desc.semantic_names() {
        Some(names) => names.metric,
        None if is_classic_metric(desc.name()) => desc.exposed_name(),
        None => desc.name(),
    }
}

/// Returns the unit, as a symbol of the Unified Code for Units of Measure.
pub(super) fn unit(desc: &Desc) -> Option<&'static str> {
    let Some(unit) = desc.unit() else {
        return desc.semantic_names()?.unit;
    };
    Some(match unit {
        "seconds" => "s",
        "bytes" => "By",
        "ratio" => "1",
        "celsius" => "Cel",
        "meters" => "m",
        "grams" => "g",
        "volts" => "V",
        "amperes" => "A",
        "joules" => "J",
        _ => return None,
    })
}
