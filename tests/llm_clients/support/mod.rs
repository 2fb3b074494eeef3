//! Shared helpers: an upstream, its responses, and reading a registry.

pub(crate) mod local_client;
#[path = "../../it/support/read.rs"]
pub(crate) mod read;
pub(crate) mod responses;
pub(crate) mod server_program;
#[path = "../../support/skipped.rs"]
pub(crate) mod skipped;
pub(crate) mod upstream;
#[path = "../../it/support/wait.rs"]
pub(crate) mod wait;
#[path = "../../it/support/warnings.rs"]
pub(crate) mod warnings;

use reqwest::{Client, ClientBuilder};
use tachometer::{LlmLayer, Registry};

use crate::support::read::sum;

/// Makes a client builder. It needs a TLS provider, although no test uses TLS.
pub(crate) fn builder() -> ClientBuilder {
    // Another test may have installed it.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
}

pub(crate) fn client() -> Client {
    builder().build().unwrap()
}

/// Returns a layer with a new registry.
pub(crate) fn layer() -> (LlmLayer, Registry) {
    let registry = Registry::new();
    (LlmLayer::new().registry(&registry), registry)
}

/// Returns how many calls there were, of each outcome in the order of the alphabet.
pub(crate) fn outcomes(registry: &Registry) -> [f64; 4] {
    ["cancelled", "error", "success", "truncated"]
        .map(|outcome| sum(registry, "llm_requests_total", &[("outcome", outcome)]))
}

pub(crate) const CANCELLED: [f64; 4] = [1.0, 0.0, 0.0, 0.0];
pub(crate) const ERROR: [f64; 4] = [0.0, 1.0, 0.0, 0.0];
pub(crate) const SUCCESS: [f64; 4] = [0.0, 0.0, 1.0, 0.0];
pub(crate) const TRUNCATED: [f64; 4] = [0.0, 0.0, 0.0, 1.0];
pub(crate) const NONE: [f64; 4] = [0.0; 4];

/// Returns input and output tokens.
pub(crate) fn tokens(registry: &Registry) -> [f64; 2] {
    ["input", "output"]
        .map(|direction| sum(registry, "llm_tokens_total", &[("direction", direction)]))
}

pub(crate) fn in_flight(registry: &Registry) -> f64 {
    sum(registry, "llm_requests_in_flight", &[])
}
