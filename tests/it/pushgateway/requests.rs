//! What requests contain.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::body::Bytes;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, USER_AGENT};
use axum::http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use tachometer::export::Format;
use tachometer::push::Pushgateway;
use tower::service_fn;

use super::{jobs, pushgateway};
use crate::support::loopback::Server;

type Requests = Arc<Mutex<Vec<Request<Bytes>>>>;

/// Uses a client that keeps requests, and accepts all of them.
fn keep_requests(settings: Pushgateway) -> (Pushgateway, Requests) {
    let requests = Requests::default();
    let kept = Arc::clone(&requests);
    let settings = settings.client(service_fn(move |request: Request<Full<Bytes>>| {
        let kept = Arc::clone(&kept);
        async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            kept.lock().unwrap().push(Request::from_parts(head, body));
            Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
        }
    }));
    (settings, requests)
}

#[tokio::test]
async fn requests_have_the_method_the_group_the_headers_and_the_text() {
    let registry = jobs();
    let settings = pushgateway("https://h:9091/prefix/", &registry)
        .grouping("path", "/var/tmp")
        .header("x-scope", "tenant")
        .basic_auth("user", "pass:word");
    let (settings, requests) = keep_requests(settings);
    let client = settings.build().unwrap();
    client.push().await.unwrap();
    client.clone().push_add().await.unwrap();
    client.delete().await.unwrap();
    let text = registry.export(Format::Text).to_bytes();
    let requests = std::mem::take(&mut *requests.lock().unwrap());
    let methods: Vec<_> = requests.iter().map(Request::method).collect();
    assert_eq!(methods, [Method::PUT, Method::POST, Method::DELETE]);
    for request in requests {
        let headers = request.headers();
        let has_metrics = request.method() != Method::DELETE;
        assert_eq!(
            request.uri(),
            "https://h:9091/prefix/metrics/job/backup/path@base64/L3Zhci90bXA"
        );
        assert_eq!(headers["x-scope"], "tenant");
        assert_eq!(headers[AUTHORIZATION], "Basic dXNlcjpwYXNzOndvcmQ=");
        assert!(headers[AUTHORIZATION].is_sensitive());
        assert!(
            headers[USER_AGENT]
                .to_str()
                .unwrap()
                .starts_with("tachometer/")
        );
        let kind = headers.get(CONTENT_TYPE).map(|kind| kind.to_str().unwrap());
        assert_eq!(kind, has_metrics.then_some(Format::Text.content_type()));
        assert_eq!(request.body(), if has_metrics { &*text } else { b"" });
    }
}

#[tokio::test]
async fn the_global_registry_is_pushed_by_default() {
    let (settings, requests) = keep_requests(Pushgateway::new("http://h", "j"));
    tachometer::counter("pushed_by_default_total", "").inc();
    settings.build().unwrap().push().await.unwrap();
    let requests = requests.lock().unwrap();
    let text = String::from_utf8_lossy(requests[0].body());
    assert!(text.contains("\npushed_by_default_total 1\n"), "{text}");
}

/// With the built-in client, and with one of reqwest.
#[tokio::test]
async fn a_body_is_sent_whole_with_its_length() {
    let app = axum::Router::new().fallback(async |request: Request<axum::body::Body>| {
        let length = request.headers()["content-length"]
            .to_str()
            .unwrap()
            .to_owned();
        let body = request.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(length, body.len().to_string());
        assert!(body.ends_with(b"\n"));
    });
    let server = Server::start(app).await;
    let registry = jobs();
    let family = registry.gauge_family("g", "", ["x"]).unwrap().limit(20_000);
    for number in 0..20_000 {
        family.with([&number.to_string()]).set(number);
    }
    let url = format!("http://{}", server.address);
    let client = pushgateway(&url, &registry).build().unwrap();
    client.push().await.unwrap();
    #[cfg(feature = "reqwest")]
    {
        // The client needs a provider of TLS, even for `http`.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let settings = pushgateway(&url, &registry);
        let client = settings.reqwest_client(reqwest::Client::new());
        client.build().unwrap().push().await.unwrap();
    }
    drop(client);
    server.stop().await;
}
