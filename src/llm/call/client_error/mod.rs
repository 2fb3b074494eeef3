//! The error type of a call that its client could not make, by the client's error.

mod classify;
#[cfg(feature = "hyper-util")]
mod hyper;
#[cfg(feature = "reqwest")]
mod reqwest;
#[cfg(feature = "reqwest-middleware")]
mod reqwest_middleware;
mod sources;

pub(crate) use classify::error_type;
