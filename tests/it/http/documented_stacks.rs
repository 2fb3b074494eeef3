//! Whole stacks of middleware as the documentation of axum, tower-http and other metrics layers
//! shows them, with the layer in its place. Each compiles, and counts a request once.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::error_handling::{HandleError, HandleErrorLayer};
use axum::extract::{DefaultBodyLimit, FromRef, Path, Request, State};
use axum::handler::{Handler, HandlerWithoutStateExt};
use axum::http::header::{AUTHORIZATION, HeaderName, SERVER};
use axum::http::{HeaderValue, Method, Response, StatusCode, Uri};
use axum::middleware::{
    Next, from_extractor, from_fn, from_fn_with_state, map_request, map_response,
};
use axum::response::IntoResponse;
use axum::routing::{delete, get};
use axum::{BoxError, Extension, Router, ServiceExt as _};
use futures_util::future::BoxFuture;
use http_body_util::BodyExt;
use tachometer::{MetricsLayer, MetricsRouter, Registry};
use tower::util::MapRequestLayer;
use tower::{Layer, Service, ServiceBuilder, ServiceExt as _, service_fn};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::{Any, CorsLayer};
use tower_http::decompression::RequestDecompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::normalize_path::NormalizePathLayer;
use tower_http::request_id::{
    MakeRequestId, PropagateRequestIdLayer, RequestId, SetRequestIdLayer,
};
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::support::requests::requests;
use crate::support::service::get_path;

/// The name of a stack, and what builds it around the layer.
type Stack = (&'static str, fn(MetricsLayer) -> Router);

const LONG: Duration = Duration::from_secs(60);

/// The path of the request that each stack gets.
const PATH: &str = "/users/7";
const COUNTED: [&str; 1] = ["GET /users/{id} 200 ok 1"];

fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/users/{id}", get(async || "a user"))
}

/// Sends the request to an application, and checks that it is counted once.
async fn assert_counted<S, B>(name: &str, registry: &Registry, app: S, path: &str)
where
    S: Service<Request, Response = Response<B>, Error: std::fmt::Debug>,
    B: http_body::Body<Error: std::fmt::Debug>,
{
    assert_eq!(get_path(app, path).await, StatusCode::OK, "{name}");
    assert_eq!(requests(registry), COUNTED, "{name}");
}

/// Checks the stacks whose outermost part is a router.
async fn assert_all_counted(stacks: &[Stack]) {
    for (name, stack) in stacks {
        let registry = Registry::new();
        let app = stack(MetricsLayer::new().registry(&registry));
        assert_counted(name, &registry, app, PATH).await;
    }
}

async fn pass(request: Request, next: Next) -> axum::response::Response {
    next.run(request).await
}

async fn failed(_: BoxError) -> StatusCode {
    StatusCode::INTERNAL_SERVER_ERROR
}

fn timeout() -> TimeoutLayer {
    TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, LONG)
}

#[tokio::test]
async fn stacks_of_the_guide_of_axum_to_middleware() {
    assert_all_counted(&[
        ("several calls of layer", |metrics| {
            routes()
                .layer(Extension(1))
                .layer(metrics)
                .layer(Extension("two"))
        }),
        ("a service builder with an extension", |metrics| {
            let stack = ServiceBuilder::new().layer(TraceLayer::new_for_http());
            routes().layer(stack.layer(metrics).layer(Extension(1)))
        }),
        ("a tuple of layers", |metrics| {
            routes().layer((TraceLayer::new_for_http(), metrics, timeout()))
        }),
        ("functions and extractors", |metrics| {
            let stack = ServiceBuilder::new()
                .layer(from_fn(pass))
                .layer(metrics)
                .layer(from_fn(pass))
                .layer(from_extractor::<Method>())
                .layer(map_request(async |request: Request| request))
                .layer(map_response(async |response: Response<Body>| response));
            routes().layer(stack)
        }),
        ("closures of the service builder", |metrics| {
            let stack = ServiceBuilder::new()
                .map_request(|request: Request| request)
                .layer(metrics)
                .map_request(|request: Request| request)
                .map_response(IntoResponse::into_response)
                .then(async |result: Result<_, Infallible>| result);
            routes().layer(stack)
        }),
        ("an error handler above a timeout", |metrics| {
            let stack = ServiceBuilder::new()
                .layer(metrics)
                .layer(HandleErrorLayer::new(failed))
                .layer(tower::timeout::TimeoutLayer::new(LONG));
            routes().layer(stack)
        }),
        ("below an error handler and a timeout", |metrics| {
            let stack = ServiceBuilder::new()
                .layer(HandleErrorLayer::new(failed))
                .layer(tower::timeout::TimeoutLayer::new(LONG))
                .layer(metrics);
            routes().layer(stack)
        }),
        ("an error handler with extractors", |metrics| {
            async fn handle(_: Method, _: Uri, _: BoxError) -> StatusCode {
                StatusCode::INTERNAL_SERVER_ERROR
            }
            let stack = ServiceBuilder::new()
                .layer(metrics)
                .layer(HandleErrorLayer::new(handle))
                .timeout(LONG);
            routes().layer(stack)
        }),
        ("a fallible service", |metrics| {
            let fallible =
                service_fn(async |_: Request| Ok::<_, BoxError>(Response::new(Body::empty())));
            let handled = HandleError::new(fallible, failed);
            Router::new()
                .route_service("/users/{id}", handled)
                .layer(metrics)
        }),
        ("route layers, and a fallback after them", |metrics| {
            let app = routes().route_layer(from_fn(pass)).route_layer(metrics);
            app.fallback(async || StatusCode::NOT_FOUND)
        }),
    ])
    .await;
}

