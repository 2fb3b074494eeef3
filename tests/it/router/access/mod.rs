//! Who may read the metrics, and what every response says.

mod credentials;
mod networks;

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::BodyExt;
use tachometer::{MetricsLayer, MetricsRouter, Registry};
use tower::ServiceExt;

use crate::support::loopback::Answer;
use crate::support::read::sum;
use crate::support::warnings::warnings;

const TOKEN: &str = "a token";
const RIGHT: &str = "Bearer a token";

/// Of `user:password`.
const RIGHT_BASIC: &str = "Basic dXNlcjpwYXNzd29yZA==";
const BASIC: &str = r#"Basic realm="metrics", charset="UTF-8""#;

fn metrics() -> MetricsRouter {
    let registry = Registry::new();
    registry.counter("jobs", "Jobs.").unwrap().inc();
    MetricsRouter::new().registry(&registry)
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).body(Body::empty()).unwrap()
}

fn from(peer: &str) -> Request<Body> {
    let mut request = get("/");
    let peer: SocketAddr = peer.parse().unwrap();
    request.extensions_mut().insert(ConnectInfo(peer));
    request
}

async fn answer(router: &Router, request: Request<Body>) -> Answer {
    let (head, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer {
        status: head.status,
        headers: head.headers,
        body: String::from_utf8(body.into()).unwrap(),
    }
}

async fn status(router: &Router, request: Request<Body>) -> StatusCode {
    answer(router, request).await.status
}

#[track_caller]
fn check_signed(headers: &HeaderMap) {
    assert_eq!(headers[CACHE_CONTROL], "no-store");
    assert_eq!(headers[X_CONTENT_TYPE_OPTIONS], "nosniff");
}

#[track_caller]
fn check_refused(answer: &Answer, status: StatusCode, challenges: &[&str]) {
    assert_eq!((answer.status, answer.body.as_str()), (status, ""));
    assert!(!answer.headers.contains_key(CONTENT_TYPE));
    let challenges_sent = answer.headers.get_all(WWW_AUTHENTICATE).iter();
    let challenges_sent: Vec<_> = challenges_sent
        .map(|value| value.to_str().unwrap())
        .collect();
    assert_eq!(challenges_sent, challenges);
    check_signed(&answer.headers);
}

/// Runs a future on this thread, and returns the warnings meanwhile.
fn warnings_of(run: impl Future<Output = ()>) -> Vec<String> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_all().build().unwrap();
    warnings(|| (), || runtime.block_on(run))
}

#[tokio::test]
async fn setting_the_registry_last_keeps_the_credentials() {
    let settings = metrics()
        .bearer_token(TOKEN)
        .allowed_networks(["::1"])
        .unwrap();
    let router = settings.registry(&Registry::new()).build();
    for (peer, expected) in [
        ("127.0.0.1:1", StatusCode::FORBIDDEN),
        ("[::1]:1", StatusCode::UNAUTHORIZED),
    ] {
        assert_eq!(status(&router, from(peer)).await, expected);
    }
}

#[tokio::test]
async fn a_nested_router_answers_only_its_own_paths() {
    let app: Router = Router::new()
        .nest("/metrics", metrics().bearer_token(TOKEN).build())
        .fallback(async || "the application");
    let refused = answer(&app, get("/metrics/json")).await;
    check_refused(&refused, StatusCode::UNAUTHORIZED, &["Bearer"]);
    for path in ["/", "/metrics/unknown"] {
        let answer = answer(&app, get(path)).await;
        assert_eq!(answer.body, "the application");
        assert!(!answer.headers.contains_key(CACHE_CONTROL));
    }
}

#[tokio::test]
async fn a_merged_router_keeps_the_404_of_the_application() {
    let registry = Registry::new();
    let app: Router = Router::new()
        .merge(metrics().bearer_token(TOKEN).build())
        .layer(MetricsLayer::new().registry(&registry));
    let refused = answer(&app, get("/json")).await;
    check_refused(&refused, StatusCode::UNAUTHORIZED, &["Bearer"]);
    let unknown = answer(&app, get("/unknown")).await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(!unknown.headers.contains_key(CACHE_CONTROL));
    let unmatched = [("route", "unmatched"), ("status", "404")];
    assert_eq!(sum(&registry, "http_requests_total", &unmatched), 1.0);
    assert_eq!(sum(&registry, "http_requests_total", &[]), 1.0);
}

#[tokio::test]
async fn a_query_that_is_too_long_is_not_read() {
    let router = metrics().bearer_token(TOKEN).build();
    let asking = |length: usize, shown: &'static str| {
        let mut request = get(&format!("/json?{}", "q".repeat(length)));
        let shown = HeaderValue::from_static(shown);
        request.headers_mut().insert(AUTHORIZATION, shown);
        request
    };
    assert_eq!(status(&router, asking(8_192, RIGHT)).await, StatusCode::OK);
    let refused = answer(&router, asking(8_193, RIGHT)).await;
    check_refused(&refused, StatusCode::URI_TOO_LONG, &[]);
    let refused = answer(&router, asking(60_000, "Bearer another")).await;
    check_refused(&refused, StatusCode::UNAUTHORIZED, &["Bearer"]);
}
