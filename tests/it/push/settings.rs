//! Settings that are not valid, and runtimes that are not suitable.

use std::time::Duration;

use tachometer::Registry;
use tachometer::push::Otlp;
use tokio::runtime::Builder;

#[track_caller]
fn error(otlp: Otlp) -> String {
    let error = otlp.registry(&Registry::new()).start().unwrap_err();
    assert!(error.is_invalid_push(), "{error}");
    error.to_string()
}

#[tokio::test]
async fn settings_that_are_not_valid_are_errors_with_a_remedy() {
    for (otlp, texts) in [
        (
            Otlp::new().endpoint("otel:4318"),
            ["Otlp::endpoint", "`http://`"],
        ),
        (
            Otlp::new().metrics_endpoint("otel"),
            ["Otlp::metrics_endpoint", "`http://"],
        ),
        (
            Otlp::new().endpoint("http://u:CANARY@otel"),
            ["Otlp::endpoint", "`authorization`"],
        ),
        (
            Otlp::new().endpoint("https://otel"),
            ["`client`", "`reqwest_client`"],
        ),
        (
            Otlp::new().header("a b", "CANARY"),
            ["Otlp::header", "a name that is not valid"],
        ),
        (
            Otlp::new().header("a", "CANARY\n"),
            ["Otlp::header", "control characters"],
        ),
        (
            Otlp::new().header("Content-Length", "CANARY"),
            ["Otlp::header", "remove it"],
        ),
        (
            Otlp::new().interval(Duration::ZERO),
            ["Otlp::interval", "longer"],
        ),
    ] {
        let error = error(otlp);
        assert!(texts.iter().all(|text| error.contains(text)), "{error}");
        assert!(!error.contains("CANARY"), "{error}");
    }
    // The last call counts.
    let otlp = Otlp::new().endpoint("otel").endpoint("http://otel");
    assert!(otlp.registry(&Registry::new()).start().is_ok());
}

#[test]
fn a_start_without_a_suitable_runtime_is_an_error() {
    let text = error(Otlp::new());
    assert!(text.contains("`Runtime::enter`"), "{text}");
    let runtime = Builder::new_current_thread().enable_io().build().unwrap();
    let _entered = runtime.enter();
    let text = error(Otlp::new());
    assert!(text.contains("`enable_all`"), "{text}");
}

#[tokio::test]
async fn https_is_possible_with_a_client() {
    let receiver = super::receiver::Receiver::default();
    let otlp = receiver.otlp(&Registry::new()).endpoint("https://otel:1/a");
    let exporter = otlp.start().unwrap();
    assert_eq!(exporter.flush().await, Ok(()));
    assert_eq!(receiver.requests()[0].uri, "https://otel:1/a/v1/metrics");
}

#[tokio::test]
async fn a_name_of_the_exporters_metrics_that_is_taken_is_an_error() {
    let registry = Registry::new();
    registry
        .gauge("tachometer_otlp_exports_total", "Taken.")
        .unwrap();
    let error = Otlp::new().registry(&registry).start().unwrap_err();
    assert!(error.is_conflict());
    assert!(error.to_string().contains("rename that metric"), "{error}");
}
