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

/// The number of searches that wait for the next second. Further ones get a 429.
const WAITING: usize = 5;

pub(super) fn router() -> Router<AppState> {
    let limit = ServiceBuilder::new()
        .layer(HandleErrorLayer::new(refuse))
        .load_shed()
        // All connections share the buffer, and so the limit.
        .layer(BufferLayer::<Request>::new(WAITING))
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

/// Returns the response to a search that the layers of the limit did not pass on.
async fn refuse(error: BoxError) -> Response {
    if error.is::<Overloaded>() {
        (StatusCode::TOO_MANY_REQUESTS, [(RETRY_AFTER, "1")]).into_response()
    } else {
        StatusCode::INTERNAL_SERVER_ERROR.into_response()
    }
}
