//! Additional HTTP methods in the label `method`.

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use axum::routing::any;
use tachometer::{MetricsLayer, Registry};
use tower::ServiceExt;

use crate::support::read::{series, sum};

async fn send(app: &Router, method: &str) {
    let request = Request::builder().method(method).uri("/files/7");
    let request = request.body(Body::from("12345")).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    axum::body::to_bytes(response.into_body(), 100)
        .await
        .unwrap();
}

fn app(layer: MetricsLayer) -> Router {
    let handler = any(async |body: String| (StatusCode::MULTI_STATUS, body));
    Router::new().route("/files/{id}", handler).layer(layer)
}

#[tokio::test]
async fn additional_methods_keep_their_names_and_all_others_are_other() {
    let registry = Registry::new();
    let layer = MetricsLayer::new().registry(&registry);
    let layer = layer
        .methods(["PURGE", "GET"])
        .methods(["PROPFIND", "PURGE"]);
    let app = app(layer.time_to_head());
    for method in ["PURGE", "PROPFIND", "MOVE", "purge", "GET", "PURGE"] {
        send(&app, method).await;
    }
    for (method, requests) in [
        ("PURGE", 2.0),
        ("PROPFIND", 1.0),
        ("GET", 1.0),
        ("_OTHER", 2.0),
    ] {
        let labels = [("method", method)];
        for metric in [
            "http_requests_total",
            "http_request_duration_seconds",
            "http_time_to_head_seconds",
        ] {
            assert_eq!(
                sum(&registry, metric, &labels),
                requests,
                "{metric} {method}"
            );
        }
        for metric in [
            "http_request_body_bytes_total",
            "http_response_body_bytes_total",
        ] {
            let bytes = 5.0 * requests;
            assert_eq!(sum(&registry, metric, &labels), bytes, "{metric} {method}");
        }
    }
    assert_eq!(sum(&registry, "http_requests_total", &[]), 6.0);
    assert_eq!(sum(&registry, "http_requests_in_flight", &[]), 0.0);
}

#[tokio::test]
async fn predeclared_and_routed_requests_share_the_series_of_an_additional_method() {
    let registry = Registry::new();
    let purge = Method::from_bytes(b"PURGE").unwrap();
    let layer = MetricsLayer::new().registry(&registry).methods(["PURGE"]);
    let layer = layer.predeclare(purge, "/files/{id}", [StatusCode::MULTI_STATUS]);
    let layer = layer.try_register().unwrap();
    let declared = series(&registry);
    send(&app(layer), "PURGE").await;
    // The bytes of both bodies.
    assert_eq!(series(&registry), declared + 2);
    assert_eq!(
        sum(&registry, "http_requests_total", &[("method", "PURGE")]),
        1.0
    );
}

#[test]
fn an_invalid_method_and_too_many_are_errors_that_name_value_and_remedy() {
    let layer = || MetricsLayer::new().registry(&Registry::new());
    for name in ["", "PURGE ALL", "LÖSCHEN", "a\nb"] {
        let error = layer().methods(["PURGE", name]).try_register().unwrap_err();
        assert!(error.is_invalid_method(), "{error}");
        let text = error.to_string();
        assert!(text.contains(&format!("{name:?}")), "{text}");
        assert!(text.contains("MetricsLayer::methods"), "{text}");
        assert!(text.contains("use letters"), "{text}");
    }
    let names = |count| (0..count).map(|n| format!("M{n}"));
    assert!(layer().methods(names(64)).try_register().is_ok());
    let error = layer().methods(names(65)).try_register().unwrap_err();
    assert!(error.is_invalid_method(), "{error}");
    let text = error.to_string();
    assert!(
        text.contains("65") && text.contains("64") && text.contains("remove"),
        "{text}"
    );
}

#[tokio::test]
async fn the_last_of_64_methods_has_its_name() {
    let registry = Registry::new();
    let names = (0..64).map(|n| format!("M{n}"));
    let app = app(MetricsLayer::new().registry(&registry).methods(names));
    for method in ["M63", "M0", "M64"] {
        send(&app, method).await;
    }
    for method in ["M63", "M0", "_OTHER"] {
        let labels = [("method", method)];
        assert_eq!(
            sum(&registry, "http_requests_total", &labels),
            1.0,
            "{method}"
        );
    }
}