#[derive(Clone)]
struct AxumOnlyLayer;

impl<S> Layer<S> for AxumOnlyLayer {
    type Service = AxumOnly<S>;

    fn layer(&self, inner: S) -> AxumOnly<S> {
        AxumOnly(inner)
    }
}

/// Middleware as axum's guide writes it: it takes and returns only axum's bodies.
#[derive(Clone)]
struct AxumOnly<S>(S);

impl<S> Service<Request> for AxumOnly<S>
where
    S: Service<Request, Response = axum::response::Response> + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        Box::pin(self.0.call(request))
    }
}

#[tokio::test]
async fn middleware_written_by_hand_fits_around_and_below_the_layer() {
    let registry = Registry::new();
    let metrics = || MetricsLayer::new().registry(&registry);
    // Its inner response is axum's. So the layer is in another call, or boxed.
    let app = routes().layer(metrics()).layer(AxumOnlyLayer);
    assert_counted("in another call", &registry, app, PATH).await;
    registry.reset_all();
    let stack = ServiceBuilder::new()
        .layer(AxumOnlyLayer)
        .layer(metrics().boxed())
        .layer(AxumOnlyLayer);
    assert_counted("boxed", &registry, routes().layer(stack), PATH).await;
    registry.reset_all();
    let stack = ServiceBuilder::new().layer(metrics()).layer(AxumOnlyLayer);
    assert_counted("below", &registry, routes().layer(stack), PATH).await;
}

#[tokio::test]
async fn stacks_around_the_router_of_the_guide_of_axum() {
    fn rewrite<B>(mut request: Request<B>) -> Request<B> {
        *request.uri_mut() = Uri::from_static(PATH);
        request
    }

    let registry = Registry::new();
    let metrics = || MetricsLayer::new().registry(&registry);
    let rewrite = MapRequestLayer::new(rewrite);

    let app = rewrite.layer(routes().layer(metrics()));
    let _served = app.clone().into_make_service();
    assert_counted("inside", &registry, app.clone(), "/old").await;

    registry.reset_all();
    let app = metrics().boxed().layer(app);
    let _served = app.clone().into_make_service();
    assert_counted("outside, too", &registry, app, "/old").await;

    registry.reset_all();
    let app = NormalizePathLayer::trim_trailing_slash().layer(routes().layer(metrics()));
    let _served = axum::ServiceExt::<Request>::into_make_service(app.clone());
    assert_counted("normalized", &registry, app, "/users/7/").await;

    registry.reset_all();
    let app = NormalizePathLayer::trim_trailing_slash().layer(routes().layer(metrics()));
    let app = metrics().boxed().layer(app);
    let _served = app.clone().into_make_service();
    assert_counted("normalized inside", &registry, app, "/users/7/").await;

    registry.reset_all();
    let app = ServiceBuilder::new()
        .layer(metrics().boxed())
        .layer(TraceLayer::new_for_http())
        .service(routes().layer(metrics()));
    let _served = app.clone().into_make_service();
    assert_counted("around it all", &registry, app, PATH).await;
}

