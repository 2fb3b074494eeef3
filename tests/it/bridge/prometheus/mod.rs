//! Registries of the `prometheus` crate. The oracle is that crate's own encoder.
//!
//! - `their_text`: reads the text that its encoder writes.
//! - `to_prometheus`: metrics of a registry in one of that crate.

mod their_text;
mod to_prometheus;
