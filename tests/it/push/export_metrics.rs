//! Metrics about exports.

use std::time::Duration;

use tachometer::Registry;
use tachometer::push::Otlp;

use super::receiver::Answer::{Accept, Partial, RetryAfter, Status};
use super::receiver::{Answer, Receiver};
use crate::support::read::sum;

const EXPORTS: &str = "tachometer_otlp_exports_total";
const RESULTS: [&str; 4] = ["success", "partial", "rejected", "failed"];

/// Returns the number of exports by result, of rejected points, and whether there was a success.
fn values(registry: &Registry) -> ([f64; 4], f64, bool) {
    assert_eq!(registry.get(EXPORTS).unwrap().series(), RESULTS.len());
    let exports = RESULTS.map(|result| sum(registry, EXPORTS, &[("result", result)]));
    let value = |name: &str| registry.get(name).unwrap().value();
    let rejected = value("tachometer_otlp_rejected_points_total");
    (
        exports,
        rejected,
        value("tachometer_otlp_last_success_timestamp_seconds") > 0.0,
    )
}

async fn flush(registry: &Registry, answer: Answer) {
    let receiver = Receiver::new([answer]);
    let otlp: Otlp = receiver.otlp(registry).interval(Duration::MAX);
    let _ = otlp.start().unwrap().flush().await;
}

#[tokio::test(start_paused = true)]
async fn exports_are_counted_by_result_from_0() {
    let registry = Registry::new();
    let prefixed = registry.clone().with_prefix("shop_").unwrap();
    let _exporter = Receiver::default().otlp(&prefixed).start().unwrap();
    assert_eq!(values(&registry), ([0.0; 4], 0.0, false));
    flush(&registry, Status(401)).await;
    assert_eq!(values(&registry), ([0.0, 0.0, 1.0, 0.0], 0.0, false));
    flush(&registry, RetryAfter(503, "100")).await;
    assert_eq!(values(&registry), ([0.0, 0.0, 1.0, 1.0], 0.0, false));
    flush(&registry, Partial(7)).await;
    assert_eq!(values(&registry), ([0.0, 1.0, 1.0, 1.0], 7.0, true));
    flush(&registry, Accept).await;
    assert_eq!(values(&registry), ([1.0, 1.0, 1.0, 1.0], 7.0, true));
}

#[tokio::test]
async fn the_metrics_are_exported_too() {
    let registry = Registry::new();
    let receiver = Receiver::default();
    let exporter = receiver
        .otlp(&registry)
        .interval(Duration::MAX)
        .start()
        .unwrap();
    for _ in 0..2 {
        assert_eq!(exporter.flush().await, Ok(()));
    }
    assert_eq!(receiver.points("tachometer_otlp_exports_total").len(), 8);
    assert_eq!(receiver.total("tachometer_otlp_exports_total"), 1.0);
    assert_eq!(
        receiver
            .points("tachometer_otlp_rejected_points_total")
            .len(),
        2
    );
}
