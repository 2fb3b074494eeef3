//! async-openai, measured: asks for a stream, and prints it and what was counted.
//!
//! ```text
//! cargo run --example llm_async_openai
//! ```
//!
//! It asks the provider of `OPENAI_BASE_URL` and `OPENAI_API_KEY`, or a tiny server of its
//! own where these are not set.

#[path = "support/upstream.rs"]
mod upstream;

use std::error::Error;

use async_openai::config::OpenAIConfig;
use async_openai::middleware::retry::OpenAIRetryLayer;
use async_openai::types::chat::{
    ChatCompletionRequestUserMessage, ChatCompletionStreamOptions, CreateChatCompletionRequestArgs,
};
use futures_util::StreamExt;
use tachometer::{LlmLayer, Registry};
use tower::Layer;

use upstream::Upstream;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // reqwest has no cryptography of its own here, and asks for the process's.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // Its own server refuses the first call, so that there is something to try again.
    let upstream = Upstream::find(1).await?;

    // The retries are outside of the layer, so each attempt is counted: here one call
    // that failed and one that did not. Without `OpenAIRetryLayer` nothing is tried
    // again, since a service that is given takes the place of async-openai's own.
    // So named, the model has its errors under its own name from the first call on.
    let layer = LlmLayer::new().known_models([upstream.model.as_str()]);
    let service = layer.async_openai(reqwest::Client::builder().build()?);
    let service = OpenAIRetryLayer::default().layer(service);
    let config = OpenAIConfig::new()
        .with_api_base(&upstream.base)
        .with_api_key(&upstream.key);
    let client = async_openai::Client::with_config(config).with_http_service(service);

    let question = CreateChatCompletionRequestArgs::default()
        .model(&upstream.model)
        .messages([ChatCompletionRequestUserMessage::from("How fast does it turn?").into()])
        .max_completion_tokens(32_u32)
        // Without this OpenAI does not tell a stream's tokens.
        .stream_options(ChatCompletionStreamOptions {
            include_usage: Some(true),
            include_obfuscation: None,
        })
        .build()?;
    let mut answer = client.chat().create_stream(question).await?;
    while let Some(piece) = answer.next().await {
        for choice in piece?.choices {
            print!("{}", choice.delta.content.unwrap_or_default());
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
