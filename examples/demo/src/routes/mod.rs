//! The routes of the service, one file per group.

mod account;
mod api_error;
mod chat;
mod events;
mod faults;
mod items;
mod pages;
mod search;
mod uploads;
mod users;

use axum::Router;
use axum::routing::get;
use tower_http::limit::RequestBodyLimitLayer;

use crate::llm;
use crate::state::AppState;

/// The most bytes of a request to the API.
const MAX_API_BODY: usize = 16 << 10;

/// Returns all routes. Middleware of one group is added in its file.
pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route("/health", get(async || "ok\n"))
        .nest("/api", api())
        .nest("/account", account::router())
        .merge(chat::router())
        .merge(events::router())
        .merge(faults::router())
        .merge(llm::ask_route())
        .merge(pages::router())
        .merge(search::router())
        .merge(uploads::router())
}

fn api() -> Router<AppState> {
    Router::new()
        .nest("/users", users::router())
        .nest("/users/{id}/items", items::router())
        .merge(llm::summary_route())
        .layer(RequestBodyLimitLayer::new(MAX_API_BODY))
}
