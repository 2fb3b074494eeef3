//! The families of rate limits.

mod families;
#[cfg(test)]
mod tests;

pub(crate) use families::RateLimits;
