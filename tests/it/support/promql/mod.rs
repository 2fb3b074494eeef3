//! A small PromQL evaluator, to check the results of a real Prometheus.
//!
//! Its input is raw samples. It panics at syntax that it does not support, so that no query is
//! checked by mistake.

mod eval;
mod parse;
mod rate;
mod regex;

use std::collections::{BTreeMap, BTreeSet};

use crate::support::fixture::Labels;
use crate::support::prometheus::{Prometheus, escaped, labels};

pub(crate) use parse::{Expr, Selector, parse};
pub(crate) use rate::Extrapolation;

/// A sample's time and value.
pub(crate) type Sample = (f64, f64);

/// A metric's series, each with its samples.
type MetricType = Vec<(Labels, Vec<Sample>)>;

/// Samples of some metrics at one time.
pub(crate) struct Samples {
    /// The time of the query, in seconds since 1970.
    pub(crate) at: f64,
    /// By a metric's name and its range; an instant selector has no range.
    types: BTreeMap<(String, Option<String>), MetricType>,
}

impl Samples {
    /// Reads the raw samples of all metrics in these queries, for all labels.
    pub(crate) async fn read(prometheus: &Prometheus, at: f64, queries: &[Expr]) -> Self {
        let mut wanted = BTreeSet::new();
        for query in queries {
            query.each_selector(&mut |selector| {
                wanted.insert((selector.name.clone(), selector.range.clone()));
            });
        }
        let mut types = BTreeMap::new();
        for (name, range) in wanted {
            let window = range
                .as_ref()
                .map_or(String::new(), |range| format!("[{range}]"));
            let query = escaped(&format!("{{__name__=\"{name}\"}}{window}"));
            let data = prometheus
                .api(&format!("query?query={query}&time={at}"))
                .await;
            let series = data["result"].as_array().cloned().unwrap_or_default();
            let series = series.iter().map(|series| {
                let one = series["value"]
                    .as_array()
                    .map(|_| vec![series["value"].clone()]);
                let several = one.or_else(|| series["values"].as_array().cloned());
                let samples = several.expect("samples that are numbers");
                let sample = |sample: &serde_json::Value| {
                    let value = sample[1].as_str().unwrap().parse().unwrap();
                    (sample[0].as_f64().unwrap(), value)
                };
                (
                    labels(&series["metric"]),
                    samples.iter().map(sample).collect(),
                )
            });
            types.insert((name, range), series.collect());
        }
        Self { at, types }
    }

    /// Returns the series that a selector matches, each with its samples.
    fn select(&self, selector: &Selector) -> Vec<(Labels, &[Sample])> {
        let key = (selector.name.clone(), selector.range.clone());
        let all = self.types.get(&key).expect("samples that were read");
        all.iter()
            .filter(|(labels, _)| selector.takes(labels))
            .map(|(labels, samples)| (labels.clone(), &samples[..]))
            .collect()
    }

    /// Returns the result of a query.
    pub(crate) fn answer(&self, query: &Expr, how: Extrapolation) -> Vec<(Labels, f64)> {
        eval::vector(query, self, how)
    }
}
