//! Retries and a fallback: what the caller asked for, and every attempt that it took, by
//! where the layer stands.
//!
//! ```text
//! cargo run --example llm_retries
//! ```
//!
//! It asks the provider of `OPENAI_BASE_URL` and `OPENAI_API_KEY`, or a tiny server of its
//! own, which refuses twice, where these are not set.

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

/// The model that is wanted; the upstream's own is asked when this one has failed twice.
const WANTED: &str = "gpt-4o";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // reqwest has no cryptography of its own here, and asks for the process's.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let upstream = Upstream::find(2).await?;
    let client = Client::builder().build()?;

    // Outside of the retries it sees one call, however often it is tried; inside it sees
    // each attempt. Names of their own keep what both count from being added up.
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

/// Tries up to three times, the last time with another model.
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
        // A service waits longer, and for as long as `Retry-After` says.
        Some(sleep(Duration::from_millis(10)))
    }

    fn clone_request(&mut self, request: &Request) -> Option<Request> {
        request.try_clone()
    }
}

/// Puts another model into a request.
fn ask_instead(request: &mut Request, model: &str) {
    let body = request.body().and_then(Body::as_bytes);
    let body = body.and_then(|body| serde_json::from_slice::<Value>(body).ok());
    if let Some(mut body) = body {
        body["model"] = model.into();
        *request.body_mut() = Some(body.to_string().into());
    }
}
