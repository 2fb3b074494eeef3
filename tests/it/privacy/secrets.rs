//! No output of the crate holds data of a client's request, of the service's response, or
//! credentials for the metrics.
//!
//! For LLM calls see `tests/llm_clients/secrets.rs`.

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use axum::routing::{any, get};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use futures_util::stream;
use http_body::Frame;
use http_body_util::{BodyExt, StreamBody};
use tachometer::export::Format;
use tachometer::{Label, MetricsLayer, MetricsRouter, Registry};
use tower::ServiceExt;

use crate::support::read::sum;
use crate::support::warnings::warnings;

/// Part of every text of the client or the service. Matched in any case, since header names and
/// hosts are lowercased.
const CANARY: &str = "canary";
/// The same, for hexadecimal texts.
const HEX: &str = "ca7a12ca7a12ca7a12ca7a12ca7a12ca";
const TOKEN: &str = "canary-token";
const USER: &str = "canary-user";
const PASSWORD: &str = "canary-password";

#[track_caller]
fn assert_silent(what: &str, text: &[u8]) {
    let text = String::from_utf8_lossy(text).to_lowercase();
    let encoded = BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}"));
    for secret in [CANARY, HEX, &encoded.to_lowercase()] {
        if let Some(at) = text.find(secret) {
            let around: String = text[..at].chars().rev().take(80).collect();
            let before: String = around.chars().rev().collect();
            panic!("{what} contains {secret} after {before:?}");
        }
    }
}

const HEADERS: [&str; 22] = [
    "accept",
    "accept-language",
    "authorization",
    "baggage",
    "content-encoding",
    "cookie",
    "forwarded",
    "grpc-timeout",
    "host",
    "if-match",
    "origin",
    "proxy-authorization",
    "range",
    "referer",
    "sec-websocket-key",
    "traceparent",
    "tracestate",
    "user-agent",
    "x-canary-name",
    "x-forwarded-for",
    "x-request-id",
    "x-tenant",
];

/// Adds a secret under every header name, invalid if the header has a grammar.
fn plant(headers: &mut HeaderMap) {
    for name in HEADERS {
        let value = format!("canary-{name}");
        let value = HeaderValue::from_str(&value).unwrap();
        headers.append(HeaderName::from_static(name), value);
    }
}

/// Every kind of request that has a secret in its path, query, host and headers.
fn requests() -> Vec<Request<Body>> {
    let targets = [
        "/users/canary-id?key=canary-query#canary-fragment",
        "/canary-path/canary?canary=canary",
        "http://canary-user:canary-password@canary.example/users/canary-id?canary=1",
        "//canary-host/%63%61%6eary",
        "/pkg.Service/Canary",
        "/fails/canary",
    ];
    let methods = ["GET", "HEAD", "POST", "OPTIONS", "CANARY", "canary-METHOD"];
    let kinds = [
        "application/grpc+canary",
        "text/event-stream;canary",
        "canary/canary",
    ];
    let mut requests = Vec::new();
    for target in targets {
        for method in methods {
            for kind in kinds {
                let request = Request::builder().uri(target).method(method);
                let body = Body::from("canary-body {\"canary\": \"canary-json\"}");
                let mut request = request.header(CONTENT_TYPE, kind).body(body).unwrap();
                let trace = format!("00-{HEX}-{}-01", &HEX[..16]);
                let trace = HeaderValue::from_str(&trace).unwrap();
                let headers = request.headers_mut();
                headers.insert("traceparent", trace);
                plant(headers);
                requests.push(request);
            }
        }
    }
    requests
}

/// Answers with secrets in every place of a response, its trailers included.
async fn answer(request: Request<Body>) -> Response<Body> {
    // The body of a request is read, so that its bytes are counted.
    let read = request.into_body().collect().await.unwrap().to_bytes();
    assert!(read.starts_with(b"canary"));
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("canary-status"));
    trailers.insert("grpc-message", HeaderValue::from_static("canary-message"));
    trailers.insert("x-canary", HeaderValue::from_static("canary-trailer"));
    let frames = [
        Frame::data(Bytes::from_static(b"canary-answer")),
        Frame::trailers(trailers),
    ];
    let frames = stream::iter(frames.map(Ok::<_, std::io::Error>));
    let mut response = Response::new(Body::new(StreamBody::new(frames)));
    plant(response.headers_mut());
    response
}

