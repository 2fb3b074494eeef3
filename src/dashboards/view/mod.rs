//! What the page shows: figures, tables and a short history, as JSON.
//!
//! A view is made of readings of the registry: what there is now, what came since a reading
//! of up to a minute ago, and a point for each that was taken in the last minutes. All of it
//! has a fixed size, however many series there are, and nothing is read unless someone
//! looks.

mod catalog;
mod history;
mod json;
mod llm;
mod merged_histogram;
mod reading;
mod requests;
mod rows;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::dashboards::view::catalog::Catalog;
use crate::dashboards::view::history::History;
use crate::dashboards::view::json::Json;
use crate::dashboards::view::reading::Reading;
use crate::registry::Registry;

/// What is told as of now is told of so long a time at most.
const WINDOW: Duration = Duration::from_secs(60);

/// So many readings are kept to begin that time with, one each quarter of it.
const READINGS: u32 = 4;

/// What the page shows of a registry.
#[derive(Debug)]
pub(crate) struct View {
    registry: Registry,
    title: String,
    /// A number that no other process has, so that the page sees when another one answers.
    instance: String,
    readings: VecDeque<Arc<Reading>>,
    history: History,
}

impl View {
    pub(crate) fn new(registry: &Registry, title: &str) -> Self {
        // The keys of a `RandomState` are random, and so is what it makes of anything.
        let random = RandomState::new().hash_one(std::process::id());
        Self {
            registry: registry.clone(),
            title: title.to_owned(),
            instance: format!("{random:016x}"),
            readings: VecDeque::new(),
            history: History::default(),
        }
    }

    /// Reads the registry, and returns what is to be shown.
    pub(crate) fn take(&mut self) -> String {
        self.take_at(Instant::now())
    }

    fn take_at(&mut self, now: Instant) -> String {
        let mut catalog = Catalog::default();
        let reading = Arc::new(Reading::take(&self.registry, now, &mut catalog));
        let before = self.before(&reading);
        self.history.add(&reading);
        let mut json = Json::default();
        json.object(|json| {
            self.write_head(&reading, &catalog, json);
            let window = before.as_ref().map(|before| now - before.at);
            json.key("window")
                .maybe(window.map(|window| window.as_secs_f64()));
            json.key("history");
            self.history.write(json);
            json.key("http");
            rows::write_http(&reading, before.as_deref(), json);
            json.key("llm");
            rows::write_llm(&reading, before.as_deref(), json);
            json.key("process");
            rows::write_process(&reading, before.as_deref(), json);
            json.key("metrics");
            catalog.write(json);
        });
        json.into_text()
    }

    fn write_head(&self, reading: &Reading, catalog: &Catalog, json: &mut Json) {
        json.key("title").text(&self.title);
        json.key("version").text(env!("CARGO_PKG_VERSION"));
        json.key("instance").text(&self.instance);
        json.key("pid").number(f64::from(std::process::id()));
        json.key("now").number(reading.millis as f64);
        json.key("uptime").number(reading.uptime.as_secs_f64());
        json.key("series").number(catalog.series as f64);
        json.key("over").array(|json| {
            for name in &catalog.over {
                json.text(name);
            }
        });
    }

    /// Returns the reading that the time begins with of which figures are told, if there is
    /// one, and keeps the new one.
    fn before(&mut self, reading: &Arc<Reading>) -> Option<Arc<Reading>> {
        let age = |of: &Arc<Reading>| reading.at.saturating_duration_since(of.at);
        // A little more, since a reading is seldom taken on time.
        let most = WINDOW + WINDOW / (2 * READINGS);
        self.readings.retain(|kept| age(kept) <= most);
        let before = self.readings.front().map(Arc::clone);
        let last = self.readings.back();
        if last.is_none_or(|last| age(last) >= WINDOW / READINGS) {
            self.readings.push_back(Arc::clone(reading));
        }
        before
    }
}
