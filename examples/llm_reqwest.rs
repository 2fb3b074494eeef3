//! Measures a reqwest client: calls a model twice, and prints the responses and the metrics.
//!
//! ```text
//! cargo run --example llm_reqwest
//! ```
//!
//! It calls the provider in `OPENAI_BASE_URL` and `OPENAI_API_KEY`, or a fake server if these
//! are not set.

#[path = "support/upstream.rs"]
mod upstream;

use std::error::Error;

use reqwest::{Client, Request};
use serde_json::{Value, json};
use tachometer::{LlmLayer, Registry};

use upstream::Upstream;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // This build of reqwest has no default crypto provider, and uses that of the process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let upstream = Upstream::find(0).await?;

    // Created once and reused, like a client. It sends requests with `client`.
    let client = Client::builder().build()?;
    let llm = LlmLayer::new().layer(client.clone());

    // Build the request as usual, and execute it with the wrapped client.
    // `RequestBuilder::send` would bypass the layer.
    let question = question(&client, &upstream, false)?;
    let answer = llm.execute(question).await?.error_for_status()?;
    let answer: Value = serde_json::from_slice(&answer.bytes().await?)?;
    let text = &answer["choices"][0]["message"]["content"];
    println!("{}", text.as_str().unwrap_or("no text"));

    // A stream is passed on chunk by chunk, and read on the way.
    let question = self::question(&client, &upstream, true)?;
    let mut answer = llm.execute(question).await?.error_for_status()?;
    let mut unread = Vec::new();
    while let Some(piece) = answer.chunk().await? {
        unread.extend_from_slice(&piece);
        while let Some(end) = unread.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = unread.drain(..=end).collect();
            print!("{}", text_of(&line).unwrap_or_default());
        }
    }
    println!();

    // A service would serve these, for example with `metrics_router()`.
    let metrics = Registry::global().export_prometheus();
    for line in metrics.lines() {
        if line.starts_with("llm_") && !line.contains("_bucket{") {
            println!("{line}");
        }
    }
    Ok(())
}

fn question(client: &Client, upstream: &Upstream, stream: bool) -> reqwest::Result<Request> {
    let mut body = json!({
        "model": upstream.model,
        "messages": [{"role": "user", "content": "How fast does it turn?"}],
        "max_tokens": 32,
        "stream": stream,
    });
    if stream {
        // Without this, OpenAI does not report the tokens of a stream.
        body["stream_options"] = json!({"include_usage": true});
    }
    client
        .post(format!("{}/chat/completions", upstream.base))
        .bearer_auth(&upstream.key)
        .json(&body)
        .build()
}

/// Returns the text of an event, if it has any.
fn text_of(line: &[u8]) -> Option<String> {
    let event: Value = serde_json::from_slice(line.strip_prefix(b"data: ")?).ok()?;
    let text = event["choices"][0]["delta"]["content"].as_str()?;
    Some(text.to_owned())
}
