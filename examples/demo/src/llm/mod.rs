//! The demo's LLM calls: to fake models, or to the provider in the environment variables.

mod ask_route;
mod fake_models;
mod llm_traffic;
mod prices;
mod provider;
mod summary_route;
mod upstream;

use std::time::Duration;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use tachometer::carry_route;

pub(crate) use ask_route::router as ask_route;
pub(crate) use llm_traffic::start as start_traffic;
pub(crate) use summary_route::router as summary_route;

use fake_models::FakeModels;
use provider::Provider;

/// The time between two calls of a real provider, which may charge for each of them.
const PROVIDER_CALL_INTERVAL: Duration = Duration::from_secs(5);

/// The models that the demo calls.
#[derive(Debug, Clone)]
pub(crate) enum Llm {
    Fake(FakeModels),
    Provider(Provider),
}

impl Llm {
    /// Returns the provider in the environment variables, or starts the fake models.
    pub(crate) async fn from_env() -> Result<Self, String> {
        // This build of reqwest has no default crypto provider, and uses that of the process.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let llm = match Provider::from_env() {
            Some(provider) => provider.map(Self::Provider),
            None => FakeModels::start().await.map(Self::Fake),
        };
        llm.map_err(|fault| format!("cannot call a model: {fault}"))
    }

    /// Describes the models, without the API key.
    pub(crate) fn description(&self) -> String {
        match self {
            Self::Fake(fake) => fake.description(),
            Self::Provider(provider) => provider.description(),
        }
    }

    /// Returns the time between two generated requests to each route that calls a model.
    pub(crate) fn interval(&self) -> Duration {
        match self {
            Self::Fake(_) => Duration::from_secs(1),
            Self::Provider(_) => PROVIDER_CALL_INTERVAL,
        }
    }

    /// Sends a question, and returns the response, which is an event stream.
    async fn ask(&self, question: &str) -> reqwest::Result<reqwest::Response> {
        match self {
            Self::Fake(fake) => fake.ask(question).await,
            Self::Provider(provider) => provider.ask(question).await,
        }
    }

    /// Requests a summary, and in the background an embedding of the text.
    async fn summarize(&self, text: String) -> reqwest::Result<reqwest::Response> {
        match self {
            Self::Fake(fake) => {
                let (fake, answer) = (fake.clone(), fake.summarize(&text).await);
                // `carry_route` gives the call in the task the route of this request.
                tokio::spawn(carry_route(async move {
                    if let Ok(answer) = fake.embed(&text).await {
                        let _ = answer.bytes().await;
                    }
                }));
                answer
            }
            Self::Provider(provider) => provider.ask(&text).await,
        }
    }
}

/// Returns the response of a route whose LLM call had no complete answer.
fn failed_call(error: &reqwest::Error) -> Response {
    let text = format!("The LLM call failed: {error}\n");
    (StatusCode::BAD_GATEWAY, text).into_response()
}
