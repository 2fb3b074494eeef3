//! The names and labels of axum-prometheus, as recorded from version 0.10.1, and those of the
//! preset.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::get;
use tachometer::{MetricsLayer, Registry};
use tower::ServiceExt;

use crate::support::service::get_path;

/// Name behind the prefix, kind and labels of each metric, from `Traffic`, `BodySizeRecorder` and
/// `describe_metrics` there.
const RECORDED: [(&str, &str, &[&str]); 4] = [
    (
        "http_requests_total",
        "counter",
        &["method", "status", "endpoint"],
    ),
    (
        "http_requests_duration_seconds",
        "histogram",
        &["method", "status", "endpoint"],
    ),
    ("http_requests_pending", "gauge", &["method", "endpoint"]),
    // A summary there, unless the exporter has buckets for it.
    (
        "http_response_body_size",
        "histogram",
        &["method", "endpoint"],
    ),
];

/// The labels of the preset that axum-prometheus does not have, by metric.
const ADDED: [(&str, &str); 1] = [("http_requests_total", "outcome")];

/// `SECONDS_DURATION_BUCKETS` there.
const BUCKETS: [&str; 12] = [
    "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5", "1.0", "2.5", "5.0", "10.0", "+Inf",
];

fn layer(registry: &Registry) -> MetricsLayer {
    let layer = MetricsLayer::new().registry(registry);
    layer.axum_prometheus_names().body_sizes()
}

#[test]
fn the_preset_has_each_metric_of_axum_prometheus_with_its_labels() {
    for prefix in ["axum", "shop"] {
        let registry = Registry::new();
        let layer = match prefix {
            "axum" => layer(&registry),
            prefix => layer(&registry).prefix(prefix),
        };
        assert!(layer.try_register().is_ok());
        let metrics = registry.metrics();
        for (name, kind, labels) in RECORDED {
            let full = format!("{prefix}_{name}");
            let metric = metrics.iter().find(|metric| metric.name() == full);
            let metric = metric.unwrap_or_else(|| panic!("{full} is missing"));
            assert_eq!(metric.kind().as_str(), kind, "{full}");
            let added = ADDED.iter().filter(|(metric, _)| *metric == name);
            let mut expected: Vec<_> = labels.to_vec();
            expected.extend(added.map(|(_, label)| *label));
            expected.sort_unstable();
            let mut there: Vec<_> = metric.label_names().clone();
            there.sort_unstable();
            assert_eq!(there, expected, "{full}");
        }
    }
}

/// The application `basic` of axum-prometheus.
#[tokio::test]
async fn the_basic_example_has_the_same_series() {
    let registry = Registry::new();
    let app = Router::new()
        .route("/fast", get(async || "Hello"))
        .route("/bad", get(async || StatusCode::BAD_REQUEST))
        .layer(layer(&registry));
    for path in ["/fast", "/bad", "/fast"] {
        get_path(app.clone(), path).await;
    }
    let text = registry.export_prometheus();
    for (metric, labels, value) in [
        (
            "requests_total",
            r#"method="GET",endpoint="/fast",status="200",outcome="ok""#,
            2,
        ),
        (
            "requests_total",
            r#"method="GET",endpoint="/bad",status="400",outcome="client_error""#,
            1,
        ),
        (
            "requests_duration_seconds_count",
            r#"method="GET",endpoint="/fast",status="200""#,
            2,
        ),
        ("requests_pending", r#"method="GET",endpoint="/fast""#, 0),
        (
            "response_body_size_sum",
            r#"method="GET",endpoint="/fast""#,
            10,
        ),
        (
            "response_body_size_count",
            r#"method="GET",endpoint="/fast""#,
            2,
        ),
    ] {
        let line = format!("axum_http_{metric}{{{labels}}} {value}");
        assert!(text.lines().any(|there| there == line), "{line} in {text}");
    }
    let start = r#"axum_http_requests_duration_seconds_bucket{method="GET",endpoint="/fast""#;
    let buckets = text.lines().filter(|line| line.starts_with(start));
    let bounds = buckets.filter_map(|line| line.split_once("le=\"")?.1.split('"').next());
    assert_eq!(bounds.collect::<Vec<_>>(), BUCKETS);
}

/// The application `builder-example`, and `endpoint-type-example` with its fallback function.
#[tokio::test]
async fn grouped_and_renamed_endpoints_have_the_same_names() {
    let registry = Registry::new();
    let layer = layer(&registry)
        .prefix("builder_example")
        .group_routes("/foo", ["/foo/{bar}", "/foo/{bar}/{baz}"])
        .route_from(|request| {
            let has_template = request
                .extensions
                .get::<axum::extract::MatchedPath>()
                .is_some();
            (!has_template).then(|| format!("{}_changed", request.uri.path()).into())
        });
    let nested = Router::new().route("/qux/{a}", get(async || ""));
    let app = Router::new()
        .route("/foo/{bar}", get(async || ""))
        .route("/foo/{bar}/{baz}", get(async || ""))
        .nest("/baz", nested)
        .layer(layer);
    for path in ["/foo/1", "/foo/1/2", "/baz/qux/2", "/none"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        drop(app.clone().oneshot(request).await.unwrap());
    }
    let text = registry.export_prometheus();
    for (endpoint, requests) in [("/foo", 2), ("/baz/qux/{a}", 1), ("/none_changed", 1)] {
        let start =
            format!("builder_example_http_requests_total{{method=\"GET\",endpoint=\"{endpoint}\"");
        let mut lines = text.lines().filter(|line| line.starts_with(&start));
        let line = lines.next().unwrap_or_else(|| panic!("{start} in {text}"));
        assert!(line.ends_with(&format!(" {requests}")), "{line}");
        assert_eq!(lines.next(), None);
    }
}
