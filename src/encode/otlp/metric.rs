//! Encodes a metric: what all its points have in common.

use std::sync::Arc;

use crate::encode::Buffer;
use crate::encode::otlp::Temporality;
use crate::encode::wire::{put_bytes, put_bytes_header, put_message, put_u64};
use crate::snapshot::{Desc, is_classic_metric};

/// The field numbers of `Metric` and of the messages with its points.
mod field {
    /// In `ScopeMetrics`.
    pub(super) const METRIC: u8 = 2;
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

/// The metric of a block.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) desc: Arc<Desc>,
    pub(super) data: Data,
    pub(super) temporality: Temporality,
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
    /// Appends the metric with these encoded points.
    pub(super) fn put(&self, buffer: &mut Buffer, points: &[u8]) {
        put_message(buffer, field::METRIC, &mut 3, |buffer| {
            put_bytes(buffer, field::NAME, metric_name(&self.desc).as_bytes());
            put_bytes(buffer, field::DESCRIPTION, self.desc.help().as_bytes());
            if let Some(unit) = unit(&self.desc) {
                put_bytes(buffer, field::UNIT, unit.as_bytes());
            }
            self.put_data(buffer, points);
        });
    }

    fn put_data(&self, buffer: &mut Buffer, points: &[u8]) {
        let field = match self.data {
            Data::Gauge => field::GAUGE,
            Data::Counter | Data::UpDownCounter => field::SUM,
            Data::Histogram => field::HISTOGRAM,
            Data::ExponentialHistogram => field::EXPONENTIAL_HISTOGRAM,
        };
        let mut settings = Buffer::default();
        if self.data != Data::Gauge {
            let temporality = match self.temporality {
                Temporality::Delta => 1,
                Temporality::Cumulative => 2,
            };
            put_u64(&mut settings, field::TEMPORALITY, temporality);
        }
        if self.data == Data::Counter {
            put_u64(&mut settings, field::SUM_IS_MONOTONIC, 1);
        }
        put_bytes_header(buffer, field, points.len() + settings.len());
        buffer.put_slice(points);
        buffer.put_slice(settings.written());
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
