//! Layers on the global registry, which no other test of this program uses.

use tachometer::{Buckets, LlmLayer, MetricsLayer, Registry};

#[test]
fn try_new_registers_the_metrics_of_a_layer_at_once_or_returns_the_conflict() {
    let has = |name| Registry::global().get(name).is_some();
    assert!(!has("llm_requests_total") && !has("http_requests_total"));
    assert!(LlmLayer::try_new().is_ok());
    assert!(has("llm_requests_total"));
    assert!(MetricsLayer::try_new().is_ok());
    assert!(has("http_requests_total"));
    // Again, they are the same metrics; with other buckets they are not.
    assert!(LlmLayer::try_new().is_ok() && MetricsLayer::try_new().is_ok());
    let other = LlmLayer::new()
        .buckets(Buckets::new(&[1.0]).unwrap())
        .try_register();
    assert!(other.unwrap_err().is_conflict());
}
