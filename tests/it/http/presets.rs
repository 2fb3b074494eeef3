//! Metric names of the presets, and prefixes.

use axum::Router;
use axum::routing::get;
use tachometer::{MetricsLayer, Registry};

use crate::support::service::get_path;

async fn exposition(layer: MetricsLayer, registry: &Registry) -> String {
    let app = Router::new()
        .route("/users/{id}", get(async || "a user"))
        .layer(layer.registry(registry));
    get_path(app, "/users/7").await;
    registry.export_prometheus()
}

#[tokio::test]
async fn a_preset_renames_metrics_and_labels_and_brings_its_bounds() {
    for (layer, lines) in [
        (
            MetricsLayer::new().otel_names(),
            &[
                r#"http_server_request_duration_seconds_bucket{http_request_method="GET",http_route="/users/{id}",http_response_status_code="200",network_protocol_version="1.1",url_scheme="none",le="0.075"} 1"#,
                r#"http_server_requests_total{http_request_method="GET",http_route="/users/{id}",http_response_status_code="200",network_protocol_version="1.1",url_scheme="none",outcome="ok"} 1"#,
                r#"http_server_active_requests{http_request_method="GET",http_route="/users/{id}"} 0"#,
            ],
        ),
        (
            MetricsLayer::new().axum_prometheus_names(),
            &[
                r#"axum_http_requests_total{method="GET",endpoint="/users/{id}",status="200",version="1.1",scheme="none",outcome="ok"} 1"#,
                r#"axum_http_requests_duration_seconds_count{method="GET",endpoint="/users/{id}",status="200",version="1.1",scheme="none"} 1"#,
                r#"axum_http_requests_pending{method="GET",endpoint="/users/{id}"} 0"#,
            ],
        ),
    ] {
        let registry = Registry::new();
        let layer = layer.version_label().scheme_label();
        let text = exposition(layer, &registry).await;
        for line in lines {
            assert!(text.lines().any(|there| there == *line), "{line} in {text}");
        }
    }
}

#[tokio::test]
async fn a_prefix_applies_to_the_names_of_its_layer_only() {
    let registry = Registry::new();
    registry.counter("orders_total", "").unwrap().inc();
    let text = exposition(MetricsLayer::new().prefix("shop_"), &registry).await;
    assert!(text.contains("\nshop_http_requests_total{"), "{text}");
    assert!(text.contains("\norders_total 1\n"), "{text}");
    assert!(!text.contains("\nhttp_"), "{text}");

    let bad = MetricsLayer::new().registry(&registry).prefix("7-");
    let error = bad.try_register().unwrap_err();
    assert!(error.is_invalid_name(), "{error}");
}

/// As the `with_prefix` of axum-prometheus does.
#[tokio::test]
async fn a_prefix_replaces_the_axum_of_axum_prometheus_names() {
    for prefix in ["shop", "shop_"] {
        let registry = Registry::new();
        // In any order of the two settings.
        let layer = MetricsLayer::new().prefix(prefix).axum_prometheus_names();
        let text = exposition(layer.body_sizes(), &registry).await;
        for line in [
            r#"shop_http_requests_total{method="GET",endpoint="/users/{id}",status="200",outcome="ok"} 1"#,
            r#"shop_http_requests_duration_seconds_count{method="GET",endpoint="/users/{id}",status="200"} 1"#,
            r#"shop_http_requests_pending{method="GET",endpoint="/users/{id}"} 0"#,
            r#"shop_http_response_body_size_sum{method="GET",endpoint="/users/{id}"} 6"#,
        ] {
            assert!(text.lines().any(|there| there == line), "{line} in {text}");
        }
        let metrics = registry.metrics();
        let names = metrics.iter().map(tachometer::metric::Metric::name);
        for name in names.filter(|name| !name.starts_with("tachometer_")) {
            assert!(name.starts_with("shop_http_"), "{name}");
        }
        assert_eq!(registry.lint(), []);

        let layer = MetricsLayer::new().axum_prometheus_names().prefix("shop");
        assert!(layer.registry(&registry).try_register().is_ok());
    }
    // A registry's own prefix comes first, as for all presets.
    let registry = Registry::new();
    let scoped = registry.clone().with_prefix("my_").unwrap();
    let layer = MetricsLayer::new().axum_prometheus_names();
    let text = exposition(layer.clone(), &scoped).await;
    assert!(text.contains("\nmy_axum_http_requests_total{"), "{text}");
    let text = exposition(layer.prefix("shop"), &scoped).await;
    assert!(text.contains("\nmy_shop_http_requests_total{"), "{text}");
}

/// With a prefix, two presets can have a name in common.
#[test]
fn equal_names_of_two_presets_are_a_conflict() {
    let registry = Registry::new();
    let layer = MetricsLayer::new().registry(&registry);
    let first = layer.clone().prefix("shop_").try_register();
    assert!(first.is_ok());
    let second = layer.clone().axum_prometheus_names().prefix("shop");
    let error = second.try_register().unwrap_err();
    assert!(error.is_conflict(), "{error}");
    assert!(
        error.to_string().contains("shop_http_requests_total"),
        "{error}"
    );

    let bad = layer.axum_prometheus_names().prefix("builder-example");
    let error = bad.try_register().unwrap_err();
    assert!(error.is_invalid_name(), "{error}");
    assert!(error.to_string().contains("builder-example"), "{error}");
}

/// Each preset uses each name once, and no label has the name of another.
#[tokio::test]
async fn all_presets_can_share_a_registry() {
    let registry = Registry::new();
    for layer in [
        MetricsLayer::new(),
        MetricsLayer::new().otel_names(),
        MetricsLayer::new().axum_prometheus_names(),
    ] {
        let layer = layer.registry(&registry);
        let layer = layer
            .time_to_head()
            .time_to_first_byte()
            .grpc_status_label()
            .body_sizes();
        let layer = layer.service_level("/", std::time::Duration::from_secs(1));
        assert!(layer.try_register().is_ok());
    }
}
