//! The documentation, the examples and the demo against the crate.

mod complaints;
mod demo;
#[cfg(feature = "serve")]
mod documented_series;
mod examples;
mod python_guide;
