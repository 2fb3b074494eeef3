//! Compression, decompression and body limits.

use std::convert::Infallible;
use std::future::ready;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::{ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use axum::routing::get;
use http_body_util::BodyExt;
use tachometer::Registry;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};
use tower_http::compression::CompressionLayer;
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;

use super::{Stack, around, inside, metrics, outside, routes, stream, watched};

/// A text of 20,000 bytes that does not compress to almost nothing.
fn text() -> String {
    let mut random = fastrand::Rng::with_seed(3);
    (0..20_000).map(|_| random.alphabetic()).collect()
}

fn texts(registry: &Registry) -> Router {
    let chunks = get(async || stream(["one", "two", "three"]));
    let router = Router::new().route("/text", get(async || text()));
    watched(registry, router.route("/chunks", chunks))
}

fn compressed(method: Method, path: &str) -> Request {
    let request = Request::builder().method(method).uri(path);
    let request = request.header(ACCEPT_ENCODING, "gzip");
    request.body(Body::empty()).unwrap()
}

#[tokio::test]
async fn response_bytes_are_compressed_outside_of_compression_and_uncompressed_inside() {
    let layer = CompressionLayer::new();
    let stacks = outside(texts, &layer).map(|stack| (stack, true));
    let stacks = stacks.into_iter().chain([(around(texts, &layer), true)]);
    for (stack, is_outside) in stacks.chain(inside(texts, &layer).map(|stack| (stack, false))) {
        let answer = stack.send(compressed(Method::GET, "/text")).await;
        assert_eq!(answer.headers[CONTENT_ENCODING], "gzip");
        let length = answer.body.len();
        assert!(length < 16_000, "{length}");
        let head = stack.send(compressed(Method::HEAD, "/text")).await;
        assert!(head.body.is_empty());
        // Without `Accept-Encoding`.
        assert_eq!(stack.get("/chunks").await.body, "onetwothree");
        let bytes = if is_outside { length } else { 20_000 };
        stack.assert_counted(&[
            "GET /chunks: 1 ok 200; 0 bytes in, 11 out",
            &format!("GET /text: 1 ok 200; 0 bytes in, {bytes} out"),
            "HEAD /text: 1 ok 200; 0 bytes in, 0 out",
        ]);
    }
}

#[tokio::test]
async fn a_client_that_leaves_a_compressed_response_may_be_noticed_only_outside() {
    let layer = CompressionLayer::new();
    for stack in outside(texts, &layer) {
        let mut body = stack
            .open(compressed(Method::GET, "/text"))
            .await
            .into_body();
        let frame = body.frame().await.unwrap().unwrap();
        drop(body);
        let bytes = frame.data_ref().unwrap().len();
        let line = format!("GET /text: 1 cancelled_in_body 200; 0 bytes in, {bytes} out");
        stack.assert_counted(&[&line]);
    }
    // The compression has read the whole response before its own first bytes.
    for stack in inside(texts, &layer) {
        let mut body = stack
            .open(compressed(Method::GET, "/text"))
            .await
            .into_body();
        body.frame().await.unwrap().unwrap();
        drop(body);
        stack.assert_counted(&["GET /text: 1 ok 200; 0 bytes in, 20000 out"]);
    }
}

async fn gzip(text: &'static str) -> Bytes {
    let service =
        service_fn(move |_: Request| ready(Ok::<_, Infallible>(Response::new(Body::from(text)))));
    let service = CompressionLayer::new().layer(service);
    let response = service.oneshot(compressed(Method::GET, "/")).await.unwrap();
    response.into_body().collect().await.unwrap().to_bytes()
}

