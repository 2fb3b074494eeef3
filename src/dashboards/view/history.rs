//! The page's history: one point per sample of the last minutes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::dashboards::view::increase::counter_increase;
use crate::dashboards::view::merged_histogram::Quantile;
use crate::dashboards::view::sample::Sample;
use crate::dashboards::view::values::rounded;
use crate::encode::JsonWriter;

/// The most points that are kept.
const MAX_POINTS: usize = 150;
/// The shortest time between two points. It is a little less than two seconds, since samples
/// are seldom taken on time.
const MIN_INTERVAL: Duration = Duration::from_millis(1_800);
/// Older points are dropped.
const MAX_AGE: Duration = Duration::from_secs(15 * 60);
/// No rates are computed over a longer gap between two samples: they would be averages over a
/// time in which no page was open.
const MAX_GAP: Duration = Duration::from_secs(65);

/// The names of a point's columns in JSON: requests/s by status class, error ratio, duration
/// percentiles, and requests in flight; LLM calls/s, input and output tokens/s, cost per hour in
/// US dollars, and the 95th percentile of the time to first token; CPUs and memory.
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

/// The points of the last minutes, the oldest first.
#[derive(Debug, Default)]
pub(super) struct History {
    last: Option<Arc<Sample>>,
    points: VecDeque<Point>,
}

#[derive(Debug)]
struct Point {
    at: Instant,
    millis: u64,
    /// One value per column, since the previous sample. `None` is unknown.
    values: [Option<f64>; COLUMNS.len()],
}

impl History {
    /// Adds a sample, unless there was one just before.
    pub(super) fn add(&mut self, sample: &Arc<Sample>) {
        let last = self.last.as_deref();
        let elapsed = last.map(|last| sample.at.saturating_duration_since(last.at));
        if elapsed.is_some_and(|elapsed| elapsed < MIN_INTERVAL) {
            return;
        }
        let last = last.filter(|_| elapsed.is_some_and(|elapsed| elapsed <= MAX_GAP));
        let values = point_values(sample, last);
        while self.points.len() >= MAX_POINTS {
            self.points.pop_front();
        }
        let age = |point: &Point| sample.at.saturating_duration_since(point.at);
        self.points.retain(|point| age(point) <= MAX_AGE);
        self.points.push_back(Point {
            at: sample.at,
            millis: sample.millis,
            values,
        });
        self.last = Some(Arc::clone(sample));
    }

    /// Writes the columns. Each is a list with one number per point.
    pub(super) fn write(&self, json: &mut JsonWriter<'_>) {
        json.object(|json| {
            json.key("t").array(|json| {
                for point in &self.points {
                    json.number(point.millis as f64);
                }
            });
            for (column, name) in COLUMNS.iter().enumerate() {
                let values = self.points.iter().map(|point| point.values[column]);
                // The page leaves a gap for points without a value.
                if values.clone().all(|value| value.is_none()) {
                    continue;
                }
                json.key(name).array(|json| {
                    for value in values {
                        json.optional_number(rounded(value));
                    }
                });
            }
        });
    }
}

/// Returns the values of a point, in the order of [`COLUMNS`].
fn point_values(sample: &Sample, last: Option<&Sample>) -> [Option<f64>; COLUMNS.len()] {
    let mut values = [None; COLUMNS.len()];
    let mut columns = values.iter_mut();
    let mut push = |value: Option<f64>| {
        if let Some(column) = columns.next() {
            *column = value;
        }
    };
    let seconds = last.map(|last| (sample.at - last.at).as_secs_f64());
    let rate = |number: f64| seconds.map(|seconds| number / seconds);

    let increase = sample.http.increase_since(last.map(|last| &last.http));
    let has_http = !sample.http.is_empty();
    for class in increase.status_classes {
        push(rate(class).filter(|_| has_http));
    }
    let finished = increase.finished();
    let has_finished = seconds.is_some() && finished > 0.0;
    push(has_finished.then(|| increase.errors / finished));
    for q in [0.5, 0.95, 0.99] {
        let quantile = increase.durations.quantile(q);
        let quantile = quantile.filter(|_| seconds.is_some());
        push(quantile.map(Quantile::value_or_bound));
    }
    push(has_http.then_some(increase.in_flight));

    let has_llm = !sample.llm.is_empty();
    let increase = sample.llm.increase_since(last.map(|last| &last.llm));
    push(rate(increase.calls).filter(|_| has_llm));
    let [input, output, _] = increase.tokens;
    push(rate(input).filter(|_| has_llm));
    push(rate(output).filter(|_| has_llm));
    push(
        increase
            .cost
            .and_then(rate)
            .map(|per_second| per_second * 3_600.0),
    );
    let first_token = increase.first_tokens.quantile(0.95);
    let first_token = first_token.filter(|_| seconds.is_some());
    push(first_token.map(Quantile::value_or_bound));

    let cpu = last.and_then(|last| {
        let increase = counter_increase(sample.process.cpu?, last.process.cpu?);
        rate(increase)
    });
    push(cpu);
    push(sample.process.memory);
    values
}
