//! Exports a registry to memory, and decodes the requests with the official messages.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Request, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use tachometer::Registry;
use tachometer::push::Otlp;
use tower::service_fn;

use crate::support::program::{filter, is_there};

/// Returns true if the packages of OpenTelemetry are there.
pub(super) fn opentelemetry_python() -> bool {
    let packages = "import opentelemetry.proto.metrics, opentelemetry.sdk.metrics";
    is_there("opentelemetry-proto", &["python3", "-c", packages])
}

/// Exports a registry once, and returns the requests.
pub(super) fn requests(registry: &Registry, set: impl FnOnce(Otlp) -> Otlp) -> Vec<Bytes> {
    let bodies: Arc<Mutex<Vec<Bytes>>> = Arc::default();
    let requests = Arc::clone(&bodies);
    let client = service_fn(move |request: Request<Full<Bytes>>| {
        let requests = Arc::clone(&requests);
        async move {
            let body = request.into_body().collect().await?.to_bytes();
            requests.lock().unwrap().push(body);
            Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
        }
    });
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().unwrap();
    runtime.block_on(async {
        let otlp = Otlp::new().registry(registry).client(client);
        let exporter = set(otlp.interval(Duration::MAX)).start().unwrap();
        exporter.flush().await.unwrap();
    });
    let bodies = bodies.lock().unwrap();
    bodies.clone()
}

/// Decodes each request to its metrics.
pub(super) fn decode(requests: &[Bytes]) -> Vec<Value> {
    let lines = requests
        .iter()
        .map(|request| STANDARD.encode(request) + "\n");
    let lines: String = lines.collect();
    let printed = filter(
        Command::new("python3").args(["-c", include_str!("decode.py")]),
        &lines,
    );
    let decoded: Vec<Vec<Value>> = serde_json::from_str(&printed).unwrap();
    assert_eq!(decoded.len(), requests.len());
    decoded.into_iter().flatten().collect()
}

/// Exports a registry once, and returns its metrics by name, without those about the registry.
pub(super) fn export(
    registry: &Registry,
    set: impl FnOnce(Otlp) -> Otlp,
) -> BTreeMap<String, Value> {
    by_name(decode(&requests(registry, set)))
}

/// Returns metrics by their names, without those about the registry.
pub(super) fn by_name(metrics: Vec<Value>) -> BTreeMap<String, Value> {
    let mut by_name = BTreeMap::new();
    for metric in metrics {
        let name = metric["name"].as_str().unwrap().to_owned();
        if !name.starts_with("tachometer_") {
            assert_eq!(by_name.insert(name, metric), None);
        }
    }
    by_name
}

/// Returns the points of a metric.
pub(super) fn points(metric: &Value) -> &[Value] {
    metric["points"].as_array().unwrap()
}

/// Returns a number that is printed as text.
pub(super) fn number(text: &Value) -> f64 {
    text.as_str().unwrap().parse().unwrap()
}
