//! Starts and queries a real Prometheus, or another program with its query API.

use std::fmt::Write as _;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::time::Duration;

use axum::http::{StatusCode, Version};
use serde_json::Value;
use tokio::time::{interval, timeout};

use crate::support::fixture::Labels;
use crate::support::loopback::Caller;
use crate::support::program::{Folder, Running, is_there};
use crate::support::skipped;

/// A program with the query API of Prometheus. A Prometheus scrapes every second.
pub(crate) struct Prometheus {
    url: String,
    caller: Caller,
    running: Running,
    _folder: Rc<Folder>,
}

/// Returns the Prometheus on the path, if there is one.
pub(crate) fn usual() -> Option<PathBuf> {
    is_there("prometheus", &["prometheus", "--version"]).then(|| "prometheus".into())
}

/// Returns a Prometheus 3, if there is one: the one that `TACHOMETER_PROMETHEUS3`
/// names, or else the one in the user's cache.
pub(crate) fn third() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("TACHOMETER_PROMETHEUS3") {
        let named = PathBuf::from(named);
        return is_there("prometheus 3", &[named.to_str()?, "--version"]).then_some(named);
    }
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let program = cache?.join("tachometer-interop/root/usr/bin/prometheus");
    if !program.exists() {
        // Never a failure: few systems have it.
        skipped::note("prometheus 3 not found");
        return None;
    }
    Some(program)
}

impl Prometheus {
    /// Starts the one on the path, if there is one, to scrape one target.
    pub(crate) async fn start(target: &str) -> Option<Self> {
        let jobs = format!("- job_name: it\n  static_configs: [{{targets: ['{target}']}}]\n");
        Some(Self::start_with(&usual()?, &[], &jobs).await)
    }

    /// Starts a Prometheus with these scrape jobs in YAML.
    pub(crate) async fn start_with(program: &Path, flags: &[&str], jobs: &str) -> Self {
        let folder = Rc::new(Folder::new());
        let config = folder.0.join("prometheus.yml");
        let text =
            format!("global: {{scrape_interval: 1s, scrape_timeout: 1s}}\nscrape_configs:\n{jobs}");
        fs::write(&config, text).unwrap();
        let start = |command: &mut Command, address: SocketAddr| {
            command
                .arg(format!("--config.file={}", config.display()))
                .arg(format!(
                    "--storage.tsdb.path={}",
                    folder.0.join("data").display()
                ))
                .arg(format!("--web.listen-address={address}"))
                // Otherwise it discovers its targets only after 5 seconds.
                .arg("--scrape.discovery-reload-interval=100ms")
                .args(flags);
        };
        Self::start_on_free_port(program, &folder, "-/ready", start).await
    }

    /// Starts a program on some free port, and returns it once it is ready. `arguments` sets
    /// its arguments for an address.
    pub(super) async fn start_on_free_port(
        program: &Path,
        folder: &Rc<Folder>,
        ready: &str,
        arguments: impl Fn(&mut Command, SocketAddr),
    ) -> Self {
        // It needs a port number. A port that is free now may be in use when it starts, so
        // this may take several tries.
        for _ in 0..5 {
            let free = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = free.local_addr().unwrap();
            drop(free);
            let mut command = Command::new(program);
            arguments(&mut command, address);
            if let Some(running) = Self::run(command, address, folder, ready).await {
                return running;
            }
        }
        let log = fs::read_to_string(folder.0.join("log")).unwrap_or_default();
        panic!("{} does not start: {log}", program.display());
    }

