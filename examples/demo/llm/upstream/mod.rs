//! An upstream of the demo's own, so that there are models to call without a key.
//!
//! It speaks three dialects, takes its time, and fails now and then.

mod anthropic;
mod dialect;
mod embeddings;
mod fault;
mod limits;
mod ollama;
mod openai;
mod responses;
mod said;
mod sending;

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
use fault::Faults;
use limits::Limits;
use said::Said;

/// Starts it on a free port of loopback, for as long as the demo runs.
pub(super) async fn start() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let app = Router::new()
        .route("/v1/chat/completions", post(answer::<openai::OpenAi>))
        .route("/v1/responses", post(answer::<responses::Responses>))
        .route("/v1/embeddings", post(answer::<embeddings::Embeddings>))
        .route("/v1/messages", post(answer::<anthropic::Anthropic>))
        .route("/api/chat", post(answer::<ollama::Ollama>))
        .with_state(Arc::new(House::default()));
    tokio::spawn(axum::serve(listener, app).into_future());
    Ok(address)
}

/// What all calls share.
#[derive(Debug, Default)]
struct House {
    faults: Faults,
    limits: Limits,
}

async fn answer<D: Dialect>(State(house): State<Arc<House>>, body: Bytes) -> Response {
    let Ok(asked) = serde_json::from_slice::<Value>(&body) else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let said = Said::answering(&asked, body.len());
    let fault = house.faults.next();
    let is_streamed = D::is_streamed(&asked);
    let (mut response, left) = match fault.and_then(|fault| fault.status(is_streamed)) {
        Some(status) => (
            sending::refusal::<D>(status),
            house.limits.left(&said.model),
        ),
        None => {
            sleep(said.pause).await;
            let left = house.limits.spend(&said.model, said.input + said.output());
            let sent = if is_streamed {
                sending::stream::<D>(&said, fault)
            } else {
                sending::whole::<D>(&said, fault)
            };
            (sent, left)
        }
    };
    D::tell_limits(&left, response.headers_mut());
    response
}
