//! A client of a real provider, which may charge for each call.

use std::env::var;

use reqwest::{Client, Response, Url};
use serde_json::json;
use tachometer::LlmLayer;
use tachometer::llm::LlmService;

/// The model if `OPENAI_MODEL` is not set.
const DEFAULT_MODEL: &str = "gpt-4o-mini";

/// The `max_tokens` of each call.
const MAX_TOKENS: u32 = 48;

#[derive(Debug, Clone)]
pub(crate) struct Provider {
    client: LlmService<Client>,
    base: String,
    key: String,
    model: String,
}

impl Provider {
    /// Returns the provider in `OPENAI_BASE_URL` and `OPENAI_API_KEY`, if both are set. A key
    /// alone may not be meant for the demo.
    pub(super) fn from_env() -> Option<Result<Self, String>> {
        let set = |name| var(name).ok().filter(|value| !value.is_empty());
        let (base, key) = (set("OPENAI_BASE_URL")?, set("OPENAI_API_KEY")?);
        let model = set("OPENAI_MODEL").unwrap_or_else(|| DEFAULT_MODEL.into());
        Some(Self::new(&base, key, model))
    }

    fn new(base: &str, key: String, model: String) -> Result<Self, String> {
        let url = Url::parse(base).map_err(|error| format!("OPENAI_BASE_URL: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("OPENAI_BASE_URL: neither http nor https".into());
        }
        let client = Client::builder().build();
        let client = client.map_err(|error| error.to_string())?;
        Ok(Self {
            client: LlmLayer::new().route_metrics().layer(client),
            base: base.trim_end_matches('/').into(),
            key,
            model,
        })
    }

    pub(super) fn description(&self) -> String {
        format!("{} at {}", self.model, self.base)
    }

    pub(super) async fn ask(&self, question: &str) -> reqwest::Result<Response> {
        let body = json!({
            "model": self.model,
            "messages": [{"role": "user", "content": question}],
            "max_tokens": MAX_TOKENS,
            "stream": true,
            "stream_options": {"include_usage": true},
        });
        let request = self
            .client
            .get_ref()
            .post(format!("{}/chat/completions", self.base))
            .bearer_auth(&self.key)
            .json(&body)
            .build()?;
        self.client.execute(request).await
    }
}
