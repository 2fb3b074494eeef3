//! A counter's value, exact in both of its parts.

/// A counter's value: whole increments beside fractional ones.
///
/// A single `f64` counts exactly only to 2^53, and then `+ 1.0` changes nothing.
/// Kept apart, the whole part is exact to 2^64 whatever fractions join it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Count {
    /// The sum of the whole increments.
    pub whole: u64,
    /// The sum of the increments that were not whole numbers.
    pub fraction: f64,
}

impl Count {
    /// Returns the sum of both parts, the nearest `f64` to it.
    #[must_use]
    pub fn value(self) -> f64 {
        self.whole as f64 + self.fraction
    }
}

impl From<u64> for Count {
    fn from(whole: u64) -> Self {
        Self {
            whole,
            fraction: 0.0,
        }
    }
}
