//! A search with a rate limit: `/search?q=..`.

use std::time::Duration;

use axum::error_handling::HandleErrorLayer;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{BoxError, Json, Router};
use serde::Deserialize;
use tower::ServiceBuilder;
use tower::buffer::BufferLayer;
use tower::load_shed::error::Overloaded;

use crate::state::AppState;
use crate::store::User;

/// The number of searches per second, of all clients together.
const RATE: u64 = 20;

/// The number of searches in the buffer. The limit decides on them at once, so few wait.
const BUFFERED: usize = 1_024;

pub(super) fn router() -> Router<AppState> {
    let limit = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(refuse))
        // All connections share the service behind the buffer, and so the limit.
        .layer(BufferLayer::<Request>::new(BUFFERED))
        // Refuses searches above the limit. Otherwise they would wait for the next second.
        .load_shed()
        .rate_limit(RATE, Duration::from_secs(1));
    Router::new().route("/search", get(search)).layer(limit)
}

#[derive(Debug, Deserialize)]
struct Params {
    q: String,
}

async fn search(State(state): State<AppState>, Query(params): Query<Params>) -> Json<Vec<User>> {
    Json(state.store.users_named(&params.q))
}

/// Returns the response to a search that did not reach the handler.
async fn refuse(error: BoxError) -> Response {
    if error.is::<Overloaded>() {
        (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "1")]).into_response()
    } else {
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}
