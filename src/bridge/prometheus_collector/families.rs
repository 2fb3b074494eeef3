//! Converts families of the `prometheus` crate to those of a collector.

use prometheus::proto::{self, MetricType};

use crate::bridge::prometheus_collector::histograms::HistogramBuffer;
use crate::bridge::prometheus_collector::numbers::{counter_sum, gauge_value};
use crate::registry::CollectSink;
use crate::snapshot::{Desc, Kind};

/// Adds a family and its series.
pub(super) fn add(family: &proto::MetricFamily, sink: &mut CollectSink<'_>) {
    let name = family.name();
    let refuse_all = |sink: &mut CollectSink<'_>, reason: &str| {
        sink.refuse(name, family.get_metric().len() as u64, reason);
    };
    let kind = match family.get_field_type() {
        MetricType::COUNTER => Kind::Counter,
        MetricType::GAUGE => Kind::Gauge,
        MetricType::HISTOGRAM => Kind::Histogram,
        MetricType::SUMMARY => return refuse_all(sink, "a summary has no type in this crate"),
        MetricType::UNTYPED => return refuse_all(sink, "the metric has no type"),
    };
    if let Err(error) = sink.family(&Desc::new(name, family.help(), kind)) {
        return refuse_all(sink, &error.to_string());
    }
    let mut labels = Vec::new();
    let mut histogram = HistogramBuffer::default();
    for metric in family.get_metric() {
        if metric.timestamp_ms() != 0 {
            sink.refuse(name, 1, "the sample has a timestamp");
            continue;
        }
        labels.clear();
        labels.extend(metric.get_label().iter().map(label));
        match kind {
            Kind::Counter => add_counter(sink, name, &labels, counter_sum(metric.get_counter())),
            Kind::Gauge => {
                sink.gauge(name, &labels, gauge_value(metric.get_gauge()));
            }
            Kind::Histogram => match histogram.read(metric.get_histogram()) {
                Ok(values) => {
                    sink.histogram_values(name, &labels, values);
                }
                Err(reason) => sink.refuse(name, 1, reason),
            },
        }
    }
}

/// Adds a counter. Whole numbers are exact up to 2^64, as those of this crate.
fn add_counter(sink: &mut CollectSink<'_>, name: &str, labels: &[(&str, &str)], value: f64) {
    const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;
    if value.fract() == 0.0 && (0.0..TWO_POW_64).contains(&value) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is a `u64`"
        )]
        sink.counter(name, labels, value as u64);
    } else {
        sink.counter(name, labels, value);
    }
}

/// Returns a label under a name that is not reserved.
fn label(pair: &proto::LabelPair) -> (&str, &str) {
    let name = match pair.name() {
        "le" => "exported_le",
        "quantile" => "exported_quantile",
        name => name,
    };
    (name, pair.value())
}
