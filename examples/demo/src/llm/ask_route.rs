//! The route `/ask`, which streams the answer of a model.

use axum::Router;
use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use futures_util::StreamExt;
use tokio::sync::watch;

use super::Llm;

/// Returns the route `/ask?q=..`. Streams end when `stopped` becomes true.
pub(super) fn router(llm: Llm, stopped: watch::Receiver<bool>) -> Router {
    Router::new()
        .route("/ask", get(ask))
        .with_state((llm, stopped))
}

type QueryParams = Query<Vec<(String, String)>>;

/// Streams the answer of the model. If the client disconnects, the LLM call is cancelled, too.
async fn ask(
    State((llm, mut stopped)): State<(Llm, watch::Receiver<bool>)>,
    Query(params): QueryParams,
) -> Response {
    let question = params.iter().find(|(name, _)| name == "q");
    let question = question.map_or("What is a tachometer?", |(_, value)| value);
    let answer = match llm.ask(question).await {
        Ok(answer) => answer,
        Err(error) => {
            let text = format!("The LLM call failed: {error}\n");
            return (StatusCode::BAD_GATEWAY, text).into_response();
        }
    };
    let status = answer.status();
    let kind = answer.headers().get(CONTENT_TYPE).cloned();
    let stop = async move {
        let _ = stopped.wait_for(|stopped| *stopped).await;
    };
    let body = Body::from_stream(answer.bytes_stream().take_until(stop));
    let mut response = (status, body).into_response();
    if let Some(kind) = kind {
        response.headers_mut().insert(CONTENT_TYPE, kind);
    }
    response
}
