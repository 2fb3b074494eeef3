//! Routes that are slow, fail and panic, to see how the metrics show it.

use std::time::Duration;

use axum::Router;
use axum::extract::Query;
use axum::http::StatusCode;
use axum::routing::get;
use serde::Deserialize;
use tokio::time::sleep;
use tower_http::timeout::TimeoutLayer;

use crate::state::AppState;

/// Shorter than the timeout of the other routes.
const SLOW_TIMEOUT: Duration = Duration::from_millis(500);

pub(super) fn router() -> Router<AppState> {
    let timeout = TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, SLOW_TIMEOUT);
    Router::new()
        .route("/slow", get(slow).layer(timeout))
        .route("/fail", get(fail))
        .route("/panic", get(panic))
}

#[derive(Debug, Deserialize)]
struct Params {
    ms: Option<u64>,
}

/// Takes `?ms=..` milliseconds. By default it takes 50 to 400, usually close to 50.
async fn slow(Query(params): Query<Params>) -> &'static str {
    let duration = params.ms.map(Duration::from_millis);
    sleep(duration.unwrap_or_else(random_duration)).await;
    "Sorry for the wait.\n"
}

fn random_duration() -> Duration {
    Duration::from_secs_f64(0.05 + 0.35 * fastrand::f64().powi(3))
}

async fn fail() -> (StatusCode, &'static str) {
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        "This route always fails.\n",
    )
}

/// The generated traffic does not call it, because each panic prints a message.
async fn panic() -> StatusCode {
    panic!("this route always panics")
}
