//! The LLM layer with real clients, a scripted upstream, and third-party servers.

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
