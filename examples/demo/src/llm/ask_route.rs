//! The route `/ask?q=..`, which streams the answer of a model.

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::StreamExt;
use serde::Deserialize;

use super::failed_call;
use crate::state::AppState;

pub(crate) fn router() -> Router<AppState> {
    Router::new().route("/ask", get(ask))
}

#[derive(Debug, Deserialize)]
struct Params {
    #[serde(default = "default_question")]
    q: String,
}

fn default_question() -> String {
    "What is a tachometer?".into()
}

/// Streams the answer of the model. If the client disconnects, the LLM call is cancelled, too.
async fn ask(State(state): State<AppState>, Query(params): Query<Params>) -> Response {
    let answer = match state.llm.ask(&params.q).await {
        Ok(answer) => answer,
        Err(error) => return failed_call(&error),
    };
    let status = answer.status();
    let kind = answer.headers().get(CONTENT_TYPE).cloned();
    // An open stream would delay the shutdown.
    let body = answer.bytes_stream().take_until(state.stopped.wait());
    let mut response = (status, Body::from_stream(body)).into_response();
    if let Some(kind) = kind {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    response
}
