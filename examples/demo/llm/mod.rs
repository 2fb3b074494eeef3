//! The demo's calls of LLMs: of models of its own, or of one that the environment names.

mod ask;
mod calls;
mod own;
mod prices;
mod provider;
mod summary;
mod upstream;

use axum::Router;
use reqwest::Response;
use tachometer::carry_route;
use tokio::sync::watch;

pub(crate) use calls::start;

use own::Own;
use provider::Provider;

/// Returns the routes that ask a model; `stopped` turns true when their streams are to end.
pub(crate) fn router(llm: Llm, stopped: watch::Receiver<bool>) -> Router {
    summary::router(llm.clone()).merge(ask::router(llm, stopped))
}

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

    /// Asks for a summary, and for what it takes to find it again, which is not waited for.
    async fn sum_up(&self, text: String) -> reqwest::Result<Response> {
        match self {
            Self::Own(own) => {
                let (own, answer) = (own.clone(), own.sum_up(&text).await);
                // The route is carried into the task, whose call is one of the same request.
                tokio::spawn(carry_route(async move {
                    if let Ok(answer) = own.embed(&text).await {
                        let _ = answer.bytes().await;
                    }
                }));
                answer
            }
            Self::Provider(provider) => provider.ask(&text).await,
        }
    }
}
