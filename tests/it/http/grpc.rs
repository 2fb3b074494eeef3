//! gRPC calls, over real HTTP/2 and through tonic's own server.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, Version};
use futures_util::future::{BoxFuture, FutureExt};
use futures_util::stream;
use http_body::{Frame, SizeHint};
use http_body_util::{BodyExt, Full, StreamBody};
use tachometer::{MetricsLayer, Registry};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::loopback::Caller;
use crate::support::read::sum;

/// Answers each method differently.
#[derive(Clone)]
struct Echo;

impl NamedService for Echo {
    const NAME: &'static str = "test.Echo";
}

impl<B: Send + 'static> Service<Request<B>> for Echo {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let path = request.uri().path().to_owned();
        async move { Ok(answer(&path)) }.boxed()
    }
}

fn answer(path: &str) -> Response<Body> {
    let data = Frame::data(Bytes::from_static(&[0, 0, 0, 0, 0]));
    let trailers = |code: &'static str| {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static(code));
        Frame::trailers(trailers)
    };
    let frames = match path {
        "/test.Echo/Ok" => vec![data, trailers("0")],
        "/test.Echo/Internal" => vec![data, trailers("13")],
        "/test.Echo/Odd" => vec![data, trailers("ninety")],
        "/test.Echo/Silent" => vec![data],
        _ => vec![],
    };
    let frames = stream::iter(frames.into_iter().map(Ok::<_, Infallible>));
    let mut response = Response::new(Body::new(StreamBody::new(frames)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    if path == "/test.Echo/NotFound" {
        // A call that fails at once has its status in the headers.
        headers.insert("grpc-status", HeaderValue::from_static("5"));
    }
    response
}

#[tokio::test]
async fn the_code_of_a_grpc_call_is_read_from_headers_or_trailers_and_decides_its_outcome() {
    let registry = Registry::new();
    let layer = MetricsLayer::new()
        .registry(&registry)
        .grpc_status_label()
        .route_from(|head| Some(head.uri.path().into()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let incoming = tonic::transport::server::TcpIncoming::from(listener);
    let server = tonic::transport::Server::builder()
        .layer(layer)
        .add_service(Echo)
        .serve_with_incoming_shutdown(incoming, stopped.map(drop));
    let server = tokio::spawn(server);

    let caller = Caller::new(Version::HTTP_2);
    for method in ["Ok", "NotFound", "Internal", "Odd", "Silent"] {
        let url = format!("http://{address}/test.Echo/{method}");
        let content_type = [(CONTENT_TYPE, "application/grpc")];
        let response = caller
            .send(Method::POST, &url, &content_type)
            .await
            .unwrap();
        response.into_body().collect().await.unwrap();
    }
    drop(caller);
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();

    for (method, status, outcome) in [
        ("Ok", "OK", "ok"),
        ("NotFound", "NOT_FOUND", "client_error"),
        ("Internal", "INTERNAL", "server_error"),
        ("Odd", "UNKNOWN", "server_error"),
        ("Silent", "UNKNOWN", "server_error"),
    ] {
        let route = format!("/test.Echo/{method}");
        let labels = [
            ("route", &*route),
            ("grpc_status", status),
            ("outcome", outcome),
        ];
        assert_eq!(
            sum(&registry, "http_requests_total", &labels),
            1.0,
            "{method}"
        );
    }
    assert_eq!(sum(&registry, "http_requests_total", &[]), 5.0);
}

/// Calls a service that sends trailers after a body of known length; the caller reads all of it
/// or disconnects.
async fn call(registry: &Registry, content_type: &str, frames_read: usize) {
    let service = service_fn(async |_| {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("0"));
        let body = Full::new(Bytes::from_static(b"five!"));
        let body = body.with_trailers(async { Some(Ok::<_, Infallible>(trailers)) });
        Ok::<_, Infallible>(Response::new(KnownLength(Box::pin(body))))
    });
    let layer = MetricsLayer::new().registry(registry).grpc_status_label();
    let request = Request::post("/").header(CONTENT_TYPE, content_type);
    let request = request.body(String::new()).unwrap();
    let response = layer.layer(service).oneshot(request).await.unwrap();
    let mut body = response.into_body();
    for _ in 0..frames_read {
        body.frame().await.unwrap().unwrap();
    }
}

/// A body of known length with trailers.
struct KnownLength<B>(Pin<Box<B>>);

impl<B: http_body::Body> http_body::Body for KnownLength<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        self.0.as_mut().poll_frame(context)
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(5)
    }
}

#[tokio::test]
async fn trailers_that_are_read_decide_also_after_a_body_of_known_length() {
    for (frames_read, status, outcome) in [
        (2, "OK", "ok"),
        (1, "UNKNOWN", "server_error"),
        (0, "CANCELLED", "cancelled_in_body"),
    ] {
        let registry = Registry::new();
        call(&registry, "application/grpc+proto", frames_read).await;
        let labels = [("grpc_status", status), ("outcome", outcome)];
        assert_eq!(
            sum(&registry, "http_requests_total", &labels),
            1.0,
            "{status}"
        );
    }
}

#[tokio::test]
async fn grpc_web_and_other_requests_are_no_grpc_calls() {
    for content_type in [
        "application/grpc-web+proto",
        "application/json",
        "text/plain",
    ] {
        let registry = Registry::new();
        call(&registry, content_type, 2).await;
        let labels = [("grpc_status", "none"), ("outcome", "ok")];
        assert_eq!(
            sum(&registry, "http_requests_total", &labels),
            1.0,
            "{content_type}"
        );
    }
}
