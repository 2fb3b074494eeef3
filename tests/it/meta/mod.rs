//! The documentation and the examples against the crate.
//!
//! - `complaints`: complaints of users of other layers, each answered by a test.
//! - `documented_series`: the number of series of a route and of a model equals the documented
//!   one.
//! - `examples`: the examples as programs, each with a small upstream.
//! - `python_guide`: the guide for users of the Python module, which has a row for each line of
//!   its documentation, and its examples.

mod complaints;
#[cfg(feature = "serve")]
mod documented_series;
mod examples;
mod python_guide;
