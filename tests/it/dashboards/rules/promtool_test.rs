//! Rule tests that promtool runs.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::recorder::Recorder;
use crate::support::program::{Folder, output};

/// The target labels of every series, as a Prometheus in Kubernetes sets them.
pub(super) const TARGET: &str = "job=\"it\",zone=\"z\",instance=\"a:1\",pod=\"a\"";
/// Another replica of it.
pub(super) const REPLICA: &str = "job=\"it\",zone=\"z\",instance=\"b:1\",pod=\"b\"";

/// Scraped series, and the alerts that fire at one time.
pub(super) struct RuleTest {
    name: &'static str,
    minutes: u32,
    /// Minutes at which no alert fires.
    silent: Vec<u32>,
    series: Vec<(String, String)>,
    alerts: Vec<Alert>,
}

struct Alert {
    name: &'static str,
    labels: Value,
    summary: &'static str,
    description: String,
}

impl RuleTest {
    /// Starts a test whose alerts are evaluated after this many minutes.
    pub(super) fn new(name: &'static str, minutes: u32) -> Self {
        Self {
            name,
            minutes,
            silent: Vec::new(),
            series: Vec::new(),
            alerts: Vec::new(),
        }
    }

    /// Starts a test of recorded samples, whose alerts are evaluated in the last minute.
    pub(super) fn recorded(name: &'static str, recorders: Vec<Recorder>) -> Self {
        let minutes = recorders.iter().map(Recorder::minutes).max().unwrap();
        let series = recorders.into_iter().flat_map(Recorder::into_series);
        Self {
            series: series.collect(),
            ..Self::new(name, minutes - 1)
        }
    }

    /// Expects that no alert fires in these minutes.
    pub(super) fn silent_in(mut self, minutes: impl IntoIterator<Item = u32>) -> Self {
        self.silent.extend(minutes);
        self
    }

    /// Adds a counter that grows by this much per minute.
    pub(super) fn grows(self, metric: &str, labels: &str, by: f64) -> Self {
        let values = format!("0+{by}x{}", self.minutes);
        self.with_series(metric, labels, &values)
    }

    /// Adds a constant gauge.
    pub(super) fn stays(self, metric: &str, labels: &str, at: f64) -> Self {
        let values = format!("{at}x{}", self.minutes);
        self.with_series(metric, labels, &values)
    }

    /// Adds the series of a histogram with this many observations per minute below each bound.
    pub(super) fn spread(self, metric: &str, labels: &str, buckets: &[(&str, f64)]) -> Self {
        buckets.iter().fold(self, |scene, (bound, by)| {
            let labels = format!("{labels},le=\"{bound}\"");
            scene.grows(&format!("{metric}_bucket"), &labels, *by)
        })
    }

    /// Adds a series of one replica, whose values are as promtool writes them.
    pub(super) fn with_series(self, metric: &str, labels: &str, values: &str) -> Self {
        self.with_series_of(TARGET, metric, labels, values)
    }

    /// Adds one of the other replica.
    pub(super) fn other_grows(self, metric: &str, labels: &str, by: f64) -> Self {
        let values = format!("0+{by}x{}", self.minutes);
        self.with_series_of(REPLICA, metric, labels, &values)
    }

    /// Adds a gauge of the other replica.
    pub(super) fn other_stays(self, metric: &str, labels: &str, at: f64) -> Self {
        let values = format!("{at}x{}", self.minutes);
        self.with_series_of(REPLICA, metric, labels, &values)
    }

    /// Adds a series of a target.
    pub(super) fn with_series_of(
        mut self,
        target: &str,
        metric: &str,
        labels: &str,
        values: &str,
    ) -> Self {
        let comma = if labels.is_empty() { "" } else { "," };
        // Names that are not classic stand with the labels.
        let series = if metric.starts_with('"') {
            format!("{{{metric},{target}{comma}{labels}}}")
        } else {
            format!("{metric}{{{target}{comma}{labels}}}")
        };
        self.series.push((series, values.to_owned()));
        self
    }

    /// Expects an alert of the job, with these labels besides.
    pub(super) fn fires(
        mut self,
        name: &'static str,
        severity: &str,
        labels: &[(&str, &str)],
        summary: &'static str,
        description: &str,
    ) -> Self {
        let mut all = json!({"job": "it", "zone": "z", "severity": severity});
        for (name, value) in labels {
            all[name] = json!(value);
        }
        self.alerts.push(Alert {
            name,
            labels: all,
            summary,
            description: description.to_owned(),
        });
        self
    }

    fn test(&self, alerts: &BTreeSet<&str>) -> Value {
        let series = self.series.iter();
        let series = series.map(|(series, values)| json!({"series": series, "values": values}));
        let silent = self.silent.iter().flat_map(|minute| {
            alerts.iter().map(move |name| {
                json!({
                    "alertname": name,
                    "eval_time": format!("{minute}m"),
                    "exp_alerts": [],
                })
            })
        });
        let expected = |name: &str| {
            let fire = self.alerts.iter().filter(|alert| alert.name == name);
            let fire = fire.map(|alert| {
                json!({
                    "exp_labels": alert.labels,
                    "exp_annotations": {
                        "summary": alert.summary,
                        "description": alert.description,
                    },
                })
            });
            let time = format!("{}m", self.minutes);
            json!({
                "alertname": name,
                "eval_time": time,
                "exp_alerts": fire.collect::<Vec<_>>(),
            })
        };
        for alert in &self.alerts {
            assert!(alerts.contains(alert.name), "there is no {}", alert.name);
        }
        json!({
            "interval": "1m",
            "input_series": series.collect::<Vec<_>>(),
            "alert_rule_test": silent.chain(alerts.iter().map(|name| expected(name))).collect::<Vec<_>>(),
        })
    }
}

/// Returns the names of a file's alerts.
pub(super) fn alerts(rules: &str) -> BTreeSet<&str> {
    let lines = rules.lines();
    lines
        .filter_map(|line| line.trim_start().strip_prefix("- alert: "))
        .collect()
}

/// Returns the mismatches reported by promtool; an alert that a test does not name must not
/// fire.
pub(super) fn play(promtool: &Path, rules: &str, scenes: &[RuleTest]) {
    play_files(promtool, &[rules], scenes);
}

/// Runs tests with several rule files loaded together.
pub(super) fn play_files(promtool: &Path, files: &[&str], scenes: &[RuleTest]) {
    let folder = Folder::new();
    let names: Vec<_> = (0..files.len())
        .map(|file| format!("rules{file}.yml"))
        .collect();
    for (name, rules) in names.iter().zip(files) {
        std::fs::write(folder.0.join(name), rules).unwrap();
    }
    let alerts = files.iter().flat_map(|rules| alerts(rules)).collect();
    let mut faults = Vec::new();
    for scene in scenes {
        // JSON is valid YAML.
        let test = json!({
            "rule_files": names,
            "evaluation_interval": "1m",
            "tests": [scene.test(&alerts)],
        });
        let file = folder.0.join("test.yml");
        // Except for a character that ends lines in YAML.
        let test = test.to_string().replace('\u{85}', "\\u0085");
        std::fs::write(&file, test).unwrap();
        let mut command = Command::new(promtool);
        let ran = output(command.args(["test", "rules"]).arg(&file), "");
        if !ran.status.success() {
            let said = [ran.stdout, ran.stderr].concat();
            let said = String::from_utf8_lossy(&said).into_owned();
            faults.push(format!("{}: {said}", scene.name));
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
