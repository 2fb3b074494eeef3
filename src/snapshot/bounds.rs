//! The upper bounds of a histogram's buckets.

use std::ops::Deref;
use std::sync::Arc;

use crate::error::Error;

/// The upper bounds of a histogram's buckets: finite, ascending, at least one.
///
/// A bound is inclusive: a value equal to it falls into its bucket. The last
/// bucket, up to infinity, is always there and has no bound in this list. A
/// clone shares the list.
#[derive(Debug, Clone, PartialEq)]
pub struct Bounds(Arc<[f64]>);

impl Bounds {
    /// Checks and keeps a list of bounds.
    ///
    /// # Errors
    ///
    /// When the list is empty, or a bound is not finite, or not above the one
    /// before it ([`Error::is_invalid_buckets`]).
    pub fn new(bounds: &[f64]) -> Result<Self, Error> {
        if bounds.is_empty() {
            return Err(Error::invalid_buckets(
                "a histogram needs at least one bucket bound: \
                 give some, or leave them out for the default ones",
            ));
        }
        if let Some(bound) = bounds.iter().find(|bound| !bound.is_finite()) {
            return Err(Error::invalid_buckets(format_args!(
                "the bucket bound {bound} is not finite: leave it out, \
                 the bucket up to +Inf is always there"
            )));
        }
        let falls = |pair: &&[f64]| pair[0] >= pair[1];
        if let Some(&[before, bound]) = bounds.windows(2).find(falls) {
            return Err(Error::invalid_buckets(format_args!(
                "the bucket bound {bound} does not rise above the one before it, {before}: \
                 sort the bounds and drop repeated ones"
            )));
        }
        Ok(Self(bounds.into()))
    }

    /// Returns the index of the bucket that a value falls into.
    ///
    /// The index of the last bucket, up to infinity, is the number of bounds.
    #[must_use]
    pub fn bucket_of(&self, value: f64) -> usize {
        self.0.partition_point(|&bound| bound < value)
    }
}

/// The bounds for durations in seconds that the official clients use, 5 ms to
/// 10 s.
impl Default for Bounds {
    fn default() -> Self {
        Self(Arc::new([
            0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
        ]))
    }
}

impl Deref for Bounds {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_equal_to_a_bound_falls_into_its_bucket() {
        let bounds = Bounds::new(&[1.0, 2.0]).unwrap();
        let of = |value| bounds.bucket_of(value);
        assert_eq!(
            (of(-5.0), of(1.0), of(1.5), of(2.0), of(2.1)),
            (0, 0, 1, 1, 2)
        );
    }

    #[test]
    fn bounds_that_are_empty_unsorted_repeated_or_not_finite_are_refused_by_name() {
        #[track_caller]
        fn check(bounds: &[f64], named: &str) {
            let error = Bounds::new(bounds).unwrap_err();
            assert!(error.is_invalid_buckets());
            assert!(error.to_string().contains(named), "{error}");
        }
        check(&[], "at least one");
        check(
            &[2.0, 1.0],
            "bound 1 does not rise above the one before it, 2",
        );
        check(&[1.0, 1.0], "bound 1 does not rise");
        check(&[1.0, f64::INFINITY], "inf is not finite");
        check(&[f64::NAN], "NaN is not finite");
    }
}
