//! Converts blocks of series to the families of the `prometheus` crate.
//!
//! Only methods are used that exist with and without that crate's feature `protobuf`, which
//! another dependency can enable.

use std::borrow::Cow;
use std::iter;

use prometheus::proto;

use crate::snapshot::{Escaping, HistogramView, Kind, LabelsView, SeriesBlock, Values};

/// Converts the blocks of a registry. The blocks of a family follow each other.
pub(super) fn from_blocks(blocks: impl Iterator<Item = SeriesBlock>) -> Vec<proto::MetricFamily> {
    let mut families: Vec<proto::MetricFamily> = Vec::new();
    for block in blocks {
        if block.is_first {
            families.push(empty_family(&block));
        }
        if let Some(family) = families.last_mut() {
            family.mut_metric().extend(metrics(&block));
        }
    }
    families
}

/// Returns a family with the description of a block.
fn empty_family(block: &SeriesBlock) -> proto::MetricFamily {
    let desc = &block.desc;
    let name = Escaping::Underscores.metric_name(desc.exposed_name());
    let mut family = proto::MetricFamily::default();
    family.set_name(name.into_owned());
    family.set_help(desc.help().to_owned());
    family.set_field_type(match desc.kind() {
        Kind::Counter => proto::MetricType::COUNTER,
        Kind::Gauge => proto::MetricType::GAUGE,
        Kind::Histogram => proto::MetricType::HISTOGRAM,
    });
    family
}

/// Converts the series of a block.
fn metrics(block: &SeriesBlock) -> impl Iterator<Item = proto::Metric> {
    block.labels.iter().enumerate().map(|(series, labels)| {
        let mut metric = proto::Metric::from_label(label_pairs(labels));
        match &block.values {
            Values::Counter(counts) => {
                let mut counter = proto::Counter::default();
                counter.set_value(counts[series].value());
                metric.set_counter(counter);
            }
            Values::Gauge(numbers) => {
                let mut gauge = proto::Gauge::default();
                gauge.set_value(numbers[series]);
                metric.set_gauge(gauge);
            }
            Values::Histogram(histograms) => {
                let histogram = histograms.get(series);
                metric.set_histogram(histogram.map(histogram_of).unwrap_or_default());
            }
        }
        metric
    })
}

fn label_pairs(labels: LabelsView<'_>) -> Vec<proto::LabelPair> {
    let pair = |(name, value): (Cow<'_, str>, Cow<'_, str>)| {
        let mut pair = proto::LabelPair::default();
        pair.set_name(Escaping::Underscores.label_name(&name).into_owned());
        pair.set_value(value.into_owned());
        pair
    };
    labels.pairs().map(pair).collect()
}

/// Converts a histogram. The bucket up to infinity is left out, as in the histograms of the
/// `prometheus` crate: its encoders write it for the count.
fn histogram_of(view: HistogramView<'_>) -> proto::Histogram {
    let buckets = iter::zip(view.bounds().iter(), view.cumulative());
    let buckets = buckets.map(|(bound, (_, count))| {
        let mut bucket = proto::Bucket::default();
        bucket.set_upper_bound(*bound);
        bucket.set_cumulative_count(count);
        bucket
    });
    let mut histogram = proto::Histogram::default();
    histogram.set_bucket(buckets.collect());
    histogram.set_sample_count(view.count());
    histogram.set_sample_sum(view.totals().sum);
    histogram
}
