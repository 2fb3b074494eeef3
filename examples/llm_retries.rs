//! Retries and a fallback model. Outside of the retries the layer counts calls, inside it counts
//! attempts.
//!
//! ```text
//! cargo run --example llm_retries
//! ```
//!
//! It calls the provider in `OPENAI_BASE_URL` and `OPENAI_API_KEY`, or a fake server, which
//! rejects two calls, if these are not set.

#[path = "support/upstream.rs"]
mod upstream;

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Body, Client, Request, Response};
use serde_json::{Value, json};
use tachometer::{LlmLayer, Registry};
use tokio::time::{Sleep, sleep};
use tower::ServiceBuilder;
use tower::retry::{Policy, RetryLayer};

use upstream::Upstream;

/// The requested model. The upstream's model is the fallback after two failures.
const WANTED: &str = "gpt-4o";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // This build of reqwest has no default crypto provider, and uses that of the process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let upstream = Upstream::find(2).await?;
    let client = Client::builder().build()?;

    // Outside of the retries the layer counts one call, inside it counts each attempt. The
    // prefix keeps the two apart.
    let layer = LlmLayer::new().known_models([WANTED, upstream.model.as_str()]);
    let retrying = ServiceBuilder::new()
        .layer(RetryLayer::new(Thrice::new(&upstream.model)))
        .layer(layer.clone().prefix("attempt_"))
        .service(client.clone());
    let llm = layer.layer(retrying);

    let body = json!({
        "model": WANTED,
        "messages": [{"role": "user", "content": "How fast does it turn?"}],
        "max_tokens": 32,
    });
    let question = client
        .post(format!("{}/chat/completions", upstream.base))
        .bearer_auth(&upstream.key)
        .json(&body)
        .build()?;
    let answer = llm.execute(question).await?.error_for_status()?;
    let answer: Value = serde_json::from_slice(&answer.bytes().await?)?;
    let text = &answer["choices"][0]["message"]["content"];
    println!("{}", text.as_str().unwrap_or("no text"));

    let metrics = Registry::global().export_prometheus();
    for line in metrics.lines() {
        let is_told = ["llm_requests_total{", "attempt_llm_requests_total{"];
        if is_told.iter().any(|name| line.starts_with(name)) && !line.ends_with(" 0") {
            println!("{line}");
        }
    }
    Ok(())
}

/// Tries up to three times, the last time with the fallback model.
#[derive(Debug, Clone)]
struct Thrice {
    attempts: u32,
    fallback: Arc<str>,
}

impl Thrice {
    fn new(fallback: &str) -> Self {
        Self {
            attempts: 1,
            fallback: fallback.into(),
        }
    }
}

impl Policy<Request, Response, reqwest::Error> for Thrice {
    type Future = Sleep;

    fn retry(
        &mut self,
        request: &mut Request,
        result: &mut Result<Response, reqwest::Error>,
    ) -> Option<Sleep> {
        let is_worth_it = match result {
            Ok(answer) => answer.status() == 429 || answer.status().is_server_error(),
            Err(error) => error.is_connect() || error.is_timeout(),
        };
        if !is_worth_it || self.attempts == 3 {
            return None;
        }
        self.attempts += 1;
        if self.attempts == 3 {
            ask_instead(request, &self.fallback);
        }
        // A real service would wait longer, and obey `Retry-After`.
        Some(sleep(Duration::from_millis(10)))
    }

    fn clone_request(&mut self, request: &Request) -> Option<Request> {
        request.try_clone()
    }
}

/// Replaces the model of a request.
fn ask_instead(request: &mut Request, model: &str) {
    let body = request.body().and_then(Body::as_bytes);
    let body = body.and_then(|body| serde_json::from_slice::<Value>(body).ok());
    if let Some(mut body) = body {
        body["model"] = model.into();
        *request.body_mut() = Some(body.to_string().into());
    }
}
