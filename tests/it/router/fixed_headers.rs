//! The headers that every response has, and that the layer measures none of them.

use axum::Router;
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, HeaderName, IF_NONE_MATCH, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt;
use tachometer::{MetricsLayer, MetricsRouter, Registry};

use super::scrape_options::send;
use crate::support::read::sum;

const PATHS: [&str; 10] = [
    "",
    "/json",
    "/json/",
    "/summary",
    "/view",
    "/grafana.json",
    "/rules.yml",
    "/dashboard",
    "/dashboard.css",
    "/dashboard.js",
];

/// Settings, a request and the status of the response.
type Refusal<'a> = (
    MetricsRouter,
    Method,
    &'a str,
    &'a [(HeaderName, &'a str)],
    StatusCode,
);

fn metrics() -> MetricsRouter {
    MetricsRouter::new().registry(&Registry::new())
}

#[track_caller]
fn check_headers(headers: &HeaderMap, cache_control: &str) {
    for (name, expected) in [
        (CACHE_CONTROL, cache_control),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        let values: Vec<_> = headers.get_all(&name).iter().collect();
        assert_eq!(values, [expected], "{name}");
    }
}

#[tokio::test]
async fn every_response_has_each_fixed_header_once_and_is_not_measured() {
    let long = format!("/metrics/json?{}", "q".repeat(8_193));
    let refusals: [Refusal<'_>; 8] = [
        (
            metrics().bearer_token("a token"),
            Method::GET,
            "/metrics/dashboard.js",
            &[(AUTHORIZATION, "Bearer another")],
            StatusCode::UNAUTHORIZED,
        ),
        (
            metrics().allowed_networks(["10.0.0.0/8"]).unwrap(),
            Method::GET,
            "/metrics",
            &[],
            StatusCode::FORBIDDEN,
        ),
        (
            metrics(),
            Method::POST,
            "/metrics/view",
            &[],
            StatusCode::METHOD_NOT_ALLOWED,
        ),
        (
            metrics(),
            Method::DELETE,
            "/metrics",
            &[],
            StatusCode::METHOD_NOT_ALLOWED,
        ),
        (metrics(), Method::GET, &long, &[], StatusCode::URI_TOO_LONG),
        (
            metrics().max_concurrent_scrapes(0),
            Method::GET,
            "/metrics",
            &[],
            StatusCode::SERVICE_UNAVAILABLE,
        ),
        (
            metrics().max_concurrent_scrapes(0),
            Method::GET,
            "/metrics/rules.yml",
            &[],
            StatusCode::SERVICE_UNAVAILABLE,
        ),
        (
            metrics(),
            Method::GET,
            "/metrics/dashboard/",
            &[],
            StatusCode::PERMANENT_REDIRECT,
        ),
    ];
    let registry = Registry::new();
    let app = |settings: MetricsRouter| {
        let app: Router = Router::new().nest("/metrics", settings.build());
        app.layer(MetricsLayer::new().registry(&registry))
    };
    for (settings, method, path, headers, status) in refusals {
        let answer = send(&app(settings), method, path, headers).await;
        assert_eq!(answer.status(), status, "{path}");
        check_headers(answer.headers(), "no-store");
        answer.into_body().collect().await.unwrap();
    }
    let app = app(metrics());
    for path in PATHS {
        for (method, headers) in [
            (Method::GET, &[][..]),
            (Method::HEAD, &[]),
            (Method::GET, &[(IF_NONE_MATCH, "*")]),
        ] {
            let answer = send(&app, method, &format!("/metrics{path}"), headers).await;
            let is_file = path.starts_with("/dashboard");
            let is_cached = is_file && !headers.is_empty();
            let expected = if is_cached { 304 } else { 200 };
            assert_eq!(answer.status(), expected, "{path}");
            let cache_control = if is_file { "no-cache" } else { "no-store" };
            check_headers(answer.headers(), cache_control);
            answer.into_body().collect().await.unwrap();
        }
    }
    assert_eq!(sum(&registry, "http_requests_total", &[]), 0.0);
    // The layer does measure what is not the router's.
    let unknown = send(&app, Method::GET, "/metrics/unknown", &[]).await;
    assert_eq!(unknown.status(), StatusCode::NOT_FOUND);
    assert!(!unknown.headers().contains_key(X_CONTENT_TYPE_OPTIONS));
    drop(unknown);
    assert_eq!(sum(&registry, "http_requests_total", &[]), 1.0);
}

#[cfg(feature = "serve")]
#[tokio::test]
async fn every_response_of_the_listener_has_each_fixed_header_once() {
    use axum::http::Version;
    use axum::http::header::HOST;

    use crate::support::loopback::Caller;

    let right = (AUTHORIZATION, "Bearer a token");
    let serving = metrics().bearer_token("a token");
    let serving = serving.serve_on("127.0.0.1:0").await.unwrap();
    let caller = Caller::new(Version::HTTP_11);
    for (method, path, headers, status) in [
        (Method::GET, "/metrics", vec![right.clone()], 200),
        (Method::GET, "/metrics/", vec![right.clone()], 200),
        (Method::GET, "/metrics/summary", vec![right.clone()], 200),
        (Method::GET, "/", vec![right.clone()], 200),
        (Method::GET, "/healthz", vec![], 200),
        (Method::POST, "/healthz", vec![], 405),
        (Method::GET, "/readyz", vec![], 200),
        (Method::GET, "/unknown", vec![], 401),
        (Method::GET, "/unknown", vec![right.clone()], 404),
        (Method::GET, "/metrics/unknown", vec![right.clone()], 404),
        (Method::POST, "/metrics", vec![right.clone()], 405),
        (Method::GET, "/healthz", vec![(HOST, "evil.example")], 421),
        (Method::GET, "/metrics", vec![(HOST, "a@b")], 400),
    ] {
        let url = format!("http://{}{path}", serving.local_addr());
        let answer = caller.send(method, &url, &headers).await.unwrap();
        assert_eq!(answer.status(), status, "{path}");
        check_headers(answer.headers(), "no-store");
        answer.into_body().collect().await.unwrap();
    }
    drop(caller);
    serving.shutdown().await;
}
