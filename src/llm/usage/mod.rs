//! What a call used, and how it ended.

pub(crate) mod outcome;
pub(crate) mod tokens;
pub(crate) mod units;
