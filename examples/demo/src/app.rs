//! The routes, and the middleware around all of them.

use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, StatusCode};
use tower::ServiceBuilder;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::cors::CorsLayer;
use tower_http::request_id::{
    MakeRequestUuid, PropagateRequestIdLayer, RequestId, SetRequestIdLayer,
};
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::{DefaultOnFailure, DefaultOnResponse, TraceLayer};
use tracing::{Level, Span};

use crate::metrics;
use crate::routes;
use crate::state::AppState;

/// The time until a handler must have returned a response. A body may take longer.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// The front end of another host that may call this service.
const FRONT_END: HeaderValue = HeaderValue::from_static("https://app.example.com");

/// Returns the service. The first layer is the outermost: it gets the request first and the
/// response last.
pub(crate) fn app(state: AppState) -> Router {
    let middleware = ServiceBuilder::new()
        // First, so that all other layers have the id.
        .layer(SetRequestIdLayer::x_request_id(MakeRequestUuid))
        // Outside of all layers that respond themselves. So the metrics have what clients receive:
        // the 504 of a timeout, the 500 of a panic, the size of a compressed body.
        .layer(metrics::layer())
        .layer(
            TraceLayer::new_for_http()
                .make_span_with(request_span)
                .on_response(DefaultOnResponse::new().level(Level::INFO))
                // Not an error, because the generated traffic has many failures.
                .on_failure(DefaultOnFailure::new().level(Level::INFO)),
        )
        .layer(PropagateRequestIdLayer::x_request_id())
        .layer(CompressionLayer::new())
        // Outside of the layers that respond themselves. A browser shows a page only responses
        // that have the CORS headers.
        .layer(cors())
        .layer(TimeoutLayer::with_status_code(
            StatusCode::GATEWAY_TIMEOUT,
            REQUEST_TIMEOUT,
        ))
        // Innermost, so that a panic is a response for the other layers.
        .layer(CatchPanicLayer::new());
    // `layer` applies to the routes that exist when it is called, so it comes last.
    routes::router().with_state(state).layer(middleware)
}

fn request_span(request: &Request) -> Span {
    let id = request.extensions().get::<RequestId>();
    let id = id.and_then(|id| id.header_value().to_str().ok());
    // Without the query, which may have a secret.
    tracing::info_span!("request", id, method = %request.method(), path = request.uri().path())
}

fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(FRONT_END)
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([AUTHORIZATION, CONTENT_TYPE])
        .max_age(Duration::from_secs(3_600))
}