#[derive(Clone)]
struct AppState {
    users: &'static str,
}

#[derive(Clone)]
struct Users(&'static str);

impl FromRef<AppState> for Users {
    fn from_ref(state: &AppState) -> Self {
        Self(state.users)
    }
}

#[tokio::test]
async fn stacks_of_the_examples_of_axum() {
    async fn with_state(
        State(users): State<Users>,
        mut request: Request,
        next: Next,
    ) -> axum::response::Response {
        request.extensions_mut().insert(users);
        next.run(request).await
    }

    async fn authorized(request: Request, next: Next) -> Result<impl IntoResponse, StatusCode> {
        let is_authorized = request.headers().contains_key(AUTHORIZATION);
        let is_user = request.uri().path().starts_with("/users");
        if is_authorized || is_user {
            Ok(next.run(request).await)
        } else {
            Err(StatusCode::UNAUTHORIZED)
        }
    }

    assert_all_counted(&[
        ("state", |metrics| {
            let state = AppState { users: "users" };
            let user = async |_: State<Users>, Extension(users): Extension<Users>| users.0;
            Router::new()
                .route("/users/{id}", get(user))
                .layer(from_fn_with_state(state.clone(), with_state))
                .layer(metrics)
                .with_state(state)
        }),
        ("state, and layers after it", |metrics| {
            let state = AppState { users: "users" };
            let user = async |State(state): State<AppState>| state.users;
            let app = Router::new()
                .route("/users/{id}", get(user))
                .with_state(state);
            app.layer(from_fn(authorized)).layer(metrics)
        }),
        ("a key-value store", |metrics| {
            async fn read(Path(id): Path<String>) -> String {
                id
            }
            async fn write(body: Bytes) -> Bytes {
                body
            }
            let limits = (
                DefaultBodyLimit::disable(),
                RequestBodyLimitLayer::new(5_000),
            );
            let admin = Router::new()
                .route("/keys", delete(async || "deleted"))
                .layer(from_fn(authorized));
            let stack = ServiceBuilder::new()
                .layer(metrics)
                .layer(HandleErrorLayer::new(failed))
                .load_shed()
                .concurrency_limit(1024)
                .timeout(LONG)
                .layer(TraceLayer::new_for_http());
            let read = read.layer(CompressionLayer::new());
            Router::new()
                .route(
                    "/users/{id}",
                    get(read).post_service(write.layer(limits).with_state(())),
                )
                .nest("/admin", admin)
                .layer(stack)
        }),
        ("cross-origin requests and static files", |metrics| {
            let cors = CorsLayer::new()
                .allow_origin(Any)
                .allow_methods([Method::GET]);
            let missing = async || (StatusCode::NOT_FOUND, "not found");
            let files = ServeDir::new("src").not_found_service(missing.into_service());
            routes()
                .nest_service("/assets", ServeDir::new("src"))
                .fallback_service(files)
                .layer(cors)
                .layer(TraceLayer::new_for_http())
                .layer(metrics)
        }),
        ("graceful shutdown", |metrics| {
            routes()
                .layer((TraceLayer::new_for_http(), timeout()))
                .layer(metrics)
        }),
        ("compressed requests and responses", |metrics| {
            let stack = ServiceBuilder::new()
                .layer(metrics)
                .layer(RequestDecompressionLayer::new())
                .layer(CompressionLayer::new());
            routes().layer(stack)
        }),
    ])
    .await;
}

/// Makes request ids from a counter.
#[derive(Clone, Default)]
struct Counted(Arc<AtomicUsize>);

impl MakeRequestId for Counted {
    fn make_request_id<B>(&mut self, _: &Request<B>) -> Option<RequestId> {
        let id = self.0.fetch_add(1, Ordering::Relaxed);
        Some(RequestId::new(HeaderValue::from(id)))
    }
}

#[tokio::test]
async fn stacks_of_the_documentation_of_tower_http() {
    const ID: HeaderName = HeaderName::from_static("x-request-id");

    assert_all_counted(&[
        ("request ids", |metrics| {
            let stack = ServiceBuilder::new()
                .layer(SetRequestIdLayer::new(ID, Counted::default()))
                .layer(TraceLayer::new_for_http())
                .layer(metrics)
                .layer(PropagateRequestIdLayer::new(ID));
            routes().layer(stack)
        }),
        ("everything", |metrics| {
            let server = HeaderValue::from_static("test");
            let stack = ServiceBuilder::new()
                .layer(SetRequestIdLayer::new(ID, Counted::default()))
                .layer(TraceLayer::new_for_http())
                .layer(metrics)
                .layer(CatchPanicLayer::new())
                .layer(RequestBodyLimitLayer::new(5_000))
                .layer(Extension(1))
                .layer(CorsLayer::permissive())
                .layer(CompressionLayer::new())
                .layer(PropagateRequestIdLayer::new(ID))
                .layer(SetResponseHeaderLayer::overriding(SERVER, server))
                .layer(timeout());
            routes().layer(stack)
        }),
    ])
    .await;

    // Without axum.
    let registry = Registry::new();
    let handle = async |_: Request| Ok::<_, BoxError>(Response::new(Body::from("hello")));
    let service = ServiceBuilder::new()
        .layer(TraceLayer::new_for_http())
        .layer(
            MetricsLayer::new()
                .registry(&registry)
                .fallback_route("/users/{id}"),
        )
        .layer(CompressionLayer::new())
        .service_fn(handle);
    assert_counted("a service of hyper", &registry, service, PATH).await;
}

#[tokio::test]
async fn stacks_of_the_documentation_of_other_metrics_layers() {
    // axum-prometheus: the layer last, after the route of the metrics.
    let registry = Registry::new();
    let metrics = || MetricsLayer::new().registry(&registry);
    let scrapes = MetricsRouter::new().registry(&registry).build();
    let app = routes()
        .route("/fast", get(async || ()))
        .nest("/metrics", scrapes)
        .layer(metrics());
    assert_eq!(get_path(app.clone(), "/metrics").await, StatusCode::OK);
    assert_counted("axum-prometheus", &registry, app, PATH).await;

    // axum-prometheus, with its builder.
    let registry = Registry::new();
    let metrics = MetricsLayer::new()
        .registry(&registry)
        .skip(|_, uri| matches!(uri.path(), "/metrics" | "/sensitive"))
        .group_routes("/users/{id}", ["/users/{id}", "/users/{id}/{*rest}"]);
    let app = routes()
        .route("/sensitive", get(async || ()))
        .layer(metrics);
    assert_eq!(get_path(app.clone(), "/sensitive").await, StatusCode::OK);
    assert_counted("its builder", &registry, app, PATH).await;

    // axum-otel-metrics: nested routers with states of their own, and one layer around all.
    let registry = Registry::new();
    let metrics = MetricsLayer::new().registry(&registry);
    let nested = Router::new()
        .route("/{id}", get(async |State(text): State<&'static str>| text))
        .with_state("nested");
    let app = Router::new()
        .route(
            "/",
            get(async |State(number): State<u8>| number.to_string()),
        )
        .nest("/users", nested)
        .layer(metrics)
        .with_state(1);
    assert_counted("axum-otel-metrics", &registry, app, PATH).await;

    // axum's example with the crate `metrics`: a route layer, and the metrics in another
    // application.
    let registry = Registry::new();
    let metrics = MetricsLayer::new().registry(&registry);
    let app = routes()
        .route("/slow", get(async || ()))
        .route_layer(metrics);
    assert_counted("two applications", &registry, app, PATH).await;
    let scrapes = MetricsRouter::new().registry(&registry).build();
    let scrapes = Router::new().nest("/metrics", scrapes);
    assert_eq!(get_path(scrapes, "/metrics").await, StatusCode::OK);
    assert_eq!(requests(&registry), COUNTED);

    // opentelemetry-instrumentation-tower: a service without axum.
    let registry = Registry::new();
    let metrics = MetricsLayer::new()
        .registry(&registry)
        .fallback_route("/users/{id}");
    let handle = async |request: Request<String>| {
        let body = request.into_body();
        Ok::<_, Infallible>(Response::new(body))
    };
    let service = ServiceBuilder::new()
        .layer(metrics)
        .service(service_fn(handle));
    let request = Request::get(PATH).body("hello".to_owned()).unwrap();
    let response = service.oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap();
    assert_eq!(requests(&registry), COUNTED);
}
