//! The positions in which users put the layer: each compiles, is served by `axum::serve`, and
//! counts what the guide says.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::error_handling::HandleErrorLayer;
use axum::extract::{ConnectInfo, DefaultBodyLimit, Request};
use axum::handler::Handler;
use axum::http::{Method, Response, StatusCode, Version};
use axum::middleware::{Next, from_fn};
use axum::routing::{any, get};
use axum::serve::IncomingStream;
use axum::{BoxError, Router};
use futures_util::FutureExt;
use tachometer::{MetricsLayer, MetricsRouter, Registry};
use tokio::net::TcpListener;
use tower::util::option_layer;
use tower::{Layer, Service, ServiceBuilder};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::services::ServeDir;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::support::loopback::Caller;
use crate::support::read::sum;
use crate::support::requests::requests;
use crate::support::warnings::warnings;

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(1);

/// What is requested in each position.
const PATHS: [&str; 6] = [
    "/users/7",
    "/api/items/9",
    "/static/lib.rs",
    "/panic",
    "/never",
    "/elsewhere",
];

fn layer(registry: &Registry) -> MetricsLayer {
    MetricsLayer::new().registry(registry)
}

fn routes() -> Router {
    let items = Router::new().route("/items/{item}", get(async || "an item"));
    let panics = async || -> &str { panic!("part of the test") };
    Router::new()
        .route("/users/{id}", get(async || "a user"))
        .route("/panic", get(panics))
        .route("/never", get(never.layer(timeout(SHORT))))
        .nest("/api", items)
        .nest_service("/static", ServeDir::new("src"))
}

async fn pass(request: Request, next: Next) -> axum::response::Response {
    next.run(request).await
}

async fn never() {
    std::future::pending::<()>().await;
}

fn timeout(limit: Duration) -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, limit)
}

/// Serves an application with `axum::serve`, makes a request to each path, and returns what was
/// counted after the server has ended.
async fn counted<M, S>(registry: &Registry, app: M, paths: &[&str]) -> Vec<String>
where
    M: for<'a> Service<IncomingStream<'a, TcpListener>, Error = Infallible, Response = S>,
    M: Send + 'static,
    for<'a> <M as Service<IncomingStream<'a, TcpListener>>>::Future: Send,
    S: Service<Request, Response = Response<Body>, Error = Infallible>,
    S: Clone + Send + 'static,
    S::Future: Send,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let server = axum::serve(listener, app).with_graceful_shutdown(stopped.map(drop));
    let server = tokio::spawn(server.into_future());
    let caller = Caller::new(Version::HTTP_11);
    for path in paths {
        let url = format!("http://{address}{path}");
        // The connection of a request that panics is closed.
        let call = caller.call(Method::GET, &url);
        let _ = tokio::time::timeout(LONG, call)
            .await
            .expect("a call hangs");
    }
    drop(caller);
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
    requests(registry)
}

#[tokio::test]
async fn the_last_layer_measures_everything() {
    let registry = Registry::new();
    let app = routes().layer(layer(&registry));
    let expected = [
        "GET /api/items/{item} 200 ok 1",
        "GET /never 504 server_error 1",
        "GET /panic none panic 1",
        "GET /static 200 ok 1",
        "GET /users/{id} 200 ok 1",
        "GET unmatched 404 client_error 1",
    ];
    assert_eq!(counted(&registry, app, &PATHS).await, expected);
}

