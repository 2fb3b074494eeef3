//! Uploads with a limit of their size: `/uploads`.

use axum::body::Bytes;
use axum::extract::DefaultBodyLimit;
use axum::routing::post;
use axum::{Json, Router};
use serde::Serialize;
use tower_http::limit::RequestBodyLimitLayer;

use crate::state::AppState;

const MAX_UPLOAD: usize = 1 << 20;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/uploads", post(upload))
        // Refuses a longer `Content-Length` at once, and other bodies once they are longer.
        .layer(RequestBodyLimitLayer::new(MAX_UPLOAD))
        // The limit of axum's extractors is another one, of 2 MB.
        .layer(DefaultBodyLimit::disable())
}

#[derive(Debug, Serialize)]
struct Upload {
    bytes: usize,
}

/// Counts the bytes. A real service would write them to its storage.
async fn upload(body: Bytes) -> Json<Upload> {
    Json(Upload { bytes: body.len() })
}
