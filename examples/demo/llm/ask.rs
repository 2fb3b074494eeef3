//! The route of the demo that asks a model.

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

/// Returns the route `/ask?q=..`; `stopped` turns true when its streams are to end.
pub(super) fn router(llm: Llm, stopped: watch::Receiver<bool>) -> Router {
    Router::new()
        .route("/ask", get(ask))
        .with_state((llm, stopped))
}

type Asked = Query<Vec<(String, String)>>;

/// Passes the model's answer on as it comes. Whoever hangs up ends the model's work, too.
async fn ask(
    State((llm, mut stopped)): State<(Llm, watch::Receiver<bool>)>,
    Query(asked): Asked,
) -> Response {
    let question = asked.iter().find(|(name, _)| name == "q");
    let question = question.map_or("What is a tachometer?", |(_, value)| value);
    let answer = match llm.ask(question).await {
        Ok(answer) => answer,
        Err(error) => {
            let text = format!("The model cannot be asked: {error}\n");
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
