//! A client of the fake models, under the names of three providers.

use std::net::SocketAddr;

use reqwest::{Client, Response};
use serde_json::{Value, json};
use tachometer::LlmLayer;
use tachometer::llm::LlmService;

use super::prices::prices;
use super::upstream;

pub(super) const OPENAI: &str = "openai.localhost";
pub(super) const ANTHROPIC: &str = "anthropic.localhost";
pub(super) const OLLAMA: &str = "ollama.localhost";

const MODELS: [&str; 6] = [
    "gpt-4o-mini",
    "o4-mini",
    "text-embedding-3-small",
    "claude-sonnet-4-5",
    "claude-haiku-4-5",
    "llama3.2",
];

#[derive(Debug, Clone)]
pub(crate) struct FakeModels {
    client: LlmService<Client>,
    address: SocketAddr,
}

impl FakeModels {
    pub(super) async fn start() -> Result<Self, String> {
        let address = upstream::start().await.map_err(|error| error.to_string())?;
        // Nothing leaves this machine: no proxy, no DNS lookup, no certificates.
        let client = Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .resolve(OPENAI, address)
            .resolve(ANTHROPIC, address)
            .resolve(OLLAMA, address)
            .build()
            .map_err(|error| error.to_string())?;
        let layer = LlmLayer::new()
            .provider_for_host(OPENAI, "openai")
            .provider_for_host(ANTHROPIC, "anthropic")
            .provider_for_host(OLLAMA, "ollama")
            .known_models(MODELS)
            .prices(prices())
            .route_metrics();
        Ok(Self {
            client: layer.layer(client),
            address,
        })
    }

    pub(super) fn description(&self) -> String {
        format!("fake models at http://{}", self.address)
    }

    pub(super) async fn ask(&self, question: &str) -> reqwest::Result<Response> {
        let body = json!({
            "model": "gpt-4o-mini",
            "messages": [{"role": "user", "content": question}],
            "stream": true,
            "stream_options": {"include_usage": true},
        });
        self.post(OPENAI, "/v1/chat/completions", &body).await
    }

    /// Requests a summary, not streamed.
    pub(super) async fn summarize(&self, text: &str) -> reqwest::Result<Response> {
        let body = json!({
            "model": "claude-haiku-4-5",
            "max_tokens": 64,
            "messages": [{"role": "user", "content": text}],
        });
        self.post(ANTHROPIC, "/v1/messages", &body).await
    }

    /// Requests an embedding.
    pub(super) async fn embed(&self, text: &str) -> reqwest::Result<Response> {
        let body = json!({"model": "text-embedding-3-small", "input": text});
        self.post(OPENAI, "/v1/embeddings", &body).await
    }

    /// Posts to a path of one of the provider names.
    pub(super) async fn post(
        &self,
        host: &str,
        path: &str,
        body: &Value,
    ) -> reqwest::Result<Response> {
        let url = format!("http://{host}:{}{path}", self.address.port());
        let request = self.client.get_ref().post(url).json(body).build()?;
        self.client.execute(request).await
    }
}
