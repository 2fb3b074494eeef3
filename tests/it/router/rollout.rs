//! Pods that are replaced while a real Prometheus scrapes them.
//!
//! A pod is an application and its separate listener for metrics, and has a registry of its own.
//! Prometheus discovers pods in a file, as it discovers those of Kubernetes by their names, and
//! scrapes each of them every second.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Duration;

use axum::Router;
use axum::http::{StatusCode, Version};
use axum::routing::get;
use futures_util::{StreamExt, stream};
use serde_json::json;
use tachometer::router::MetricsServer;
use tachometer::{MetricsLayer, MetricsRouter, Registry};
use tokio::task::JoinHandle;
use tokio::time::interval;

use crate::support::loopback::{Caller, Server};
use crate::support::program::Folder;
use crate::support::prometheus::{Prometheus, usual};
use crate::support::read::to_f64;

const PODS: usize = 40;
/// How many pods are replaced at a time.
const SURGE: usize = 20;
/// A deadline that no scrape misses, even if the machine is busy.
const DEADLINE: Duration = Duration::from_secs(60);

struct Pod {
    name: String,
    app: Server,
    metrics: MetricsServer,
}

impl Pod {
    async fn start(name: String) -> Self {
        let registry = Registry::new();
        let app = Router::new()
            .route("/", get(async || "a page"))
            .layer(MetricsLayer::new().registry(&registry));
        let metrics = MetricsRouter::new()
            .registry(&registry)
            .without_system_metrics();
        Self {
            name,
            app: Server::start(app).await,
            metrics: metrics.serve_on("127.0.0.1:0").await.unwrap(),
        }
    }

    /// Sends requests until the application is stopped. The result is how many were answered.
    fn load(&self) -> JoinHandle<usize> {
        let url = format!("http://{}/", self.app.address);
        tokio::spawn(async move {
            let caller = Caller::new(Version::HTTP_11);
            let mut often = interval(Duration::from_millis(50));
            let mut answered = 0;
            while let Ok(answer) = caller.get(&url).await {
                assert_eq!(answer.status, StatusCode::OK);
                answered += 1;
                often.tick().await;
            }
            answered
        })
    }

    /// Sends some requests.
    async fn call(&self, count: usize) {
        let caller = Caller::new(Version::HTTP_11);
        for _ in 0..count {
            let url = format!("http://{}/", self.app.address);
            assert_eq!(caller.get(&url).await.unwrap().status, StatusCode::OK);
        }
    }
}

/// The file in which Prometheus discovers pods.
struct Discovery {
    path: PathBuf,
    targets: Mutex<BTreeMap<String, String>>,
    _folder: Folder,
}

impl Discovery {
    fn new() -> Self {
        let folder = Folder::new();
        let discovery = Self {
            path: folder.0.join("pods.json"),
            targets: Mutex::default(),
            _folder: folder,
        };
        discovery.change(|_| ());
        discovery
    }

    async fn prometheus(&self) -> Option<Prometheus> {
        let path = self.path.display();
        // A scrape that takes longer than its timeout is lost, even if the pod has sent all of it.
        let jobs = format!(
            "- job_name: pods\n  scrape_interval: 2s\n  scrape_timeout: 2s\n  \
             file_sd_configs: [{{files: ['{path}']}}]\n"
        );
        Some(Prometheus::start_with(&usual()?, &[], &jobs).await)
    }

    fn add(&self, pod: &Pod) {
        let address = pod.metrics.local_addr().to_string();
        self.change(|targets| {
            targets.insert(pod.name.clone(), address);
        });
    }

    fn remove(&self, name: &str) {
        self.change(|targets| {
            targets.remove(name);
        });
    }

    fn change(&self, change: impl FnOnce(&mut BTreeMap<String, String>)) {
        let mut targets = self.targets.lock().unwrap();
        change(&mut targets);
        let groups = targets.iter();
        let groups =
            groups.map(|(pod, target)| json!({"targets": [target], "labels": {"pod": pod}}));
        let text = json!(groups.collect::<Vec<_>>()).to_string();
        let new = self.path.with_extension("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, &self.path).unwrap();
    }
}

/// How many requests of these pods Prometheus has ever seen.
fn requests(pods: &str) -> String {
    format!("sum(max_over_time(http_requests_total{{pod=~'{pods}'}}[1h]))")
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_counts_each_request_of_pods_that_shut_down_after_a_scrape() {
    let discovery = Discovery::new();
    let Some(prometheus) = discovery.prometheus().await else {
        return;
    };
    let start = async |name: String| {
        let pod = Pod::start(name).await;
        discovery.add(&pod);
        let load = pod.load();
        (pod, load)
    };
    let stop = async |pod: Pod, load: JoinHandle<usize>| {
        // Requests that are running end, and the next is refused.
        pod.app.stop().await;
        let answered = load.await.unwrap();
        pod.metrics.shutdown_after_scrape(DEADLINE).await.unwrap();
        discovery.remove(&pod.name);
        answered
    };
    let mut old = Vec::new();
    for number in 0..PODS {
        old.push(start(format!("old-{number}")).await);
    }
    prometheus.until("sum(up)", to_f64(PODS)).await;

    let replaced = stream::iter(old).enumerate().map(async |(number, old)| {
        let new = start(format!("new-{number}")).await;
        prometheus
            .until(&format!("sum(up{{pod='new-{number}'}})"), 1.0)
            .await;
        (stop(old.0, old.1).await, new)
    });
    let replaced: Vec<_> = replaced.buffer_unordered(SURGE).collect().await;
    let answered: usize = replaced.iter().map(|(answered, _)| answered).sum();
    assert!(answered > PODS);
    prometheus
        .until(&requests("old-.*"), to_f64(answered))
        .await;

    let stopped = stream::iter(replaced).map(async |(_, new)| stop(new.0, new.1).await);
    let stopped: Vec<_> = stopped.buffer_unordered(PODS).collect().await;
    let all = answered + stopped.iter().sum::<usize>();
    prometheus.until(&requests(".*"), to_f64(all)).await;
}

/// The control of the test above.
#[tokio::test(flavor = "multi_thread")]
async fn prometheus_misses_requests_of_pods_that_end_at_once() {
    const BEFORE: usize = 3;
    const AFTER: usize = 5;
    let discovery = Discovery::new();
    let Some(prometheus) = discovery.prometheus().await else {
        return;
    };
    let mut pods = Vec::new();
    for number in 0..PODS {
        let pod = Pod::start(format!("pod-{number}")).await;
        pod.call(BEFORE).await;
        discovery.add(&pod);
        pods.push(pod);
    }
    prometheus
        .until(&requests(".*"), to_f64(PODS * BEFORE))
        .await;
    for pod in pods {
        // Prometheus scrapes some of the pods in between, but hardly all of them.
        pod.call(AFTER).await;
        pod.app.stop().await;
        pod.metrics.shutdown().await;
    }
    let truth = to_f64(PODS * (BEFORE + AFTER));
    let counted = prometheus.number(&requests(".*")).await.unwrap();
    assert!(counted < truth, "{counted} of {truth}");
}
