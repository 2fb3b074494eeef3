//! The items of a user: `/api/users/{id}/items` and `/api/users/{id}/items/{item}`.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde::Deserialize;

use super::api_error::ApiError;
use super::users::UNKNOWN_USER;
use crate::state::AppState;
use crate::store::Item;

const UNKNOWN_ITEM: ApiError = ApiError(StatusCode::NOT_FOUND, "the user has no such item");

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/", get(list).post(create))
        .route("/{item}", get(item).delete(remove))
}

async fn list(
    State(state): State<AppState>,
    Path(user): Path<u32>,
) -> Result<Json<Vec<Item>>, ApiError> {
    state.store.user(user).ok_or(UNKNOWN_USER)?;
    Ok(Json(state.store.items(user)))
}

#[derive(Debug, Deserialize)]
struct NewItem {
    title: String,
}

/// Creates an item. A body that is no `NewItem` gets a 4xx from the extractor.
async fn create(
    State(state): State<AppState>,
    Path(user): Path<u32>,
    Json(item): Json<NewItem>,
) -> Result<impl IntoResponse, ApiError> {
    state.store.user(user).ok_or(UNKNOWN_USER)?;
    let item = state.store.add(user, item.title);
    state.metrics.items_created.inc();
    let location = format!("/api/users/{user}/items/{}", item.id);
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(item)))
}

async fn item(
    State(state): State<AppState>,
    Path((user, id)): Path<(u32, u64)>,
) -> Result<Json<Item>, ApiError> {
    state.store.item(user, id).map(Json).ok_or(UNKNOWN_ITEM)
}

async fn remove(
    State(state): State<AppState>,
    Path((user, id)): Path<(u32, u64)>,
) -> Result<StatusCode, ApiError> {
    if state.store.remove(user, id) {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(UNKNOWN_ITEM)
    }
}
