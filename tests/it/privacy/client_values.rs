//! Which client values can become label values: the table in `docs/security.md`.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::http::header::HeaderName;
use axum::routing::get;
use http_body_util::BodyExt;
use tachometer::export::Format;
use tachometer::{Label, MetricsLayer, Registry};
use tower::ServiceExt;

use crate::support::read::sum;

const CANARY: &str = "CANARY";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

const HEADERS: [&str; 12] = [
    "authorization",
    "cookie",
    "forwarded",
    "grpc-status",
    "grpc-timeout",
    "host",
    "referer",
    "traceparent",
    "tracestate",
    "upgrade",
    "user-agent",
    "x-forwarded-proto",
];

fn app(registry: &Registry) -> Router {
    let layer = MetricsLayer::new()
        .registry(registry)
        .version_label()
        .scheme_label()
        .grpc_status_label()
        .exemplars()
        .time_to_head()
        .time_to_first_byte()
        .body_sizes()
        .methods(["PURGE"])
        .label_from_request(Label::closed("plan", ["free", "paid"]), |head| {
            Some(head.uri.path().into())
        })
        .label_from_request("customer", |head| {
            let customer = head.headers.get("x-customer")?.to_str().ok()?;
            Some(customer.into())
        });
    Router::new()
        .route("/users/{id}", get(async || "a user"))
        .layer(layer)
}

async fn send(app: &Router, request: Request<Body>) {
    let response = app.clone().oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap();
}

fn request(method: &str, uri: &str) -> Request<Body> {
    let request = Request::builder().method(method).uri(uri);
    let mut request = request.body(Body::from(CANARY)).unwrap();
    for name in HEADERS {
        let name = HeaderName::from_static(name);
        request.headers_mut().insert(name, CANARY.parse().unwrap());
    }
    request
}

fn all_exports(registry: &Registry) -> String {
    let formats = [
        Format::Text,
        Format::TextV1,
        Format::OpenMetrics,
        Format::Protobuf,
        Format::Json,
    ];
    let exported = formats.map(|format| {
        let bytes = registry.export(format).created_timestamps(true).to_bytes();
        String::from_utf8_lossy(&bytes).into_owned()
    });
    exported.concat()
}

#[tokio::test]
async fn clients_control_only_open_labels_and_the_trace_id() {
    let registry = Registry::new();
    let app = app(&registry);
    let mut requests = 0_u32;
    for method in ["GET", "POST", "PURGE", "CANARY"] {
        for uri in [
            "/CANARY/CANARY?CANARY=CANARY",
            "/users/CANARY?CANARY",
            "CANARY://CANARY-host/users/CANARY",
            "http://CANARY:CANARY@CANARY-host/CANARY",
        ] {
            let mut plain = request(method, uri);
            let content_type = "application/grpc+CANARY".parse().unwrap();
            let headers = plain.headers_mut();
            headers.insert("content-type", content_type);
            send(&app, plain).await;
            send(&app, request(method, uri)).await;
            requests += 2;
        }
    }
    assert!(!all_exports(&registry).contains(CANARY));
    let text = registry.export_prometheus();
    for label in [
        r#"method="_OTHER""#,
        r#"method="PURGE""#,
        r#"scheme="_OTHER""#,
        r#"route="/users/{id}""#,
        r#"route="unmatched""#,
        r#"plan="_overflow""#,
        r#"customer="none""#,
        r#"grpc_status="UNKNOWN""#,
    ] {
        assert!(text.contains(label), "{label} in {text}");
    }
    // Open labels hold values of the client, up to 256 bytes.
    for customer in ["CANARY", &"c".repeat(256), &"d".repeat(257)] {
        let mut request = Request::get("/users/7").header("x-customer", customer);
        request = request.header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"));
        send(&app, request.body(Body::empty()).unwrap()).await;
        requests += 1;
    }
    let exported = all_exports(&registry);
    assert!(exported.contains(r#"customer="CANARY""#));
    assert!(exported.contains(&"c".repeat(256)));
    assert!(!exported.contains("ddd"));
    assert!(exported.contains(r#"customer="_overflow""#));
    assert!(exported.contains(TRACE));
    let total = sum(&registry, "http_requests_total", &[]);
    assert_eq!(total, f64::from(requests));
}
