//! From a request to a PromQL answer: a real Prometheus scrapes the demo.

use std::fmt::Write;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use axum::Router;
use axum::http::{Method, StatusCode, Version};
use serde_json::Value;
use tachometer::{MetricsRouter, Registry};
use tokio::time::{interval, timeout};

use crate::parsers::awkward_values;
use crate::support::demo;
use crate::support::http::{Caller, Server};
use crate::support::program::{Folder, Running, is_there};

/// A Prometheus that scrapes one target every second.
struct Prometheus {
    url: String,
    caller: Caller,
    running: Running,
    _folder: Rc<Folder>,
}

impl Prometheus {
    async fn start(target: &str) -> Option<Self> {
        if !is_there("prometheus", &["prometheus", "--version"]) {
            return None;
        }
        let folder = Rc::new(Folder::new());
        let config = folder.0.join("prometheus.yml");
        let text = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s}}\n\
             scrape_configs:\n\
             - job_name: it\n  static_configs: [{{targets: ['{target}']}}]\n"
        );
        fs::write(&config, text).unwrap();
        // It wants a port by number. One that is free now may be taken before it
        // gets there, so it may take more than one try.
        for _ in 0..5 {
            if let Some(running) = Self::run(&folder, &config).await {
                return Some(running);
            }
        }
        let log = fs::read_to_string(folder.0.join("log"));
        panic!("prometheus does not start: {}", log.unwrap_or_default());
    }

    /// Starts it on some free port, and returns it once it answers.
    async fn run(folder: &Rc<Folder>, config: &Path) -> Option<Self> {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let log = fs::File::create(folder.0.join("log")).unwrap();
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                folder.0.join("data").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut prometheus = Self {
            url: format!("http://{address}"),
            caller: Caller::new(Version::HTTP_11),
            running: Running(child),
            _folder: Rc::clone(folder),
        };
        let mut often = interval(Duration::from_millis(100));
        for _ in 0..300 {
            often.tick().await;
            let ready = format!("{}/-/ready", prometheus.url);
            let answer = prometheus.caller.get(&ready).await;
            if answer.is_ok_and(|answer| answer.status == StatusCode::OK) {
                return Some(prometheus);
            }
            if prometheus.running.0.try_wait().unwrap().is_some() {
                return None;
            }
        }
        None
    }

    /// Returns what `/api/v1/` answers, or null where it does not (yet).
    async fn ask(&self, what: &str) -> Value {
        let url = format!("{}/api/v1/{what}", self.url);
        let answer = self.caller.get(&url).await;
        let json = answer
            .ok()
            .and_then(|answer| serde_json::from_str(&answer.body).ok());
        json.map_or(Value::Null, |json: Value| json["data"].clone())
    }

    /// Returns the series that a query answers, each with its value.
    async fn query(&self, query: &str) -> Vec<(Value, f64)> {
        let mut escaped = String::new();
        for byte in query.bytes() {
            write!(escaped, "%{byte:02x}").unwrap();
        }
        let data = self.ask(&format!("query?query={escaped}")).await;
        let series = data["result"].as_array().cloned().unwrap_or_default();
        let value = |series: &Value| series["value"][1].as_str()?.parse().ok();
        series
            .iter()
            .filter_map(|series| Some((series["metric"].clone(), value(series)?)))
            .collect()
    }

    /// Returns the one number that a query answers.
    async fn number(&self, query: &str) -> Option<f64> {
        self.query(query).await.first().map(|(_, value)| *value)
    }

    /// Waits until a query answers `expected`; scrapes come every second.
    async fn until(&self, query: &str, expected: f64) {
        let mut last = None;
        let mut often = interval(Duration::from_millis(100));
        let answers = async {
            while last != Some(expected) {
                often.tick().await;
                last = self.number(query).await;
            }
        };
        let in_time = timeout(Duration::from_secs(60), answers).await.is_ok();
        assert!(in_time, "{query} is {last:?} and not {expected}");
    }
}

