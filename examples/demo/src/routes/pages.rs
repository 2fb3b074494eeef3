//! The static files of the folder `static`: `/` and `/static/..`.

use axum::Router;
use tower_http::services::{ServeDir, ServeFile};

use crate::state::AppState;

/// The demo runs in its repository. A real service would have the folder as a setting.
const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/static");

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route_service("/", ServeFile::new(format!("{FOLDER}/index.html")))
        // All files have the route `/static`.
        .nest_service("/static", ServeDir::new(FOLDER))
}
