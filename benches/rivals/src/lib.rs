//! What all races have in common.

mod race;

pub use race::{Lane, race};