#[tokio::test]
async fn a_prometheus_that_scrapes_the_demo_answers_what_the_script_did() {
    let (_running, url) = demo::start();
    let target = url.strip_prefix("http://").unwrap();
    let Some(prometheus) = Prometheus::start(target).await else {
        return;
    };
    let caller = Caller::new(Version::HTTP_11);
    let at = |path: &str| format!("{url}{path}");

    for (path, calls) in [
        ("/users/7", 20),
        ("/slow", 6),
        ("/users/9999", 3),
        ("/wp-admin", 4),
        ("/fail", 5),
    ] {
        for _ in 0..calls {
            caller.get(&at(path)).await.unwrap();
        }
    }
    for _ in 0..2 {
        caller.call(Method::HEAD, &at("/")).await.unwrap();
    }
    for (outcome, calls) in [("ok", 28.0), ("client_error", 7.0), ("server_error", 5.0)] {
        let query = format!("sum(http_requests_total{{outcome=\"{outcome}\"}})");
        prometheus.until(&query, calls).await;
    }
    assert_eq!(
        prometheus.number("sum(http_requests_total)").await,
        Some(40.0)
    );
    let unmatched = "sum(http_requests_total{route=\"unmatched\"})";
    assert_eq!(prometheus.number(unmatched).await, Some(4.0));

    // Nothing is under way, so what is scraped here is what Prometheus has.
    let scrape = caller.get(&at("/metrics")).await.unwrap().body;
    // Away from the edges of buckets, where versions of Prometheus differ.
    prometheus
        .until("sum(http_request_duration_seconds_count)", 40.0)
        .await;
    for quantile in [0.47, 0.87, 0.98] {
        let query = format!(
            "histogram_quantile({quantile}, sum by (le) (http_request_duration_seconds_bucket))"
        );
        let expected = histogram_quantile(quantile, &buckets(&scrape));
        let answered = prometheus.number(&query).await.unwrap();
        assert!(
            (answered - expected).abs() <= 1e-9 * expected,
            "{query}: {answered}, {expected}"
        );
    }

    let mut open = Vec::new();
    let endless = at("/stream?ticks=1000000&every_ms=50");
    for _ in 0..5 {
        open.push(caller.open(Method::GET, &endless).await.unwrap());
    }
    prometheus.until("sum(http_requests_in_flight)", 5.0).await;
    drop(open);
    prometheus.until("sum(http_requests_in_flight)", 0.0).await;
    let cancelled = "sum(http_requests_total{outcome=\"cancelled_in_body\"})";
    prometheus.until(cancelled, 5.0).await;
    assert_eq!(
        prometheus.number("sum(http_requests_total)").await,
        Some(45.0)
    );
}

#[tokio::test]
async fn any_label_value_and_help_text_comes_back_equal_through_prometheus() {
    let registry = Registry::new();
    let help = "Quotes \" and \\ backslashes \\n and\na second line, Grüße 🚀.";
    let family = registry.gauge_family("awkward", help, ["value"]).unwrap();
    let values = awkward_values();
    for value in &values {
        family.with([value]).set(1);
    }
    let router = MetricsRouter::new().registry(&registry).build();
    let server = Server::start(Router::new().nest("/metrics", router)).await;
    let Some(prometheus) = Prometheus::start(&server.address.to_string()).await else {
        return server.stop().await;
    };
    prometheus
        .until("sum(awkward)", crate::support::read::to_f64(values.len()))
        .await;
    let mut read: Vec<_> = prometheus
        .query("awkward")
        .await
        .iter()
        .map(|(labels, _)| labels["value"].as_str().unwrap().to_owned())
        .collect();
    read.sort();
    assert_eq!(read, values);
    let metadata = prometheus.ask("metadata?metric=awkward").await;
    assert_eq!(metadata["awkward"][0]["help"].as_str(), Some(help));
}

/// Returns the buckets of all request durations in a scrape, summed by bound.
fn buckets(scrape: &str) -> Vec<(f64, f64)> {
    let mut buckets: Vec<(f64, f64)> = Vec::new();
    for line in scrape.lines() {
        let Some(line) = line.strip_prefix("http_request_duration_seconds_bucket{") else {
            continue;
        };
        let (labels, count) = line.rsplit_once("} ").unwrap();
        let (_, bound) = labels.rsplit_once("le=\"").unwrap();
        let bound: f64 = bound
            .trim_end_matches('"')
            .replace("+Inf", "inf")
            .parse()
            .unwrap();
        let count: f64 = count.parse().unwrap();
        match buckets.iter_mut().find(|(there, _)| *there == bound) {
            Some((_, sum)) => *sum += count,
            None => buckets.push((bound, count)),
        }
    }
    buckets
}

/// PromQL's `histogram_quantile`, as its documentation has it: linear within the
/// bucket, whose lower bound is 0 for the first.
fn histogram_quantile(quantile: f64, buckets: &[(f64, f64)]) -> f64 {
    let (_, all) = buckets.last().unwrap();
    let rank = quantile * all;
    let at = buckets
        .iter()
        .position(|(_, count)| *count >= rank)
        .unwrap();
    let (lower, below) = if at == 0 { (0.0, 0.0) } else { buckets[at - 1] };
    let (upper, up_to) = buckets[at];
    if upper.is_infinite() {
        return lower;
    }
    lower + (upper - lower) * (rank - below) / (up_to - below)
}
