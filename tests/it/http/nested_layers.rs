//! Requests that pass two layers.

use std::convert::Infallible;
use std::future::pending;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::extract::MatchedPath;
use axum::http::{Request, Response, StatusCode};
use axum::routing::{get, post};
use futures_util::FutureExt;
use tachometer::middleware::RequestLabels;
use tachometer::{MetricsLayer, Registry, RequestRoute};
use tower::buffer::Buffer;
use tower::util::MapRequestLayer;
use tower::{Layer, ServiceBuilder, ServiceExt, service_fn};

use crate::support::read::sum;
use crate::support::service::get_path;

fn layer(registry: &Registry) -> MetricsLayer {
    MetricsLayer::new().registry(registry)
}

fn users() -> Router {
    Router::new().route("/users/{id}", get(async || "a user"))
}

/// Returns how many requests were counted, in all and with this route.
fn counted(registry: &Registry, route: &str) -> (f64, f64) {
    let requests = |labels: &[_]| sum(registry, "http_requests_total", labels);
    assert_eq!(sum(registry, "http_requests_in_flight", &[]), 0.0);
    let durations = sum(registry, "http_request_duration_seconds", &[]);
    assert_eq!(durations, requests(&[]));
    (requests(&[]), requests(&[("route", route)]))
}

#[tokio::test]
async fn a_layer_around_the_service_learns_the_route_from_the_one_inside() {
    let registry = Registry::new();
    let app = layer(&registry).layer(users().layer(layer(&registry)));
    get_path(app.clone(), "/users/7").await;
    assert_eq!(counted(&registry, "/users/{id}"), (1.0, 1.0));
    get_path(app, "/elsewhere").await;
    assert_eq!(counted(&registry, "unmatched"), (2.0, 1.0));
}

#[tokio::test]
async fn layers_on_nested_merged_and_outer_routers_count_a_request_once() {
    let registry = Registry::new();
    let app = Router::new()
        .nest("/api", users().layer(layer(&registry)))
        .merge(
            Router::new()
                .route("/merged", get(async || "merged"))
                .layer(layer(&registry)),
        )
        .fallback(async || StatusCode::NOT_FOUND)
        .layer(layer(&registry))
        .layer(layer(&registry));
    for (path, route) in [
        ("/api/users/7", "/api/users/{id}"),
        ("/merged", "/merged"),
        ("/elsewhere", "unmatched"),
    ] {
        registry.reset_all();
        get_path(app.clone(), path).await;
        assert_eq!(counted(&registry, route), (1.0, 1.0), "{path}");
    }
}

#[tokio::test]
async fn layers_of_two_registries_both_count() {
    let (inner, outer) = (Registry::new(), Registry::new());
    let app = layer(&outer).layer(users().layer(layer(&inner)));
    get_path(app, "/users/7").await;
    assert_eq!(counted(&inner, "/users/{id}"), (1.0, 1.0));
    assert_eq!(counted(&outer, "fallback"), (1.0, 1.0));

    // So do two handles with different prefixes.
    let registry = Registry::new();
    let shop = registry.clone().with_prefix("shop_").unwrap();
    let app = users().layer(layer(&registry)).layer(layer(&shop));
    get_path(app, "/users/7").await;
    assert_eq!(counted(&registry, "/users/{id}"), (1.0, 1.0));
    assert_eq!(sum(&registry, "shop_http_requests_total", &[]), 1.0);
}

#[tokio::test]
async fn a_request_made_by_a_handler_is_counted_separately() {
    let registry = Registry::new();
    let inner = users().layer(layer(&registry));
    let app = Router::new()
        .route(
            "/batch",
            get(async move || {
                get_path(inner.clone(), "/users/1").await;
                get_path(inner, "/users/2").await;
                "both"
            }),
        )
        .layer(layer(&registry));
    get_path(app, "/batch").await;
    assert_eq!(counted(&registry, "/users/{id}"), (3.0, 2.0));
}

