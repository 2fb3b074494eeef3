//! Measures async-openai: requests a stream, and prints it and the metrics.
//!
//! ```text
//! cargo run --example llm_async_openai
//! ```
//!
//! It calls the provider in `OPENAI_BASE_URL` and `OPENAI_API_KEY`, or a fake server if these
//! are not set.

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
    // This build of reqwest has no default crypto provider, and uses that of the process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    // The fake server rejects the first call, to show a retry.
    let upstream = Upstream::find(1).await?;

    // The retries are outside of the layer, so each attempt is counted: here one failed call
    // and one successful call. Without `OpenAIRetryLayer` there are no retries, since a custom
    // service replaces the retries of async-openai.
    // `known_models` counts errors under the model's name from the first call on.
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
        // Without this, OpenAI does not report the tokens of a stream.
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

    // A service would serve these, for example with `metrics_router()`.
    let metrics = Registry::global().export_prometheus();
    for line in metrics.lines() {
        if line.starts_with("llm_") && !line.contains("_bucket{") {
            println!("{line}");
        }
    }
    Ok(())
}
