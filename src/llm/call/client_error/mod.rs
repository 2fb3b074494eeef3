//! Classification of the errors of HTTP clients.

mod classify;
#[cfg(feature = "hyper-util")]
mod hyper;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "reqwest-middleware")]
mod reqwest_middleware;
mod source_chain;

pub(crate) use classify::error_type;