#[tokio::test]
async fn a_panic_between_two_layers_leaves_nothing_behind() {
    let registry = Registry::new();
    let app = Router::new()
        .route(
            "/panic",
            get(async || -> &str { panic!("part of the test") }),
        )
        .merge(users())
        .layer(layer(&registry))
        .layer(layer(&registry));
    let request = Request::get("/panic").body(Body::empty()).unwrap();
    let panicked = tokio::spawn(app.clone().oneshot(request)).await;
    assert!(panicked.unwrap_err().is_panic());
    let outcomes = |outcome| sum(&registry, "http_requests_total", &[("outcome", outcome)]);
    assert_eq!((outcomes("panic"), outcomes("ok")), (1.0, 0.0));
    // On this very thread, and in a layer that is alone.
    get_path(app, "/users/7").await;
    get_path(users().layer(layer(&registry)), "/users/7").await;
    assert_eq!((outcomes("panic"), outcomes("ok")), (1.0, 2.0));
}

#[tokio::test]
async fn a_request_whose_body_is_replaced_between_two_layers_is_counted_once() {
    let registry = Registry::new();
    let inner = users().layer(layer(&registry));
    let app = inner
        .layer(MapRequestLayer::new(|request: Request<Body>| {
            request.map(|_| Body::from("another"))
        }))
        .layer(layer(&registry));
    for calls in 1..=5 {
        get_path(app.clone(), "/users/7").await;
        let all = f64::from(calls);
        assert_eq!(counted(&registry, "/users/{id}"), (all, all));
    }
}

#[tokio::test]
async fn an_inner_layer_without_a_route_does_not_override_a_reported_one() {
    let registry = Registry::new();
    let forgetful = MapRequestLayer::new(|mut request: Request<Body>| {
        request.extensions_mut().remove::<MatchedPath>();
        request
    });
    let deep = Router::new()
        .fallback(async || "deep")
        .layer(layer(&registry));
    let app = Router::new()
        .route_service("/deep/{id}", forgetful.layer(deep))
        .layer(layer(&registry));
    let app = layer(&registry).layer(app);
    get_path(app, "/deep/7").await;
    assert_eq!(counted(&registry, "/deep/{id}"), (1.0, 1.0));
}

#[tokio::test]
async fn a_request_without_its_extensions_is_counted_by_both_layers() {
    let registry = Registry::new();
    let forgetful =
        MapRequestLayer::new(|request: Request<Body>| Request::new(request.into_body()));
    let inner = Router::new()
        .fallback(async || "all")
        .layer(layer(&registry));
    let app = Router::new()
        .route_service("/deep/{id}", forgetful.layer(inner))
        .layer(layer(&registry));
    get_path(app, "/deep/7").await;
    assert_eq!(counted(&registry, "/deep/{id}"), (2.0, 1.0));
}

#[tokio::test]
async fn a_request_that_gets_the_extensions_of_another_is_not_counted() {
    let registry = Registry::new();
    let inner = users().layer(layer(&registry));
    let app = Router::new()
        .route(
            "/batch",
            get(async move |request: Request<Body>| {
                let (mut head, body) = request.into_parts();
                head.uri = "/users/1".parse().unwrap();
                inner.oneshot(Request::from_parts(head, body)).await
            }),
        )
        .layer(layer(&registry));
    get_path(app, "/batch").await;
    assert_eq!(counted(&registry, "/batch"), (1.0, 1.0));
}

#[tokio::test]
async fn layers_on_two_tasks_count_a_request_once_with_its_route() {
    let registry = Registry::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let handler = async move || {
        sink.lock().unwrap().push(RequestRoute::current());
        "a user"
    };
    let inner = Router::new()
        .route("/users/{id}", get(handler))
        .layer(layer(&registry));
    let spawning = service_fn(move |request: Request<Body>| {
        let response = tokio::spawn(inner.clone().oneshot(request));
        async move { Ok::<_, Infallible>(response.await.unwrap().unwrap()) }
    });
    get_path(layer(&registry).layer(spawning.clone()), "/users/7").await;
    assert_eq!(counted(&registry, "/users/{id}"), (1.0, 1.0));

    // Also if the inner layer itself is called by the worker of a buffer.
    let buffer = Buffer::new(spawning, 4);
    let app = Router::new().fallback_service(ServiceBuilder::new().service_fn(
        move |request: Request<Body>| {
            let response = buffer.clone().oneshot(request);
            async move { Ok::<_, Infallible>(response.await.unwrap()) }
        },
    ));
    get_path(app.layer(layer(&registry)), "/users/8").await;
    assert_eq!(counted(&registry, "/users/{id}"), (2.0, 2.0));
    let names: Vec<_> = seen.lock().unwrap().drain(..).collect();
    assert_eq!(names.len(), 2);
    assert!(
        names
            .iter()
            .all(|route| route.name() == Some("/users/{id}"))
    );
    assert_eq!(RequestRoute::current().name(), None);
}