#[test]
fn a_layer_before_the_routes_measures_what_matches_none_and_warns() {
    let registry = Registry::new();
    let serve = async {
        let app = Router::new()
            .layer(layer(&registry))
            .route("/users/{id}", get(async || "a user"))
            .nest_service("/static", ServeDir::new("src"));
        let paths = [&["/users/7", "/static/lib.rs"], &["/elsewhere"; 100][..]].concat();
        let expected = ["GET unmatched 404 client_error 100"];
        assert_eq!(counted(&registry, app, &paths).await, expected);
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let warnings = warnings(|| (), || runtime.block_on(serve));
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(
        warnings[0].contains("the layer was added before them"),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn a_route_layer_measures_all_but_what_matches_no_route() {
    let registry = Registry::new();
    let app = routes().route_layer(layer(&registry));
    let expected = [
        "GET /api/items/{item} 200 ok 1",
        "GET /never 504 server_error 1",
        "GET /panic none panic 1",
        "GET /static 200 ok 1",
        "GET /users/{id} 200 ok 1",
    ];
    assert_eq!(counted(&registry, app, &PATHS).await, expected);
}

#[tokio::test]
async fn a_layer_in_the_middle_of_a_service_builder_measures_what_is_inside() {
    let expected = [
        "GET /api/items/{item} 200 ok 1",
        "GET /never 504 server_error 1",
        "GET /panic 500 server_error 1",
        "GET /static 200 ok 1",
        "GET /users/{id} 200 ok 1",
        "GET unmatched 404 client_error 1",
    ];
    let registry = Registry::new();
    let stack = ServiceBuilder::new()
        .layer(TraceLayer::new_for_http())
        .layer(layer(&registry))
        .layer(CatchPanicLayer::new())
        .layer(timeout(LONG))
        .layer(CompressionLayer::new());
    let app = routes().layer(stack);
    assert_eq!(counted(&registry, app, &PATHS).await, expected);

    // Also with middleware that takes only axum's requests.
    let registry = Registry::new();
    let stack = ServiceBuilder::new()
        .layer(TraceLayer::new_for_http())
        .layer(layer(&registry))
        .layer(CatchPanicLayer::new())
        .layer(timeout(LONG))
        .layer(from_fn(pass));
    let app = routes().layer(stack);
    assert_eq!(counted(&registry, app, &PATHS).await, expected);
}

#[tokio::test]
async fn a_layer_between_others_measures_everything_and_each_panic() {
    type Place = (&'static str, fn(Router, MetricsLayer) -> Router);

    async fn failed(_: BoxError) -> StatusCode {
        StatusCode::GATEWAY_TIMEOUT
    }

    fn fallible(app: Router, limit: Duration) -> Router {
        let stack = ServiceBuilder::new().layer(HandleErrorLayer::new(failed));
        app.layer(stack.timeout(limit))
    }

    let places: [Place; 6] = [
        ("below compression", |app, layer| {
            app.layer(layer).layer(CompressionLayer::new())
        }),
        ("below a layer that catches panics", |app, layer| {
            app.layer(layer).layer(CatchPanicLayer::new())
        }),
        ("between two body limits", |app, layer| {
            app.layer(RequestBodyLimitLayer::new(100))
                .layer(layer)
                .layer(DefaultBodyLimit::max(200))
        }),
        ("around a layer that handles errors", |app, layer| {
            fallible(app, LONG).layer(layer)
        }),
        ("in a layer that handles errors", |app, layer| {
            fallible(app.layer(layer), LONG)
        }),
        ("between functions", |app, layer| {
            app.layer(from_fn(pass)).layer(layer).layer(from_fn(pass))
        }),
    ];
    let expected = [
        "GET /api/items/{item} 200 ok 1",
        "GET /never 504 server_error 1",
        "GET /panic none panic 1",
        "GET /static 200 ok 1",
        "GET /users/{id} 200 ok 1",
        "GET unmatched 404 client_error 1",
    ];
    for (name, place) in places {
        let registry = Registry::new();
        let app = place(routes(), layer(&registry));
        assert_eq!(counted(&registry, app, &PATHS).await, expected, "{name}");
    }

    // The layer is around a timeout, and in it.
    let registry = Registry::new();
    let app = Router::new().route("/never", get(never));
    let around = fallible(app.clone(), SHORT).layer(layer(&registry));
    let expected = ["GET /never 504 server_error 1"];
    assert_eq!(counted(&registry, around, &["/never"]).await, expected);
    let registry = Registry::new();
    let inside = fallible(app.layer(layer(&registry)), SHORT);
    let expected = ["GET /never none cancelled_before_head 1"];
    assert_eq!(counted(&registry, inside, &["/never"]).await, expected);
}

#[tokio::test]
async fn a_layer_on_a_part_measures_this_part_under_the_full_template() {
    type Place = (&'static str, fn(MetricsLayer) -> Router);

    let places: [Place; 3] = [
        ("a nested router", |layer| {
            Router::new()
                .route("/items/{item}", get(async || "an item"))
                .layer(layer)
        }),
        ("a method router", |layer| {
            Router::new().route("/items/{item}", get(async || "an item").layer(layer))
        }),
        ("a handler", |layer| {
            let handler = async || "an item";
            Router::new().route("/items/{item}", get(handler.layer(layer)))
        }),
    ];
    for (name, place) in places {
        let registry = Registry::new();
        let app = Router::new()
            .route("/users/{id}", get(async || "a user"))
            .nest("/api", place(layer(&registry)));
        let expected = ["GET /api/items/{item} 200 ok 1"];
        let paths = ["/users/7", "/api/items/9", "/elsewhere"];
        assert_eq!(counted(&registry, app, &paths).await, expected, "{name}");
    }
}

#[tokio::test]
async fn layers_on_a_nested_router_and_around_it_measure_each_request_once() {
    let registry = Registry::new();
    let items = Router::new().route("/items/{item}", get(async || "an item"));
    let app = Router::new()
        .route("/users/{id}", get(async || "a user"))
        .nest("/api", items.layer(layer(&registry)))
        .layer(layer(&registry));
    let expected = [
        "GET /api/items/{item} 200 ok 1",
        "GET /users/{id} 200 ok 1",
        "GET unmatched 404 client_error 1",
    ];
    let paths = ["/users/7", "/api/items/9", "/elsewhere"];
    assert_eq!(counted(&registry, app, &paths).await, expected);
}

#[tokio::test]
async fn two_merged_routers_with_layers_measure_each_request_once() {
    let registry = Registry::new();
    let one = Router::new()
        .route("/one", get(async || "one"))
        .layer(layer(&registry));
    let other = Router::new()
        .route("/other", get(async || "other"))
        .layer(layer(&registry));
    let expected = [
        "GET /one 200 ok 1",
        "GET /other 200 ok 1",
        "GET unmatched 404 client_error 1",
    ];
    let paths = ["/one", "/other", "/elsewhere"];
    assert_eq!(counted(&registry, one.merge(other), &paths).await, expected);
}

#[tokio::test]
async fn a_layer_around_a_router_is_served_and_takes_the_route_of_a_layer_inside() {
    let expected = [
        "GET /api/items/{item} 200 ok 1",
        "GET /never 504 server_error 1",
        "GET /panic none panic 1",
        "GET /static 200 ok 1",
        "GET /users/{id} 200 ok 1",
        "GET unmatched 404 client_error 1",
    ];
    let registry = Registry::new();
    let app = routes().layer(layer(&registry));
    let around = layer(&registry).layer(app.clone());
    assert_eq!(counted(&registry, around, &PATHS).await, expected);
    registry.reset_all();
    let around = layer(&registry).boxed().layer(app.clone());
    assert_eq!(counted(&registry, around.clone(), &PATHS).await, expected);
    registry.reset_all();
    let around = around.into_make_service();
    assert_eq!(counted(&registry, around, &PATHS).await, expected);

    // Without a layer inside, no route is known.
    let registry = Registry::new();
    let around = layer(&registry).layer(routes());
    let expected = [
        "GET fallback 200 ok 3",
        "GET fallback 504 server_error 1",
        "GET fallback none panic 1",
        "GET unmatched 404 client_error 1",
    ];
    assert_eq!(counted(&registry, around, &PATHS).await, expected);
}

#[tokio::test]
async fn a_layer_around_a_router_is_served_with_the_addresses_of_clients() {
    let registry = Registry::new();
    let peer = async |ConnectInfo(peer): ConnectInfo<SocketAddr>| peer.to_string();
    let app = Router::new()
        .route("/peer", any(peer))
        .layer(layer(&registry));
    let app = layer(&registry).boxed().layer(app);
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let expected = ["GET /peer 200 ok 1"];
    assert_eq!(counted(&registry, app, &["/peer"]).await, expected);
}

#[tokio::test]
async fn an_optional_layer_measures_everything_or_nothing() {
    for is_measured in [true, false] {
        let registry = Registry::new();
        let optional = is_measured.then(|| layer(&registry).boxed());
        let app = routes().layer(option_layer(optional));
        let expected = [
            "GET /api/items/{item} 200 ok 1",
            "GET /users/{id} 200 ok 1",
            "GET unmatched 404 client_error 1",
        ];
        let expected = if is_measured { &expected[..] } else { &[] };
        let paths = ["/users/7", "/api/items/9", "/elsewhere"];
        assert_eq!(counted(&registry, app, &paths).await, expected);

        registry.reset_all();
        let app = routes().layer(layer(&registry).enabled(is_measured));
        assert_eq!(counted(&registry, app, &paths).await, expected);
    }
}

#[tokio::test]
async fn scrapes_are_not_measured_and_two_routers_serve_one_registry() {
    let registry = Registry::new();
    let metrics = || MetricsRouter::new().registry(&registry).build();
    let count_scrapes = async |app: Router| {
        let paths = ["/users/7", "/metrics", "/internal/metrics"];
        counted(&registry, app, &paths).await
    };
    let app = routes()
        .nest("/metrics", metrics())
        .nest("/internal/metrics", metrics())
        .layer(layer(&registry));
    assert_eq!(count_scrapes(app).await, ["GET /users/{id} 200 ok 1"]);
    assert_eq!(sum(&registry, "tachometer_scrapes_total", &[]), 2.0);
    registry.reset_all();
    let app = routes()
        .nest("/metrics", metrics())
        .layer(layer(&registry))
        .nest("/internal/metrics", metrics());
    assert_eq!(count_scrapes(app).await, ["GET /users/{id} 200 ok 1"]);
    assert_eq!(sum(&registry, "tachometer_scrapes_total", &[]), 2.0);
}

#[tokio::test]
async fn a_nested_service_has_its_path_or_the_name_of_a_layer_around_it() {
    let registry = Registry::new();
    let files = || ServeDir::new("src");
    let named = layer(&registry).fallback_route("files");
    let app = Router::new()
        .nest_service("/static", files())
        .nest_service("/named", named.layer(files()))
        .layer(layer(&registry));
    let expected = [
        "GET /static 200 ok 1",
        "GET /static 404 client_error 1",
        "GET files 200 ok 1",
    ];
    let paths = ["/static/lib.rs", "/static/none", "/named/lib.rs"];
    assert_eq!(counted(&registry, app, &paths).await, expected);
}
