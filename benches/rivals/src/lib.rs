//! Code that all comparisons share.

mod comparison;

pub use comparison::{Candidate, compare};
