//! Custom labels on requests and durations.

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, Version};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http_body_util::BodyExt;
use tachometer::middleware::RequestLabels;
use tachometer::{Label, MetricsLayer, Registry};
use tower::ServiceExt;

use crate::support::read::sum;
use crate::support::service::get_path;

async fn user(labels: RequestLabels, headers: HeaderMap) -> Response {
    if headers.contains_key("x-cached") {
        assert!(labels.set("cache", "hit"));
        // It keeps its first value.
        assert!(!labels.set("cache", "miss"));
        assert!(!labels.set("no_such_label", "1"));
    }
    ([("x-shard", "7")], "a user").into_response()
}

fn app(layer: MetricsLayer) -> Router {
    Router::new().route("/users/{id}", get(user)).layer(layer)
}

async fn call(app: &Router, headers: &[(&str, &str)]) {
    let mut request = Request::get("/users/7");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap();
}

/// Returns how many requests and how many durations have these labels.
fn counted(registry: &Registry, labels: &[(&str, &str)]) -> (f64, f64) {
    (
        sum(registry, "http_requests_total", labels),
        sum(registry, "http_request_duration_seconds", labels),
    )
}

fn tenants(registry: &Registry) -> MetricsLayer {
    MetricsLayer::new()
        .registry(registry)
        .label_from_request("tenant", |head| {
            Some(head.headers.get("x-tenant")?.to_str().ok()?.into())
        })
}

#[tokio::test]
async fn labels_come_from_the_request_the_handler_and_the_response() {
    let registry = Registry::new();
    let layer = tenants(&registry)
        .label_from_handler(Label::closed("cache", ["hit", "miss"]))
        .label_from_response("shard", |head| {
            Some(head.headers.get("x-shard")?.to_str().ok()?.into())
        });
    let app = app(layer);
    call(&app, &[("x-tenant", "acme"), ("x-cached", "1")]).await;
    call(&app, &[]).await;
    get_path(app, "/nowhere").await;

    let all = [("tenant", "acme"), ("cache", "hit"), ("shard", "7")];
    assert_eq!(counted(&registry, &all), (1.0, 1.0));
    let none = [("tenant", "none"), ("cache", "none"), ("shard", "7")];
    assert_eq!(counted(&registry, &none), (1.0, 1.0));
    let nowhere = [("route", "unmatched"), ("cache", "none"), ("shard", "none")];
    assert_eq!(counted(&registry, &nowhere), (1.0, 1.0));
    // No other metric has them.
    assert_eq!(
        sum(
            &registry,
            "http_response_body_bytes_total",
            &[("tenant", "acme")]
        ),
        0.0
    );
}

#[tokio::test]
async fn labels_set_by_a_handler_without_a_layer_are_ignored() {
    let app = Router::new().route(
        "/users/{id}",
        get(async |labels: RequestLabels| {
            assert!(!labels.set("cache", "hit"));
        }),
    );
    call(&app, &[]).await;
}

#[tokio::test]
async fn values_past_the_limit_and_unlisted_values_become_overflow() {
    let registry = Registry::new();
    let app = app(tenants(&registry).label_limit(3));
    for tenant in ["a", "b", "c", "d", "e", "f"] {
        call(&app, &[("x-tenant", tenant)]).await;
    }
    // A missing value uses no place of the limit.
    call(&app, &[]).await;
    assert_eq!(counted(&registry, &[("tenant", "none")]), (1.0, 1.0));
    assert_eq!(counted(&registry, &[("tenant", "b")]), (1.0, 1.0));
    assert_eq!(counted(&registry, &[("tenant", "_overflow")]), (3.0, 3.0));

    let registry = Registry::new();
    let layer = MetricsLayer::new().registry(&registry).label_from_request(
        Label::closed("plan", ["free", "paid"]),
        |head| match head.headers.get("x-plan")?.to_str().ok()? {
            "free" => Some("free".into()),
            _ => Some("something else".into()),
        },
    );
    let app = self::app(layer);
    for headers in [&[("x-plan", "free")][..], &[("x-plan", "gold")], &[]] {
        call(&app, headers).await;
    }
    for value in ["free", "_overflow", "none"] {
        assert_eq!(
            counted(&registry, &[("plan", value)]),
            (1.0, 1.0),
            "{value}"
        );
    }
}

#[tokio::test]
async fn a_label_closure_that_panics_yields_no_value_and_fails_no_request() {
    let registry = Registry::new();
    let layer = MetricsLayer::new()
        .registry(&registry)
        .label_from_request("one", |_| panic!("part of the test"))
        .label_from_response("two", |_| panic!("part of the test"))
        .exemplar_from(|_| panic!("part of the test"))
        .route_from(|_| panic!("part of the test"));
    call(&app(layer), &[]).await;
    let labels = [("one", "none"), ("two", "none"), ("route", "/users/{id}")];
    assert_eq!(counted(&registry, &labels), (1.0, 1.0));
    let settings = [
        "label_from_request",
        "label_from_response",
        "exemplar_from",
        "route_from",
    ];
    for setting in settings {
        let labels = [("setting", setting)];
        let panics = sum(&registry, "tachometer_closure_panics_total", &labels);
        assert_eq!(panics, 1.0, "{setting}");
    }
}

#[tokio::test]
async fn version_scheme_and_the_class_of_the_status_are_labels_on_request() {
    let registry = Registry::new();
    let layer = MetricsLayer::new().registry(&registry);
    let app = app(layer.version_label().scheme_label().status_class());
    for (version, url) in [
        (Version::HTTP_09, "/users/7"),
        (Version::HTTP_10, "/users/7"),
        (Version::HTTP_11, "/users/7"),
        (Version::HTTP_3, "/users/7"),
        (Version::HTTP_2, "https://example.com/users/7"),
        (Version::HTTP_2, "gopher://example.com/nowhere"),
    ] {
        let request = Request::get(url).version(version);
        let request = request.body(Body::empty()).unwrap();
        app.clone().oneshot(request).await.unwrap();
    }
    for labels in [
        [("version", "0.9"), ("scheme", "none"), ("status", "2xx")],
        [("version", "1.0"), ("scheme", "none"), ("status", "2xx")],
        [("version", "1.1"), ("scheme", "none"), ("status", "2xx")],
        [("version", "3"), ("scheme", "none"), ("status", "2xx")],
        [("version", "2"), ("scheme", "https"), ("status", "2xx")],
        [("version", "2"), ("scheme", "_OTHER"), ("status", "4xx")],
    ] {
        assert_eq!(counted(&registry, &labels), (1.0, 1.0), "{labels:?}");
    }
}

#[tokio::test]
async fn a_duplicate_or_invalid_label_is_an_error_at_start_up() {
    for (label, fault) in [
        ("status", "status"),
        ("outcome", "outcome"),
        ("no-dash", "no-dash"),
    ] {
        let registry = Registry::new();
        let layer = MetricsLayer::new()
            .registry(&registry)
            .label_from_handler(label);
        let error = layer.try_register().unwrap_err();
        assert!(error.to_string().contains(fault), "{error}");
        // The failed registration leaves nothing: the layer without the label registers.
        assert!(
            MetricsLayer::new()
                .registry(&registry)
                .try_register()
                .is_ok()
        );
    }
}
