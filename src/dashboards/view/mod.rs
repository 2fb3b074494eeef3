//! The data of the page: current values, tables and a short history, as JSON.
//!
//! A view is made of samples of the registry: the totals of the newest one, the increase
//! since a sample up to a minute ago, and one point of history per sample of the last minutes.
//! Its size is bounded, however many series there are. The registry is read only while someone
//! has the page open.

mod history;
mod http_requests;
mod increase;
mod labels;
mod llm_calls;
mod merged_histogram;
mod metric_list;
mod otlp_exports;
mod sample;
mod sections;
#[cfg(test)]
mod tests;
mod values;

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::dashboards::view::history::History;
use crate::dashboards::view::metric_list::MetricList;
use crate::dashboards::view::sample::Sample;
use crate::dashboards::view::values::{rounded, shortened};
use crate::encode::{Buffer, JsonWriter};
use crate::registry::Registry;

/// Current rates are computed over at most this long.
const WINDOW: Duration = Duration::from_secs(60);

/// Samples are kept as the start of that window, one per quarter of it.
const SAMPLES_PER_WINDOW: u32 = 4;

/// What the page shows of a registry.
#[derive(Debug)]
pub(crate) struct View {
    registry: Registry,
    title: String,
    /// A random number by which the page notices that another process answers.
    instance: String,
    samples: VecDeque<Arc<Sample>>,
    history: History,
}

impl View {
    pub(crate) fn new(registry: &Registry, title: &str) -> Self {
        // `RandomState` is seeded randomly, so the hash is a random number.
        let random = RandomState::new().hash_one(std::process::id());
        Self {
            registry: registry.clone(),
            title: title.to_owned(),
            instance: format!("{random:016x}"),
            samples: VecDeque::new(),
            history: History::default(),
        }
    }

    /// Reads the registry, and returns the page's data as JSON.
    pub(crate) fn render(&mut self) -> String {
        self.render_at(Instant::now())
    }

    fn render_at(&mut self, now: Instant) -> String {
        let mut metrics = MetricList::default();
        let sample = Arc::new(Sample::collect(&self.registry, now, &mut metrics));
        let before = self.window_start(&sample);
        self.history.add(&sample);
        let mut buffer = Buffer::default();
        JsonWriter::new(&mut buffer).object(|json| {
            self.write_head(&sample, &metrics, json);
            let window = before.as_ref().map(|before| now - before.at);
            json.key("window")
                .optional_number(rounded(window.map(|window| window.as_secs_f64())));
            json.key("history");
            self.history.write(json);
            json.key("http");
            sections::write_http(&sample, before.as_deref(), json);
            json.key("llm");
            sections::write_llm(&sample, before.as_deref(), json);
            json.key("process");
            sections::write_process(&sample, before.as_deref(), json);
            json.key("otlp");
            sample.otlp.write(sample.millis, json);
            json.key("metrics");
            metrics.write(json);
        });
        buffer.into_string()
    }

    fn write_head(&self, sample: &Sample, metrics: &MetricList, json: &mut JsonWriter<'_>) {
        json.key("title").string(&shortened(&self.title));
        json.key("version").string(env!("CARGO_PKG_VERSION"));
        json.key("instance").string(&shortened(&self.instance));
        json.key("pid").number(f64::from(std::process::id()));
        json.key("now").number(sample.millis as f64);
        json.key("uptime").number(sample.uptime.as_secs_f64());
        json.key("series").number(metrics.series as f64);
        json.key("overflowed").array(|json| {
            for name in &metrics.overflowed {
                json.string(&shortened(name));
            }
        });
    }

    /// Returns the sample at the start of the window of current rates, if there is one, and
    /// keeps the new one.
    fn window_start(&mut self, sample: &Arc<Sample>) -> Option<Arc<Sample>> {
        let age = |older: &Arc<Sample>| sample.at.saturating_duration_since(older.at);
        // A little more than the window, since samples are seldom taken on time.
        let max_age = WINDOW + WINDOW / (2 * SAMPLES_PER_WINDOW);
        self.samples.retain(|kept| age(kept) <= max_age);
        let start = self.samples.front().map(Arc::clone);
        let last = self.samples.back();
        if last.is_none_or(|last| age(last) >= WINDOW / SAMPLES_PER_WINDOW) {
            self.samples.push_back(Arc::clone(sample));
        }
        start
    }
}
