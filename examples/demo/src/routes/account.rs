//! The account of the client, which needs a token: `/account/profile`, `/account/greeting`.

use axum::middleware::from_fn;
use axum::routing::get;
use axum::{Extension, Json, Router};

use crate::auth::{Account, require_token};
use crate::state::AppState;

pub(super) fn router() -> Router<AppState> {
    Router::new()
        .route("/profile", get(profile))
        .route("/greeting", get(greeting))
        // `route_layer`: other paths below `/account` are a 404 and not a 401.
        .route_layer(from_fn(require_token))
}

async fn profile(Extension(account): Extension<Account>) -> Json<Account> {
    Json(account)
}

async fn greeting(Extension(account): Extension<Account>) -> String {
    format!("Hello, {}!\n", account.name)
}
