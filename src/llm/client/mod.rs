//! The supported clients, one file for each.

#[cfg(feature = "async-openai")]
mod async_openai;
mod http;
#[cfg(feature = "hyper-util")]
mod hyper;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "reqwest-middleware")]
mod reqwest_middleware;
