//! The demo's calls of LLMs: of models of its own, or of one that the environment names.

mod ask;
mod calls;
mod own;
mod provider;
mod upstream;

use reqwest::Response;

pub(crate) use ask::router;
pub(crate) use calls::start;

use own::Own;
use provider::Provider;

/// Whom the demo asks.
#[derive(Debug, Clone)]
pub(crate) enum Llm {
    Own(Own),
    Provider(Provider),
}

impl Llm {
    /// Finds the model that the environment names, or starts some of the demo's own.
    pub(crate) async fn find() -> Result<Self, String> {
        // reqwest has no cryptography of its own here, and asks for the process's.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let found = match Provider::named() {
            Some(provider) => provider.map(Self::Provider),
            None => Own::start().await.map(Self::Own),
        };
        found.map_err(|fault| format!("cannot call a model: {fault}"))
    }

    /// Says where the model is, without the key.
    pub(crate) fn place(&self) -> String {
        match self {
            Self::Own(own) => own.place(),
            Self::Provider(provider) => provider.place(),
        }
    }

    /// Asks a question, and returns the answer, which is a stream of events.
    async fn ask(&self, question: &str) -> reqwest::Result<Response> {
        match self {
            Self::Own(own) => own.ask(question).await,
            Self::Provider(provider) => provider.ask(question).await,
        }
    }
}
