//! Metrics of the tokio runtime.

use std::sync::Arc;
use tachometer::Registry;
use tokio::runtime::{Builder, Handle};
use tokio::sync::Notify;

fn value(registry: &Registry, name: &str) -> f64 {
    registry.get(name).unwrap().value()
}

#[test]
fn a_runtime_reports_its_workers_and_tasks() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(3)
        .build()
        .unwrap();
    let registry = Registry::new();
    registry.register_tokio_metrics(runtime.handle()).unwrap();
    assert_eq!(value(&registry, "tokio_workers"), 3.0);
    assert_eq!(
        registry
            .get("tokio_worker_busy_seconds_total")
            .unwrap()
            .series(),
        3
    );
    let before = value(&registry, "tokio_alive_tasks");
    let end = Arc::new(Notify::new());
    let task = runtime.spawn({
        let end = Arc::clone(&end);
        async move { end.notified().await }
    });
    assert_eq!(value(&registry, "tokio_alive_tasks"), before + 1.0);
    end.notify_one();
    runtime.block_on(task).unwrap();
    let text = registry.export_prometheus();
    assert!(
        text.contains("tokio_worker_parks_total{worker=\"2\"} "),
        "{text}"
    );
    assert!(text.contains("tokio_global_queue_depth "), "{text}");
    // It outlives the runtime, and keeps none alive.
    drop(runtime);
    assert_eq!(value(&registry, "tokio_workers"), 3.0);
}

#[tokio::test]
async fn runtimes_share_a_registry_by_prefixes() {
    let registry = Registry::new();
    let runtime = Handle::current();
    registry.register_tokio_metrics(&runtime).unwrap();
    let error = registry.register_tokio_metrics(&runtime).unwrap_err();
    assert!(error.is_conflict());
    let other = registry.clone().with_prefix("other_").unwrap();
    other.register_tokio_metrics(&runtime).unwrap();
    assert_eq!(value(&registry, "other_tokio_workers"), 1.0);
}
