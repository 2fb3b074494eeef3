//! A fake LLM server, so that the demo needs no API key.
//!
//! It speaks the dialects of three providers, responds slowly, and sometimes fails.

mod anthropic;
mod dialect;
mod embeddings;
mod fake_answer;
mod fault;
mod http_response;
mod limits;
mod ollama;
mod openai;
mod responses;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::time::sleep;

use dialect::Dialect;
use fake_answer::FakeAnswer;
use fault::Faults;
use limits::Limits;

/// Starts the server on a free loopback port. It runs until the demo stops.
pub(super) async fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let app = Router::new()
        .route("/v1/chat/completions", post(handle::<openai::OpenAi>))
        .route("/v1/responses", post(handle::<responses::Responses>))
        .route("/v1/embeddings", post(handle::<embeddings::Embeddings>))
        .route("/v1/messages", post(handle::<anthropic::Anthropic>))
        .route("/api/chat", post(handle::<ollama::Ollama>))
        .with_state(Arc::new(UpstreamState::default()));
    tokio::spawn(axum::serve(listener, app).into_future());
    Ok(address)
}

/// The state that all calls share.
#[derive(Debug, Default)]
struct UpstreamState {
    faults: Faults,
    limits: Limits,
}

async fn handle<D: Dialect>(State(state): State<Arc<UpstreamState>>, body: Bytes) -> Response {
    let Ok(request) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let answer = FakeAnswer::to_request(&request, body.len());
    let fault = state.faults.next();
    let is_streamed = D::is_streamed(&request);
    let (mut response, remaining) = match fault.and_then(|fault| fault.status(is_streamed)) {
        Some(status) => (
            http_response::error::<D>(status),
            state.limits.remaining(&answer.model),
        ),
        None => {
            sleep(answer.pause).await;
            let remaining = state
                .limits
                .consume(&answer.model, answer.input + answer.output());
            let sent = if is_streamed {
                http_response::stream::<D>(&answer, fault)
            } else {
                http_response::complete::<D>(&answer, fault)
            };
            (sent, remaining)
        }
    };
    D::set_limit_headers(&remaining, response.headers_mut());
    response
}
