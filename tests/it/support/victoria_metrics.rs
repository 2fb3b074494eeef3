//! Starts and queries a real VictoriaMetrics, which receives OTLP.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::rc::Rc;
use std::time::{Duration, SystemTime};

use axum::http::Version;
use serde_json::Value;
use tokio::time::timeout;

use crate::support::loopback::Caller;
use crate::support::program::{Folder, is_there};
use crate::support::prometheus::Prometheus;

/// A VictoriaMetrics that names metrics as Prometheus does.
pub(crate) struct VictoriaMetrics(Prometheus);

impl VictoriaMetrics {
    /// Starts the program that `TACHOMETER_VICTORIA_METRICS` names, or the one on the path, if
    /// there is one.
    pub(crate) async fn start() -> Option<Self> {
        let program = std::env::var_os("TACHOMETER_VICTORIA_METRICS");
        let program = program.map_or_else(|| "victoria-metrics".into(), PathBuf::from);
        if !is_there("victoria-metrics", &[program.to_str()?, "-version"]) {
            return None;
        }
        let folder = Rc::new(Folder::new());
        let arguments = |command: &mut Command, address: SocketAddr| {
            command
                .arg(format!("-httpListenAddr={address}"))
                .arg(format!(
                    "-storageDataPath={}",
                    folder.0.join("data").display()
                ))
                .arg("-memory.allowedBytes=256MB")
                // Otherwise queries do not see the last 30 seconds.
                .arg("-search.latencyOffset=0s")
                .arg("-opentelemetry.usePrometheusNaming");
        };
        let start = Prometheus::start_on_free_port(&program, &folder, "health", arguments);
        Some(Self(start.await))
    }

    /// Returns the URL for OTLP.
    pub(crate) fn otlp_url(&self) -> String {
        self.0.url("opentelemetry/v1/metrics")
    }

    /// Returns the result of a query, after everything that was received.
    pub(crate) async fn query(&self, query: &str) -> Vec<(Value, f64)> {
        let flush = self.0.url("internal/force_flush");
        Caller::new(Version::HTTP_11).get(&flush).await.unwrap();
        // A query has whole seconds, and points have milliseconds.
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        self.0.query_at(query, now.unwrap().as_secs() + 1).await
    }

    /// Waits until a query returns `expected`.
    pub(crate) async fn until(&self, query: &str, expected: f64) {
        let mut last = None;
        let answers = async {
            while last != Some(expected) {
                last = self.query(query).await.first().map(|(_, value)| *value);
            }
        };
        let in_time = timeout(Duration::from_secs(30), answers).await.is_ok();
        assert!(in_time, "{query} is {last:?} and not {expected}");
    }
}
