//! The last minutes, a point for each reading.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::dashboards::view::json::Json;
use crate::dashboards::view::merged_histogram::Quantile;
use crate::dashboards::view::reading::{Reading, since};

/// So many points are kept,
const POINTS: usize = 150;
/// no closer together than this, a little less than two seconds since readings are seldom on
/// time,
const CLOSEST: Duration = Duration::from_millis(1_800);
/// and for so long.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// Of what lies between two readings that are farther apart nothing is told: it would be an
/// average over a time in which nobody looked.
const FARTHEST: Duration = Duration::from_secs(65);

/// The columns of a point, as they are called in JSON: requests a second by the class of
/// their status, the share that failed, the percentiles of their time, how many are under
/// way; calls of LLMs a second, tokens a second of input and of output, US dollars an hour,
/// the 95th percentile of the time to the first token; CPUs and memory.
const COLUMNS: [&str; 18] = [
    "none",
    "1xx",
    "2xx",
    "3xx",
    "4xx",
    "5xx",
    "errors",
    "p50",
    "p95",
    "p99",
    "in_flight",
    "calls",
    "input",
    "output",
    "cost",
    "first_token",
    "cpu",
    "memory",
];

/// A point for each reading of the last minutes.
#[derive(Debug, Default)]
pub(super) struct History {
    last: Option<Arc<Reading>>,
    points: VecDeque<Point>,
}

#[derive(Debug)]
struct Point {
    at: Instant,
    millis: u64,
    /// What came since the reading before, as far as it is known.
    values: [Option<f64>; COLUMNS.len()],
}

impl History {
    /// Adds a reading, unless there was one just before.
    pub(super) fn add(&mut self, reading: &Arc<Reading>) {
        let last = self.last.as_deref();
        let passed = last.map(|last| reading.at.saturating_duration_since(last.at));
        if passed.is_some_and(|passed| passed < CLOSEST) {
            return;
        }
        let last = last.filter(|_| passed.is_some_and(|passed| passed <= FARTHEST));
        let values = point(reading, last);
        while self.points.len() >= POINTS {
            self.points.pop_front();
        }
        let age = |of: &Point| reading.at.saturating_duration_since(of.at);
        self.points.retain(|point| age(point) <= LONGEST);
        self.points.push_back(Point {
            at: reading.at,
            millis: reading.millis,
            values,
        });
        self.last = Some(Arc::clone(reading));
    }

    /// Writes the columns, each a list of as many numbers as there are points.
    pub(super) fn write(&self, json: &mut Json) {
        json.object(|json| {
            json.key("t").array(|json| {
                for point in &self.points {
                    json.number(point.millis as f64);
                }
            });
            for (column, name) in COLUMNS.iter().enumerate() {
                let values = self.points.iter().map(|point| point.values[column]);
                // A page draws nothing of a column that is not there.
                if values.clone().all(|value| value.is_none()) {
                    continue;
                }
                json.key(name).array(|json| {
                    for value in values {
                        json.maybe(value);
                    }
                });
            }
        });
    }
}

fn point(reading: &Reading, last: Option<&Reading>) -> [Option<f64>; COLUMNS.len()] {
    let mut values = [None; COLUMNS.len()];
    let mut columns = values.iter_mut();
    let mut put = |value: Option<f64>| {
        if let Some(column) = columns.next() {
            *column = value;
        }
    };
    let seconds = last.map(|last| (reading.at - last.at).as_secs_f64());
    let rate = |number: f64| seconds.map(|seconds| number / seconds);

    let new = reading.http.since(last.map(|last| &last.http));
    let has_http = !reading.http.is_empty();
    for class in new.classes {
        put(rate(class).filter(|_| has_http));
    }
    let ended = new.ended();
    let some = seconds.is_some() && ended > 0.0;
    put(some.then(|| new.errors / ended));
    for part in [0.5, 0.95, 0.99] {
        let quantile = new.times.quantile(part).filter(|_| seconds.is_some());
        put(quantile.map(Quantile::number));
    }
    put(has_http.then_some(new.in_flight));

    let has_llm = !reading.llm.is_empty();
    let new = reading.llm.since(last.map(|last| &last.llm));
    put(rate(new.calls).filter(|_| has_llm));
    let [input, output, _] = new.tokens;
    put(rate(input).filter(|_| has_llm));
    put(rate(output).filter(|_| has_llm));
    put(new.cost.and_then(rate).map(|second| second * 3_600.0));
    let first = new.first_tokens.quantile(0.95);
    put(first.filter(|_| seconds.is_some()).map(Quantile::number));

    let cpu = last.and_then(|last| Some(since(reading.process.cpu?, last.process.cpu?)));
    put(cpu.and_then(rate));
    put(reading.process.memory);
    values
}
