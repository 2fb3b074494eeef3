//! The value of a counter.

/// The value of a counter: the sum of whole increments and that of fractional ones.
///
/// A single `f64` counts exactly only up to 2^53; above, adding 1 does not change it. The whole
/// part is exact up to 2^64, whatever fractions are added.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Count {
    /// The sum of the whole increments.
    pub whole: u64,
    /// The sum of the increments that were not whole numbers.
    pub fraction: f64,
}

impl Count {
    /// Returns the sum of both parts, rounded to an `f64`.
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
