//! Registries of the `prometheus` crate. The oracle is that crate's own encoder.
//!
//! - `both_directions`: registries that collect each other.
//! - `custom_collector`: collectors of that crate that return whatever a test wants.
//! - `from_prometheus`: metrics of a registry of that crate in one of this crate.
//! - `misbehavior`: what collectors of that crate can do wrong.
//! - `outputs`: what all formats, the page and the board have of such metrics.
//! - `random_registry`: registries with random metrics.
//! - `text_encoder`: reads the text that its encoder writes.
//! - `to_prometheus`: metrics of a registry in one of that crate.

mod both_directions;
mod custom_collector;
mod from_prometheus;
mod misbehavior;
mod outputs;
mod random_registry;
mod text_encoder;
mod to_prometheus;