    /// Starts a program, and returns it once it is ready.
    async fn run(
        mut command: Command,
        address: SocketAddr,
        folder: &Rc<Folder>,
        ready: &str,
    ) -> Option<Self> {
        let log = fs::File::create(folder.0.join("log")).unwrap();
        let child = command.stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let mut prometheus = Self {
            url: format!("http://{address}"),
            caller: Caller::new(Version::HTTP_11),
            running: Running(child),
            _folder: Rc::clone(folder),
        };
        let mut often = interval(Duration::from_millis(100));
        for _ in 0..300 {
            often.tick().await;
            let ready = format!("{}/{ready}", prometheus.url);
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

    /// Returns the URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}/{path}", self.url)
    }

    /// Returns the response of `/api/v1/`, or null if there is none (yet).
    pub(crate) async fn api(&self, what: &str) -> Value {
        let url = format!("{}/api/v1/{what}", self.url);
        let answer = self.caller.get(&url).await;
        let json = answer
            .ok()
            .and_then(|answer| serde_json::from_str(&answer.body).ok());
        json.map_or(Value::Null, |json: Value| json["data"].clone())
    }

    /// Returns the result of a query, which may have native histograms or ranges.
    pub(crate) async fn results(&self, query: &str) -> Vec<Value> {
        let data = self.api(&format!("query?query={}", escaped(query))).await;
        results(&data)
    }

    /// Returns the series of a query's result, each with its value.
    pub(crate) async fn query(&self, query: &str) -> Vec<(Value, f64)> {
        values(&self.results(query).await)
    }

    /// Does what [`query`](Self::query) does, for a time in seconds since 1970.
    pub(crate) async fn query_at(&self, query: &str, time: u64) -> Vec<(Value, f64)> {
        let what = format!("query?time={time}&query={}", escaped(query));
        values(&results(&self.api(&what).await))
    }

    /// Returns the only number of a query's result.
    pub(crate) async fn number(&self, query: &str) -> Option<f64> {
        self.query(query).await.first().map(|(_, value)| *value)
    }

    /// Waits until a query returns `expected`; there is a scrape every second.
    pub(crate) async fn until(&self, query: &str, expected: f64) {
        let mut last = None;
        let mut often = interval(Duration::from_millis(100));
        let answers = async {
            while last != Some(expected) {
                often.tick().await;
                last = self.number(query).await;
            }
        };
        let in_time = timeout(Duration::from_secs(60), answers).await.is_ok();
        if !in_time {
            let targets = self.api("targets?state=active").await;
            let targets = targets["activeTargets"].as_array().cloned();
            let errors: Vec<_> = targets
                .iter()
                .flatten()
                .map(|one| &one["lastError"])
                .collect();
            panic!("{query} is {last:?} and not {expected}; {errors:?}");
        }
    }
}

/// Returns the results in the response to a query.
fn results(data: &Value) -> Vec<Value> {
    data["result"].as_array().cloned().unwrap_or_default()
}

/// Returns the series of a result, each with its value.
fn values(series: &[Value]) -> Vec<(Value, f64)> {
    let value = |series: &Value| series["value"][1].as_str()?.parse().ok();
    series
        .iter()
        .filter_map(|series| Some((series["metric"].clone(), value(series)?)))
        .collect()
}

/// Percent-encodes a text for a query string.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        write!(escaped, "%{byte:02x}").unwrap();
    }
    escaped
}

/// Returns labels from JSON.
pub(crate) fn labels(metric: &Value) -> Labels {
    let pairs = metric.as_object().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    pairs
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}

/// PromQL's `histogram_quantile`, as documented: linear within the bucket. The first bucket
/// begins at 0, unless its bound is 0 or less: then it is a point.
pub(crate) fn histogram_quantile(quantile: f64, buckets: &[(f64, f64)]) -> f64 {
    let (_, all) = buckets.last().unwrap();
    let rank = quantile * all;
    let at = buckets
        .iter()
        .position(|(_, count)| *count >= rank)
        .unwrap();
    let (upper, up_to) = buckets[at];
    let (lower, below) = if at == 0 {
        (upper.min(0.0), 0.0)
    } else {
        buckets[at - 1]
    };
    if upper.is_infinite() {
        return lower;
    }
    lower + (upper - lower) * (rank - below) / (up_to - below)
}
