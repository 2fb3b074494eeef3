//! A measured service, whose routes are fast, slow, failing and streaming.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::get;
use futures_util::{StreamExt, stream};
use tachometer::{MetricsLayer, MetricsRouter, Registry};
use tokio::time::sleep;

use crate::support::loopback::Server;

/// Starts the service. The metrics are at `/metrics`.
pub(super) async fn start() -> Server {
    let registry = Registry::new();
    let metrics = MetricsRouter::new().registry(&registry).build();
    let app = Router::new()
        .route("/", get(async || "home\n"))
        .route("/users/{id}", get(user))
        .route("/slow", get(slow))
        .route("/fail", get(async || StatusCode::INTERNAL_SERVER_ERROR))
        .route("/stream", get(endless))
        .layer(MetricsLayer::new().registry(&registry))
        .nest("/metrics", metrics);
    Server::start(app).await
}

/// Finds the users from 0 to 999.
async fn user(Path(id): Path<u32>) -> impl IntoResponse {
    if id < 1_000 {
        StatusCode::OK
    } else {
        StatusCode::NOT_FOUND
    }
}

/// Takes from 50 to 400 ms.
async fn slow() -> &'static str {
    sleep(Duration::from_millis(fastrand::u64(50..400))).await;
    "slow\n"
}

/// Sends a tick every 20 ms until the client disconnects.
async fn endless() -> Body {
    let ticks = stream::repeat("tick\n").then(async |tick| {
        sleep(Duration::from_millis(20)).await;
        Ok::<_, Infallible>(tick)
    });
    Body::from_stream(ticks)
}
