//! A small evaluator of PromQL, by which a real Prometheus's answers are judged.
//!
//! It is fed with raw samples alone. What it does not know makes it panic, so that no
//! query passes unread.

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
type Known = Vec<(Labels, Vec<Sample>)>;

/// All that is known of some metrics at one time.
pub(crate) struct Samples {
    /// The time of the query, in seconds since 1970.
    pub(crate) at: f64,
    /// By a metric's name and its range, of which an instant has none.
    known: BTreeMap<(String, Option<String>), Known>,
}

impl Samples {
    /// Reads the raw samples of all metrics that these queries name, whatever they ask of
    /// their labels.
    pub(crate) async fn read(prometheus: &Prometheus, at: f64, queries: &[Expr]) -> Self {
        let mut wanted = BTreeSet::new();
        for query in queries {
            query.each_selector(&mut |selector| {
                wanted.insert((selector.name.clone(), selector.range.clone()));
            });
        }
        let mut known = BTreeMap::new();
        for (name, range) in wanted {
            let window = range
                .as_ref()
                .map_or(String::new(), |range| format!("[{range}]"));
            let query = escaped(&format!("{{__name__=\"{name}\"}}{window}"));
            let data = prometheus
                .ask(&format!("query?query={query}&time={at}"))
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
            known.insert((name, range), series.collect());
        }
        Self { at, known }
    }

    /// Returns the series that a selector takes, each with its samples.
    fn of(&self, selector: &Selector) -> Vec<(Labels, &[Sample])> {
        let key = (selector.name.clone(), selector.range.clone());
        let all = self.known.get(&key).expect("samples that were read");
        all.iter()
            .filter(|(labels, _)| selector.takes(labels))
            .map(|(labels, samples)| (labels.clone(), &samples[..]))
            .collect()
    }

    /// Returns what a query answers.
    pub(crate) fn answer(&self, query: &Expr, how: Extrapolation) -> Vec<(Labels, f64)> {
        eval::vector(query, self, how)
    }
}