#[tokio::test]
async fn request_bytes_are_compressed_outside_of_decompression_and_decompressed_inside() {
    const TEXT: &str = "a text of more than thirty-two bytes, thirty-two bytes, thirty-two bytes";
    let layer = RequestDecompressionLayer::new();
    let body = gzip(TEXT).await;
    let length = body.len();
    assert!(length < TEXT.len());
    let upload = |encoding: &str| {
        Request::post("/upload")
            .header(CONTENT_ENCODING, encoding)
            .header(CONTENT_LENGTH, length)
            .body(Body::from(body.clone()))
            .unwrap()
    };
    let stacks = outside(routes, &layer).into_iter();
    for stack in stacks.chain([around(routes, &layer)]) {
        assert_eq!(stack.send(upload("gzip")).await.body, TEXT);
        let line = format!("POST /upload: 1 ok 200; {length} bytes in, 72 out");
        stack.assert_counted(&[&line]);
    }
    let [two_calls, one_builder] = inside(routes, &layer);
    assert_eq!(two_calls.send(upload("gzip")).await.body, TEXT);
    two_calls.assert_counted(&["POST /upload: 1 ok 200; 72 bytes in, 72 out"]);
    // In one `ServiceBuilder`, the type of the body is that of the decompression.
    assert_eq!(one_builder.send(upload("gzip")).await.body, TEXT);
    one_builder.assert_counted(&[
        "POST /upload: 1 ok 200; 0 bytes in, 72 out; http_request_body_unmeasured_total 1",
    ]);

    // An encoding that the layer does not know.
    for stack in outside(routes, &layer) {
        let answer = stack.send(upload("br")).await;
        assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
        stack.assert_counted(&["POST /upload: 1 client_error 415; 0 bytes in, 0 out"]);
    }
    for stack in inside(routes, &layer) {
        stack.send(upload("br")).await;
        stack.assert_counted(&[]);
    }
}

#[tokio::test]
async fn a_body_above_the_limit_is_counted_outside_and_inside_only_if_its_length_is_not_declared() {
    let layer = RequestBodyLimitLayer::new(8);
    let declared = || {
        let request = Request::post("/upload").header(CONTENT_LENGTH, 10);
        request.body(Body::from("0123456789")).unwrap()
    };
    let streamed = || stream(["01234", "56789"]);
    let stacks = outside(routes, &layer).into_iter();
    for stack in stacks {
        let answer = stack.send(declared()).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        let bytes = answer.body.len();
        let line = format!("POST /upload: 1 client_error 413; 0 bytes in, {bytes} out");
        stack.assert_counted(&[&line]);
        // All frames that the limit has read, and the one above it.
        let answer = stack.post("/upload", streamed()).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        let bytes = bytes + answer.body.len();
        let line = format!("POST /upload: 2 client_error 413; 10 bytes in, {bytes} out");
        stack.assert_counted(&[&line]);
    }
    for (stack, bytes_in, rest) in inside(routes, &layer)
        .into_iter()
        .zip([(5, ""), (0, "; http_request_body_unmeasured_total 1")])
        .map(|(stack, (bytes_in, rest))| (stack, bytes_in, rest))
    {
        let answer = stack.send(declared()).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        stack.assert_counted(&[]);
        let answer = stack.post("/upload", streamed()).await;
        assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
        let bytes = answer.body.len();
        let line =
            format!("POST /upload: 1 client_error 413; {bytes_in} bytes in, {bytes} out{rest}");
        stack.assert_counted(&[&line]);
    }
    let stack = around(routes, &layer);
    let bytes = stack.send(declared()).await.body.len();
    let line = format!("POST fallback: 1 client_error 413; 0 bytes in, {bytes} out");
    stack.assert_counted(&[&line]);
}

#[tokio::test]
async fn the_bytes_of_a_limited_body_are_counted_unless_it_is_in_the_same_service_builder() {
    let layer = RequestBodyLimitLayer::new(8);
    let stacks = outside(routes, &layer).into_iter();
    let [two_calls, one_builder] = inside(routes, &layer);
    for stack in stacks.chain([around(routes, &layer), two_calls]) {
        assert_eq!(stack.post("/upload", "12345").await.status, StatusCode::OK);
        stack.assert_counted(&["POST /upload: 1 ok 200; 5 bytes in, 5 out"]);
    }
    assert_eq!(
        one_builder.post("/upload", "12345").await.status,
        StatusCode::OK
    );
    one_builder.assert_counted(&[
        "POST /upload: 1 ok 200; 0 bytes in, 5 out; http_request_body_unmeasured_total 1",
    ]);
    let wrapped = Stack::new(|registry| {
        let layers = ServiceBuilder::new().layer(layer);
        routes(registry).layer(layers.layer(metrics(registry).wrap_request_body()))
    });
    assert_eq!(
        wrapped.post("/upload", "12345").await.status,
        StatusCode::OK
    );
    wrapped.assert_counted(&["POST /upload: 1 ok 200; 5 bytes in, 5 out"]);
}
