//! The route `/users/{id}/summary`, which returns a summary by a model.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use super::Llm;

pub(super) fn router(llm: Llm) -> Router {
    Router::new()
        .route("/users/{id}/summary", get(summarize))
        .with_state(llm)
}

async fn summarize(State(llm): State<Llm>, Path(id): Path<u32>) -> Response {
    let answer = llm.summarize(format!("What has user {id} done?")).await;
    let answer = match answer {
        Ok(answer) => Ok((answer.status(), answer.bytes().await)),
        Err(error) => Err(error),
    };
    match answer {
        Ok((status, Ok(body))) => (status, body).into_response(),
        Ok((_, Err(error))) | Err(error) => {
            let text = format!("The LLM call failed: {error}\n");
            (StatusCode::BAD_GATEWAY, text).into_response()
        }
    }
}
