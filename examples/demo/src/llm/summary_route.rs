//! The route `/users/{id}/summary`, which returns a summary by a model.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::failed_call;
use crate::state::AppState;

pub(crate) fn router() -> Router<AppState> {
    Router::new().route("/users/{id}/summary", get(summarize))
}

async fn summarize(State(state): State<AppState>, Path(id): Path<u32>) -> Response {
    let answer = state.llm.summarize(format!("What has user {id} done?"));
    let answer = match answer.await {
        Ok(answer) => Ok((answer.status(), answer.bytes().await)),
        Err(error) => Err(error),
    };
    match answer {
        Ok((status, Ok(body))) => (status, body).into_response(),
        Ok((_, Err(error))) | Err(error) => failed_call(&error),
    }
}
