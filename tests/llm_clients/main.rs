//! The layer around clients of LLMs, with the clients that its users have, servers that
//! answer as they are told to, and servers of others.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod clients;
mod costs;
mod global_registry;
mod limits;
mod one_outcome;
mod presets;
mod routes;
mod secrets;
mod servers;
mod support;
mod transparency;
