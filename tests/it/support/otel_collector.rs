//! Starts an OpenTelemetry Collector that forwards what it receives.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tokio::net::TcpStream;

use crate::support::program::{Folder, Running};
use crate::support::skipped;
use crate::support::wait::until_ready;

/// A running collector.
pub(crate) struct OtelCollector {
    /// The base URL for OTLP.
    pub(crate) url: String,
    _running: Running,
    _folder: Folder,
}

impl OtelCollector {
    /// Starts the program that `TACHOMETER_OTEL_COLLECTOR` names, if it is set. It forwards
    /// metrics to a URL.
    pub(crate) async fn start(forward_to: &str) -> Option<Self> {
        let Some(program) = std::env::var_os("TACHOMETER_OTEL_COLLECTOR") else {
            // Never a failure: only `.ci/deep` builds it.
            skipped::note("OpenTelemetry Collector not found");
            return None;
        };
        let folder = Folder::new();
        let config = folder.0.join("collector.yml");
        // It is free now.
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let text = format!(
            "receivers: {{otlp: {{protocols: {{http: {{endpoint: '{address}'}}}}}}}}\n\
             processors: {{batch: {{timeout: 100ms}}}}\n\
             exporters: {{otlphttp: {{metrics_endpoint: '{forward_to}'}}}}\n\
             service:\n  telemetry: {{metrics: {{level: none}}}}\n  \
             pipelines: {{metrics: {{receivers: [otlp], processors: [batch], \
             exporters: [otlphttp]}}}}\n"
        );
        fs::write(&config, text).unwrap();
        let child = Command::new(PathBuf::from(program))
            .arg("--config")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(fs::File::create(folder.0.join("log")).unwrap())
            .spawn()
            .unwrap();
        let running = Running(child);
        until_ready(async || TcpStream::connect(address).await.is_ok()).await;
        Some(Self {
            url: format!("http://{address}/v1/metrics"),
            _running: running,
            _folder: folder,
        })
    }
}