/// A service that uses every setting of the layer, with labels from values that are not secret.
fn app(registry: &Registry) -> Router {
    let tenant = Label::closed("tenant", ["a", "b"]);
    let handler = Label::closed("cache", ["hit"]);
    let answered = Label::closed("answered", ["yes"]);
    let layer = MetricsLayer::new()
        .registry(registry)
        .label_from_request(tenant, |head| {
            let tenant = head.headers.get("x-tenant")?.to_str().ok()?;
            Some(tenant.into())
        })
        .label_from_response(answered, |response| {
            let value = response.headers.get("x-request-id")?.to_str().ok()?;
            Some(value.into())
        })
        .label_from_handler(handler)
        .time_to_head()
        .time_to_first_byte()
        .body_sizes()
        .version_label()
        .scheme_label()
        .grpc_status_label();
    let labels = async |labels: tachometer::middleware::RequestLabels| {
        labels.set("cache", "canary-label");
        (StatusCode::INTERNAL_SERVER_ERROR, "canary-error")
    };
    Router::new()
        .route("/users/{id}", any(answer))
        .route("/pkg.Service/{method}", any(answer))
        .route("/fails/{id}", any(labels))
        .route("/broken", get(async || "canary"))
        .layer(layer)
}

async fn fetch(router: &Router, request: Request<Body>) -> (StatusCode, Vec<u8>) {
    let (head, body) = router.clone().oneshot(request).await.unwrap().into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    // The head of the response is an output, too.
    let mut text = format!("{:?}\n", head.headers).into_bytes();
    text.extend(body);
    (head.status, text)
}

/// Requests everything that the router serves, with valid and with invalid credentials.
async fn read_all(registry: &Registry) {
    let router: Router = MetricsRouter::new()
        .registry(registry)
        .bearer_token(TOKEN)
        .basic_auth(USER, PASSWORD)
        .build();
    let basic = BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}"));
    let right = [format!("Bearer {TOKEN}"), format!("Basic {basic}")];
    let wrong = [
        format!("Bearer {TOKEN}x"),
        format!("Basic {basic}x"),
        format!("Digest {TOKEN}"),
        "canary".to_owned(),
    ];
    let mut paths = vec!["/", "/json", "/summary"];
    if cfg!(feature = "dashboard") {
        paths.extend(["/dashboard", "/view", "/grafana.json", "/rules.yml"]);
    }
    let formats = [
        "text/plain",
        "text/plain;version=1.0.0",
        "application/openmetrics-text;version=1.0.0",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited",
        "canary/canary",
    ];
    for path in paths {
        for format in formats {
            for (values, is_right) in [(&right[..], true), (&wrong[..], false)] {
                for value in values {
                    let uri = format!("{path}?name[]=canary&name[]=http_requests_total&canary=1");
                    let uri = if path == "/" && is_right { path } else { &uri };
                    let mut request = Request::get(uri).body(Body::empty()).unwrap();
                    plant(request.headers_mut());
                    let value = HeaderValue::from_str(value).unwrap();
                    request.headers_mut().insert(AUTHORIZATION, value);
                    let format = HeaderValue::from_static(format);
                    request.headers_mut().insert("accept", format);
                    let (status, text) = fetch(&router, request).await;
                    let expected = if is_right { 200 } else { 401 };
                    assert_eq!(status, expected, "{path}");
                    assert_silent(path, &text);
                }
            }
        }
    }
    let request = Request::get("/canary").body(Body::empty()).unwrap();
    assert_silent("an unknown path", &fetch(&router, request).await.1);
    for method in [Method::POST, Method::OPTIONS] {
        let request = Request::builder().method(method).uri("/canary?canary");
        let mut request = request.body(Body::from(CANARY)).unwrap();
        plant(request.headers_mut());
        assert_silent("a refusal", &fetch(&router, request).await.1);
    }
}

#[test]
fn no_output_contains_data_of_clients_or_the_service_or_credentials() {
    let registry = Registry::new();
    let app = app(&registry);
    let mut sent = 0;
    let events = warnings(
        || (),
        || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            let runtime = builder.enable_all().build().unwrap();
            runtime.block_on(async {
                for request in requests() {
                    let response = app.clone().oneshot(request).await.unwrap();
                    // Read to the end, or dropped unread.
                    if sent % 3 > 0 {
                        let _ = response.into_body().collect().await;
                    }
                    sent += 1;
                }
                read_all(&registry).await;
            });
        },
    );
    for event in events {
        assert_silent("an event", event.as_bytes());
    }
    for format in [
        Format::Text,
        Format::TextV1,
        Format::OpenMetrics,
        Format::Protobuf,
        Format::Json,
    ] {
        let text = registry.export(format).created_timestamps(true).to_bytes();
        assert_silent(format.as_str(), &text);
    }
    assert_silent("the summary", registry.summary().to_json().as_bytes());
    for block in registry.gather() {
        assert_silent("a snapshot", format!("{block:?}").as_bytes());
    }

    // All were counted, those with secrets under placeholders.
    let requests = |labels: &[_]| sum(&registry, "http_requests_total", labels);
    assert_eq!(requests(&[]), f64::from(sent));
    assert_eq!(requests(&[("method", "_OTHER")]), f64::from(sent) / 3.0);
    assert!(requests(&[("route", "/users/{id}")]) > 0.0);
    assert!(requests(&[("route", "unmatched")]) > 0.0);
    assert_eq!(requests(&[("tenant", "a")]), 0.0);
}
