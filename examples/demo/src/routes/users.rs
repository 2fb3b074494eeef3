//! The users: `/api/users/{id}`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};

use super::api_error::ApiError;
use crate::state::AppState;
use crate::store::User;

pub(super) const UNKNOWN_USER: ApiError =
    ApiError(StatusCode::NOT_FOUND, "there are 1000 users, from 0 to 999");

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/{id}", get(user))
}

async fn user(State(state): State<AppState>, Path(id): Path<u32>) -> Result<Json<User>, ApiError> {
    let user = state.store.user(id);
    user.map(Json).ok_or(UNKNOWN_USER)
}
