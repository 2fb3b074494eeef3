//! The row of metrics that have no role: those of the application and of other libraries.

use crate::dashboards::grafana::panel::{Panel, Row};
use crate::dashboards::grafana::{WINDOW, for_selected_targets};
use crate::dashboards::promql::{Grouping, quantile};
use crate::dashboards::roles::PromMetric;
use crate::metric::Metric;
use crate::registry::Registry;
use crate::snapshot::{Desc, Kind};

/// The row has at most this many panels.
const MAX_PANELS: usize = 100;
/// A panel shows at most this many series, those with the largest values.
const MAX_SERIES: usize = 20;
/// Grafana's legend of all labels in which the series differ.
const AUTOMATIC_LEGEND: &str = "__auto";

/// Returns the row, if there are such metrics.
pub(super) fn row(registry: &Registry) -> Option<Row> {
    // A collector may describe metrics that it does not have, and add others when it runs.
    let with_series = registry.names_with_series();
    let metrics = registry.metrics();
    let others = metrics.iter().filter(|metric| {
        metric.role().is_none()
            && !metric.name().starts_with("tachometer_")
            && (!metric.label_names().is_empty() || with_series.contains(metric.name()))
    });
    let mut panels = others.take(MAX_PANELS).map(panel).peekable();
    panels.peek()?;
    Some(panels.fold(Row::new("Other metrics"), Row::panel))
}

fn panel(metric: &Metric) -> Panel {
    let desc = metric.desc();
    let prom_metric = PromMetric {
        // A query of both kinds of buckets is valid for each histogram.
        has_native_buckets: true,
        ..PromMetric::new(desc, &metric.label_names(), metric.constant_labels())
    };
    let selector = for_selected_targets(&prom_metric);
    let help = match desc.help() {
        "" => "The metric has no help text.",
        help => help,
    };
    let chart = |unit| Panel::chart(desc.exposed_name(), unit, help);
    match desc.kind() {
        Kind::Counter => {
            let rate = selector.rate(WINDOW);
            let labels: Vec<_> = prom_metric.labels.iter().map(String::as_str).collect();
            // The labels of a collector are not known.
            let rate = match &*labels {
                [] => rate,
                labels => Grouping::By(labels).sum(&rate),
            };
            chart(rate_unit(desc)).query(largest(&rate), AUTOMATIC_LEGEND)
        }
        Kind::Gauge => chart(unit(desc))
            .with_negative_values()
            .query(largest(&selector.to_string()), AUTOMATIC_LEGEND),
        Kind::Histogram => {
            let quantiles = [("0.5", "p50"), ("0.95", "p95"), ("0.99", "p99")];
            quantiles
                .into_iter()
                .fold(chart(unit(desc)), |panel, (q, legend)| {
                    panel.query(quantile(q, &selector, Grouping::By(&[]), WINDOW), legend)
                })
        }
    }
}

fn largest(query: &str) -> String {
    format!("topk({MAX_SERIES}, {query})")
}

/// Returns Grafana's unit of a metric.
fn unit(desc: &Desc) -> &'static str {
    match desc.unit() {
        Some("seconds") => "s",
        Some("bytes") => "bytes",
        Some("ratio") => "percentunit",
        Some("celsius") => "celsius",
        _ => "short",
    }
}

/// Returns Grafana's unit of the rate of a counter.
fn rate_unit(desc: &Desc) -> &'static str {
    match desc.unit() {
        Some("bytes") => "Bps",
        // Seconds per second.
        Some("seconds") => "percentunit",
        _ => "cps",
    }
}
