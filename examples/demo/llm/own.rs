//! Models of the demo's own, under the names of three providers.

use std::net::SocketAddr;

use reqwest::{Client, Response};
use serde_json::{Value, json};
use tachometer::LlmLayer;
use tachometer::llm::LlmService;

use super::upstream;

pub(super) const OPENAI: &str = "openai.localhost";
pub(super) const ANTHROPIC: &str = "anthropic.localhost";
pub(super) const OLLAMA: &str = "ollama.localhost";

#[derive(Debug, Clone)]
pub(crate) struct Own {
    client: LlmService<Client>,
    address: SocketAddr,
}

impl Own {
    pub(super) async fn start() -> Result<Self, String> {
        let address = upstream::start().await.map_err(|error| error.to_string())?;
        // Nothing leaves this machine: no proxy, no look-up, no certificates.
        let client = Client::builder()
            .no_proxy()
            .tls_certs_only([])
            .resolve(OPENAI, address)
            .resolve(ANTHROPIC, address)
            .resolve(OLLAMA, address)
            .build()
            .map_err(|error| error.to_string())?;
        let layer = LlmLayer::new()
            .host(OPENAI, "openai")
            .host(ANTHROPIC, "anthropic")
            .host(OLLAMA, "ollama");
        Ok(Self {
            client: layer.layer(client),
            address,
        })
    }

    pub(super) fn place(&self) -> String {
        format!("http://{}, made up by the demo", self.address)
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

    /// Calls a path under one of the names.
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
