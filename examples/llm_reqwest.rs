//! reqwest's client, measured: asks a model twice, and prints the answers and what was
//! counted.
//!
//! ```text
//! cargo run --example llm_reqwest
//! ```
//!
//! It asks the provider of `OPENAI_BASE_URL` and `OPENAI_API_KEY`, or a tiny server of its
//! own where these are not set.

#[path = "support/upstream.rs"]
mod upstream;

use std::error::Error;

use reqwest::{Client, Request};
use serde_json::{Value, json};
use tachometer::{LlmLayer, Registry};

use upstream::Upstream;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // reqwest has no cryptography of its own here, and asks for the process's.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let upstream = Upstream::find(0).await?;

    // Made once and kept, as a client is. What it sends is what `client` would.
    let client = Client::builder().build()?;
    let llm = LlmLayer::new().layer(client.clone());

    // A request is built as ever, and given to the wrapped client rather than sent by
    // `RequestBuilder::send`, which would pass it by.
    let question = question(&client, &upstream, false)?;
    let answer = llm.execute(question).await?.error_for_status()?;
    let answer: Value = serde_json::from_slice(&answer.bytes().await?)?;
    let text = &answer["choices"][0]["message"]["content"];
    println!("{}", text.as_str().unwrap_or("no text"));

    // A stream passes piece by piece, and is read on its way.
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

    // A service would serve these, by `metrics_router()` say.
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
        // Without this OpenAI does not tell a stream's tokens.
        body["stream_options"] = json!({"include_usage": true});
    }
    client
        .post(format!("{}/chat/completions", upstream.base))
        .bearer_auth(&upstream.key)
        .json(&body)
        .build()
}

/// Returns the text that an event carries, if it does.
fn text_of(line: &[u8]) -> Option<String> {
    let event: Value = serde_json::from_slice(line.strip_prefix(b"data: ")?).ok()?;
    let text = event["choices"][0]["delta"]["content"].as_str()?;
    Some(text.to_owned())
}
