//! The tower layer, with its service, future and body.

mod body;
mod client_traits;
mod future;
mod layer;
mod service;
mod start_call;

pub use body::LlmBody;
pub use client_traits::{LlmRequest, LlmResponse};
pub(crate) use future::LlmFuture;
pub use layer::LlmLayer;
pub use service::LlmService;
