//! Records scrapes of a real registry, as Prometheus would store them.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use tachometer::dashboards::AlertRules;
use tachometer::llm::{ErrorType, Outcome, PriceTable, Usage};
use tachometer::{LlmLayer, MetricsLayer, Registry, SystemMetrics};

use crate::support::service::get_path;

const START: &str = "process_start_time_seconds";

/// A process that started in some minute, counted from the first scrape of the scene.
pub(super) struct Process {
    pub(super) registry: Registry,
    started: f64,
    app: Router,
    llm: LlmLayer,
}

impl Process {
    /// Starts a process with metrics of everything.
    pub(super) fn start(minute: f64) -> Self {
        let registry = Registry::new();
        SystemMetrics::new().register(&registry).unwrap();
        Self::with(&registry, &registry, minute)
    }

    /// Starts one whose layer and whose calls count into these registries.
    pub(super) fn with(registry: &Registry, counted: &Registry, minute: f64) -> Self {
        let layer = MetricsLayer::new().registry(counted);
        let layer = layer.service_level("/pay", Duration::from_secs(60));
        let calls = LlmLayer::new().registry(counted).known_models(["m"]);
        let calls = calls.prices(PriceTable::new());
        let fails = || get(async || StatusCode::INTERNAL_SERVER_ERROR);
        let app = Router::new()
            .route("/", get(async || "done"))
            .route("/fails", fails())
            .route("/pay", fails())
            .layer(layer.try_register().unwrap());
        Self {
            registry: registry.clone(),
            started: minute,
            app,
            llm: calls.try_register().unwrap(),
        }
    }

    pub(super) fn rules(&self) -> String {
        AlertRules::new().to_yaml(&self.registry)
    }

    /// Makes this many requests to a route.
    pub(super) async fn requests(&self, path: &str, count: u32) {
        for _ in 0..count {
            get_path(self.app.clone(), path).await;
        }
    }

    /// Makes a call that costs this many dollars.
    pub(super) fn spends(&self, model: &str, dollars: f64) {
        let mut call = self.llm.start_call("openai", model, "chat");
        call.set_usage(Usage::new().input(1).output(1));
        call.set_cost(dollars);
        call.finish(Outcome::Success);
    }

    /// Makes this many calls that fail.
    pub(super) fn calls_fail(&self, operation: &str, error: ErrorType, count: u32) {
        for _ in 0..count {
            let call = self.llm.start_call("openai", "m", operation);
            call.finish(Outcome::Error(error));
        }
    }

    /// Makes a call of a model that has no price.
    pub(super) fn calls_without_price(&self) {
        let mut call = self.llm.start_call("openai", "m", "chat");
        call.set_usage(Usage::new().input(1).output(1));
        call.finish(Outcome::Success);
    }
}

/// A target that Prometheus scrapes every minute.
pub(super) struct Recorder {
    target: String,
    minutes: usize,
    /// The samples of each series, as promtool writes them.
    series: BTreeMap<String, Vec<String>>,
}

const NONE: &str = "_";
const STALE: &str = "stale";

impl Recorder {
    pub(super) fn new(target: &str) -> Self {
        Self {
            target: target.to_owned(),
            minutes: 0,
            series: BTreeMap::new(),
        }
    }

    pub(super) fn minutes(&self) -> u32 {
        self.minutes.try_into().unwrap()
    }

    /// Scrapes the process.
    pub(super) fn scrape(&mut self, process: &Process) {
        let text = process.registry.export_prometheus();
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let samples = lines.map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            // The clock of promtool begins at 0.
            let value = if series.starts_with(START) {
                (60.0 * process.started).to_string()
            } else {
                value.to_owned()
            };
            (self.series_of(series), value)
        });
        let up = (self.series_of("up"), "1".to_owned());
        let samples = samples.chain([up]).collect();
        self.add(samples, STALE);
    }

    /// Scrapes a process this many times, without any request in between.
    pub(super) fn scrape_times(&mut self, process: &Process, times: u32) {
        for _ in 0..times {
            self.scrape(process);
        }
    }

    /// Fails to scrape this many times: Prometheus marks all series as stale.
    pub(super) fn fail(&mut self, times: u32) {
        for _ in 0..times {
            let up = (self.series_of("up"), "0".to_owned());
            self.add(BTreeMap::from([up]), STALE);
        }
    }

    /// Does not scrape for this many minutes: Prometheus does not run, or has not discovered
    /// the target yet.
    pub(super) fn pause(&mut self, minutes: u32) {
        for _ in 0..minutes {
            self.add(BTreeMap::new(), NONE);
        }
    }

    /// Removes the target: Prometheus marks all series as stale, `up` too.
    pub(super) fn remove(&mut self) {
        self.add(BTreeMap::new(), STALE);
    }

    /// Returns a series with the labels of the target.
    fn series_of(&self, series: &str) -> String {
        let target = &self.target;
        match series.split_once('{') {
            Some((name, labels)) => format!("{name}{{{target},{labels}"),
            None => format!("{series}{{{target}}}"),
        }
    }

    /// Adds the samples of a minute, and ends those of the other series.
    fn add(&mut self, samples: BTreeMap<String, String>, end: &str) {
        for (series, value) in samples {
            let values = self.series.entry(series).or_default();
            values.resize(self.minutes, NONE.to_owned());
            values.push(value);
        }
        self.minutes += 1;
        for values in self.series.values_mut() {
            if values.len() < self.minutes {
                let has_ended = values.last().is_none_or(|last| last == STALE);
                let end = if has_ended { NONE } else { end };
                values.push(end.to_owned());
            }
        }
    }

    pub(super) fn into_series(self) -> impl Iterator<Item = (String, String)> {
        let series = self.series.into_iter();
        series.map(|(series, values)| (series, values.join(" ")))
    }
}
