//! Converts families of the `prometheus` crate to those of a collector.

use std::borrow::Cow;
use std::iter;

use prometheus::proto::{self, LabelPair, MetricType};

use crate::bridge::exported_label_names::export_names;
use crate::bridge::prometheus_collector::histograms::HistogramBuffer;
use crate::bridge::prometheus_collector::numbers::{counter_sum, gauge_value};
use crate::registry::CollectSink;
use crate::snapshot::{Desc, Kind, Labels};

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
    let metrics = family.get_metric();
    // Series that follow each other mostly have the same label names, which are mapped once.
    for metrics in metrics.chunk_by(|one, other| label_names(one).eq(label_names(other))) {
        add_series(name, kind, metrics, sink);
    }
}

/// Adds series with the same label names.
fn add_series(name: &str, kind: Kind, metrics: &[proto::Metric], sink: &mut CollectSink<'_>) {
    let label_names = exported_label_names(metrics, sink.constant_labels());
    let mut labels = Vec::with_capacity(label_names.len());
    let mut histogram = HistogramBuffer::default();
    for metric in metrics {
        if metric.timestamp_ms() != 0 {
            sink.refuse(name, 1, "the sample has a timestamp");
            continue;
        }
        labels.clear();
        let label_names = label_names.iter().map(|name| &**name);
        let values = metric.get_label().iter().map(LabelPair::value);
        labels.extend(iter::zip(label_names, values));
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

fn label_names(metric: &proto::Metric) -> impl Iterator<Item = &str> {
    metric.get_label().iter().map(LabelPair::name)
}

/// Returns the exported label names of series that have the same ones, in the same order. A name
/// that is repeated stays so.
fn exported_label_names<'m>(metrics: &'m [proto::Metric], constant: &Labels) -> Vec<Cow<'m, str>> {
    let names: Vec<&str> = metrics.first().into_iter().flat_map(label_names).collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    let exported = export_names(sorted.into_iter(), constant);
    let export = |name: &str| {
        let mut exported = exported.iter();
        let found = exported.find(|(other, _)| *other == name);
        found.map(|(_, exported)| exported.clone())
    };
    names.into_iter().filter_map(export).collect()
}