#[tokio::test]
async fn a_request_without_a_response_has_the_route_that_a_layer_inside_knows() {
    let registry = Registry::new();
    let inner = Router::new()
        .route(
            "/panic",
            get(async || -> &str { panic!("part of the test") }),
        )
        .route("/never", get(pending::<()>))
        .layer(layer(&registry));
    let app = layer(&registry).layer(inner);
    let request = |path| Request::get(path).body(Body::empty()).unwrap();
    let panicked = tokio::spawn(app.clone().oneshot(request("/panic"))).await;
    assert!(panicked.unwrap_err().is_panic());
    assert!(
        app.clone()
            .oneshot(request("/never"))
            .now_or_never()
            .is_none()
    );
    for (route, outcome) in [("/panic", "panic"), ("/never", "cancelled_before_head")] {
        let labels = [("route", route), ("outcome", outcome)];
        assert_eq!(sum(&registry, "http_requests_total", &labels), 1.0);
    }
    assert_eq!(counted(&registry, "/never"), (2.0, 1.0));

    // Also if it is on another task and the outer one is not polled again.
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let sender = Arc::new(Mutex::new(Some(sender)));
    let handler = async move || {
        let _ = sender.lock().unwrap().take().unwrap().send(());
        pending::<()>().await;
    };
    let inner = Router::new()
        .route("/late", get(handler))
        .layer(layer(&registry));
    let spawning = service_fn(move |request: Request<Body>| {
        tokio::spawn(inner.clone().oneshot(request));
        pending::<Result<Response<Body>, Infallible>>()
    });
    let call = layer(&registry).layer(spawning).oneshot(request("/late"));
    let mut call = Box::pin(call);
    assert!((&mut call).now_or_never().is_none());
    receiver.await.unwrap();
    drop(call);
    assert_eq!(counted(&registry, "/late"), (3.0, 1.0));
}

#[tokio::test]
async fn the_bytes_of_a_request_are_under_the_route_that_a_layer_inside_knows() {
    let registry = Registry::new();
    let inner = Router::new()
        .route("/upload", post(async |body: String| body))
        .layer(layer(&registry));
    let app = layer(&registry).layer(inner);
    let request = Request::post("/upload").body(Body::from("12345")).unwrap();
    app.oneshot(request).await.unwrap();
    let bytes = |labels: &[_]| sum(&registry, "http_request_body_bytes_total", labels);
    assert_eq!(bytes(&[("route", "/upload")]), 5.0);
    assert_eq!(bytes(&[]), 5.0);
}

#[tokio::test]
async fn each_of_two_layers_counts_what_the_other_one_skips() {
    let registry = Registry::new();
    let skips = || layer(&registry).skip(|_, _| true);
    let app = skips().layer(users().layer(layer(&registry)));
    get_path(app, "/users/7").await;
    assert_eq!(counted(&registry, "/users/{id}"), (1.0, 1.0));
    let app = layer(&registry).layer(users().layer(skips()));
    get_path(app, "/users/7").await;
    assert_eq!(counted(&registry, "/users/{id}"), (2.0, 2.0));
}

#[tokio::test]
async fn layers_of_two_registries_both_receive_labels_of_the_handler() {
    let (inner, outer) = (Registry::new(), Registry::new());
    let with_label = |registry| layer(registry).label_from_handler("cache");
    let handler = async |labels: RequestLabels| {
        assert!(labels.set("cache", "hit"));
    };
    let app = Router::new()
        .route("/users/{id}", get(handler))
        .layer(with_label(&inner))
        .layer(with_label(&outer));
    get_path(app, "/users/7").await;
    for registry in [inner, outer] {
        let labels = [("cache", "hit")];
        assert_eq!(sum(&registry, "http_requests_total", &labels), 1.0);
    }
}
