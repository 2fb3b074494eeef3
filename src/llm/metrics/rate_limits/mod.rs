//! The rate limits that providers report.

mod families;
#[cfg(test)]
mod tests;

pub(crate) use families::RateLimits;
