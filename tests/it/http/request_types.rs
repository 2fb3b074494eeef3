//! The layer keeps the type of requests: what fits below and around it, and which bodies are
//! counted.

use std::convert::Infallible;
use std::error::Error;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::header::CONTENT_LENGTH;
use axum::http::{Response, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use http_body::Body as _;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use tachometer::{MetricsLayer, Registry};
use tower::util::{MapRequestLayer, option_layer};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};

use crate::support::read::{series, sum};
use crate::support::service::get_path;

fn layer(registry: &Registry) -> MetricsLayer {
    MetricsLayer::new().registry(registry)
}

fn upload() -> Router {
    Router::new()
        .route("/upload", post(async |body: Bytes| body))
        .route("/users/{id}", get(async || "a user"))
}

async fn send<S, B>(service: S, body: impl Into<Body>) -> StatusCode
where
    S: Service<Request, Response = Response<B>, Error: std::fmt::Debug>,
    B: http_body::Body<Error: std::fmt::Debug>,
{
    let request = Request::post("/upload").body(body.into()).unwrap();
    let response = service.oneshot(request).await.unwrap();
    let status = response.status();
    let _ = response.into_body().collect().await;
    status
}

fn stream<const N: usize>(chunks: [&'static str; N]) -> Body {
    let chunks = chunks.map(Ok::<_, Infallible>);
    Body::from_stream(futures_util::stream::iter(chunks))
}

fn bytes(registry: &Registry) -> f64 {
    sum(registry, "http_request_body_bytes_total", &[])
}

#[tokio::test]
async fn a_function_below_the_layer_in_a_service_builder_gets_the_request_as_it_came() {
    let registry = Registry::new();
    let pass = async |request: Request, next: Next| next.run(request).await;
    let replace = async |request: Request, next: Next| {
        let (head, body) = request.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        next.run(Request::from_parts(head, body.into())).await
    };
    let stack = ServiceBuilder::new()
        .layer(layer(&registry))
        .layer(from_fn(pass))
        .layer(layer(&registry))
        .layer(from_fn(replace))
        .layer(layer(&registry));
    let app: Router = upload().layer(stack);
    assert_eq!(send(app.clone(), "12345").await, StatusCode::OK);
    assert_eq!(bytes(&registry), 5.0);
    assert_eq!(send(app, stream(["123", "456789"])).await, StatusCode::OK);
    assert_eq!(bytes(&registry), 14.0);
    let labels = [("route", "/upload")];
    assert_eq!(sum(&registry, "http_requests_total", &labels), 2.0);
    assert_eq!(sum(&registry, "http_requests_total", &[]), 2.0);
}

#[tokio::test]
async fn an_empty_body_is_not_wrapped_and_a_body_keeps_its_hints_and_trailers() {
    let registry = Registry::new();
    let service = layer(&registry).layer(service_fn(async |request: Request| {
        let mut body = request.into_body();
        let is_end_stream = body.is_end_stream();
        let length = body.size_hint().exact();
        let mut trailers = None;
        while let Some(frame) = body.frame().await {
            trailers = frame.unwrap().into_trailers().ok();
        }
        let seen = format!("{is_end_stream} {length:?} {}", trailers.is_some());
        Ok::<_, Infallible>(Response::new(seen))
    }));
    let trailers = async { Some(Ok([("checksum", "42")].into_iter().map(header).collect())) };
    let with_trailers = Body::new(Full::<Bytes>::from("12345").with_trailers(trailers));
    for (body, expected) in [
        (Body::empty(), "true Some(0) false"),
        (Body::from("12345"), "false Some(5) false"),
        (stream(["1", "2"]), "false None false"),
        (with_trailers, "false Some(5) true"),
    ] {
        let response = service.clone().oneshot(Request::new(body)).await.unwrap();
        let seen = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(seen, expected);
    }
    assert_eq!(bytes(&registry), 12.0);
}

fn header(
    (name, value): (&'static str, &'static str),
) -> (axum::http::HeaderName, axum::http::HeaderValue) {
    (name.parse().unwrap(), value.parse().unwrap())
}

#[tokio::test]
async fn a_body_that_is_dropped_half_read_counts_what_was_read() {
    let registry = Registry::new();
    let app = Router::new()
        .route(
            "/upload",
            post(async |request: Request| {
                let frame = request.into_body().frame().await;
                frame.unwrap().unwrap().into_data().unwrap()
            }),
        )
        .layer(layer(&registry));
    send(app, stream(["123", "456789"])).await;
    assert_eq!(bytes(&registry), 3.0);
}

/// Returns how many `axum::Error`s are around the error of a length limit.
fn depth(error: &axum::Error) -> usize {
    let mut depth = 0;
    let mut error: &dyn Error = error;
    while !error.is::<LengthLimitError>() {
        error = error.source().expect("the error of the limit");
        depth += 1;
    }
    depth
}

#[tokio::test]
async fn errors_of_bodies_keep_their_depth() {
    let registry = Registry::new();
    let read = service_fn(async |request: Request| {
        let error = request.into_body().collect().await.unwrap_err();
        Ok::<_, Infallible>(depth(&error).to_string().into_response())
    });
    let limit = MapRequestLayer::new(|request: Request| {
        request.map(|body| Body::new(Limited::new(body, 3)))
    });
    let bare = limit.layer(read);
    let measured = limit.layer(layer(&registry).layer(layer(&registry).layer(read)));
    for mut app in [
        Router::new().fallback_service(bare),
        Router::new().fallback_service(measured),
    ] {
        let response = app.call(Request::new(stream(["12", "34"]))).await.unwrap();
        let seen = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(seen, "1");
    }

    // Of the response, if the layer boxes it. Otherwise axum does, which adds an `axum::Error`.
    let failing = service_fn(async |_: Request| {
        let body = Body::new(Limited::new(Body::from("12345"), 3));
        Ok::<_, Infallible>(body.into_response())
    });
    for mut app in [
        Router::new().fallback_service(failing),
        Router::new().fallback_service(layer(&registry).boxed().layer(failing)),
    ] {
        let response = app.call(Request::new(Body::empty())).await.unwrap();
        let error = response.into_body().collect().await.unwrap_err();
        assert_eq!(depth(&error), 1);
    }
}

#[tokio::test]
async fn requests_with_bodies_of_other_types_are_counted_as_unmeasured() {
    let registry = Registry::new();
    let service = layer(&registry).fallback_route("all").layer(service_fn(
        async |request: Request<String>| Ok::<_, Infallible>(Response::new(request.into_body())),
    ));
    let unmeasured = || {
        let labels = [("route", "all"), ("method", "POST")];
        sum(&registry, "http_request_body_unmeasured_total", &labels)
    };
    for (length, expected) in [(Some("0"), 0.0), (Some("5"), 1.0), (None, 2.0)] {
        let mut request = Request::post("/");
        if let Some(length) = length {
            request = request.header(CONTENT_LENGTH, length);
        }
        let request = request.body("12345".to_owned()).unwrap();
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(
            response.into_body().collect().await.unwrap().to_bytes(),
            "12345"
        );
        assert_eq!(unmeasured(), expected);
    }
    assert_eq!(bytes(&registry), 0.0);

    // No body at all.
    let service = layer(&registry).layer(service_fn(async |_: Request<()>| {
        Ok::<_, Infallible>(Response::new(String::new()))
    }));
    service.oneshot(Request::new(())).await.unwrap();
    assert_eq!(
        sum(&registry, "http_request_body_unmeasured_total", &[]),
        2.0
    );
}

#[tokio::test]
async fn a_boxed_layer_around_a_router_is_served_by_axum() {
    let registry = Registry::new();
    let app = upload().layer(layer(&registry));
    let app = layer(&registry).boxed().layer(app);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let _serve = axum::serve(listener, app.clone().into_make_service());
    let connected = app.clone();
    let _service = connected.into_make_service_with_connect_info::<std::net::SocketAddr>();
    assert_eq!(send(app.clone(), "12345").await, StatusCode::OK);
    assert_eq!(get_path(app, "/users/7").await, StatusCode::OK);
    for route in ["/upload", "/users/{id}"] {
        let labels = [("route", route), ("outcome", "ok")];
        assert_eq!(sum(&registry, "http_requests_total", &labels), 1.0);
    }
    assert_eq!(sum(&registry, "http_response_body_bytes_total", &[]), 11.0);
}

#[tokio::test]
async fn a_layer_can_be_optional_or_switched_off() {
    let registry = Registry::new();
    for is_enabled in [false, true] {
        let optional = is_enabled.then(|| layer(&registry).boxed());
        let app: Router = upload().layer(option_layer(optional));
        assert_eq!(get_path(app, "/users/7").await, StatusCode::OK);

        let switched = layer(&registry).enabled(is_enabled);
        let stack = ServiceBuilder::new()
            .layer(switched.clone().try_register().unwrap())
            .layer(switched.clone().boxed())
            .layer(switched.wrap_request_body())
            .map_request(|request: Request<_>| request.map(Body::new));
        let app: Router = upload().layer(stack);
        assert_eq!(send(app, "12345").await, StatusCode::OK);
        let calls = if is_enabled { 2.0 } else { 0.0 };
        assert_eq!(sum(&registry, "http_requests_total", &[]), calls);
        assert_eq!(series(&registry) > 0, is_enabled);
        assert_eq!(registry.get("http_requests_total").is_some(), is_enabled);
    }
}
