//! What must never leave the process: values of clients, secrets, bodies.
//!
//! - `client_values`: which client values can become label values: the table in
//!   `docs/security.md`.
//! - `debug_output`: `Debug` output shows no value of a client, and at most one line.
//! - `secrets`: no output of the crate holds data of a client's request, of the service's
//!   response, or credentials for the metrics.

mod client_values;
mod debug_output;
mod secrets;
