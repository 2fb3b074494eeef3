//! The upper bounds of a histogram's buckets.

use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use crate::error::Error;

/// The upper bounds of a histogram's buckets: finite, ascending, at least one.
///
/// A bound is inclusive: a value equal to it falls into its bucket. The last
/// bucket, up to infinity, is always there and has no bound in this list. A
/// clone shares the list.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// The bounds, and two infinities behind them.
    padded: Arc<[f64]>,
    table: LookupTable,
}

/// How many bounds lie below each cell of values, so that the search for a bucket
/// begins next to where it ends.
///
/// A cell is a part of an octave: the values that share a sign, an exponent and
/// the first bits of a mantissa. There are so many of these bits that no cell holds
/// more than two bounds, and two comparisons, without a branch, settle the bucket.
#[derive(Debug, Clone, Default)]
struct LookupTable {
    /// How far to shift a value's bits so that its cell's number is left.
    shift: u32,
    /// The number of the first cell.
    first_slot: u64,
    /// Empty where even the narrowest cells would hold more than two bounds; all
    /// values are searched for then.
    bounds_below: Arc<[u16]>,
}

/// There are cells from 2^-32, a quarter of a nanosecond in seconds, up to but not
/// including 2^48, 256 TiB in bytes. Other values, all that are not positive or not
/// finite among them, are searched for.
const TABLE_EXPONENTS: (u64, u64) = (1023 - 32, 1023 + 48);

impl LookupTable {
    fn new(bounds: &[f64]) -> Self {
        (4..=9)
            .find_map(|bits| Self::with_bits(bounds, bits))
            .unwrap_or_default()
    }

    fn with_bits(bounds: &[f64], bits: u32) -> Option<Self> {
        let shift = f64::MANTISSA_DIGITS - 1 - bits;
        let (first, end) = (TABLE_EXPONENTS.0 << bits, TABLE_EXPONENTS.1 << bits);
        let below = |cell: u64| {
            let start = f64::from_bits(cell << shift);
            bounds.partition_point(|&bound| bound < start)
        };
        if (first..end).any(|cell| below(cell + 1) - below(cell) > 2) {
            return None;
        }
        let below: Result<_, _> = (first..end)
            .map(|cell| u16::try_from(below(cell)))
            .collect();
        Some(Self {
            shift,
            first_slot: first,
            bounds_below: below.ok()?,
        })
    }

    #[inline]
    fn lower_bounds(&self, value: f64) -> Option<usize> {
        let cell = (value.to_bits() >> self.shift).wrapping_sub(self.first_slot);
        let below = self.bounds_below.get(usize::try_from(cell).ok()?)?;
        Some(usize::from(*below))
    }
}

impl Bounds {
    /// The most bounds that a histogram may have.
    pub const MAX_LEN: usize = 10_000;

    /// Checks and keeps a list of bounds.
    ///
    /// # Errors
    ///
    /// When the list is empty or longer than [`MAX_LEN`](Self::MAX_LEN), or a bound is not
    /// finite, or not above the one before it ([`Error::is_invalid_buckets`]).
    pub fn new(bounds: &[f64]) -> Result<Self, Error> {
        if bounds.is_empty() {
            return Err(Error::invalid_buckets(
                "a histogram needs at least one bucket bound: \
                 give some, or leave them out for the default ones",
            ));
        }
        if bounds.len() > Self::MAX_LEN {
            return Err(Error::invalid_buckets(format_args!(
                "a histogram may have {} bucket bounds at most, and these are {}: give fewer",
                Self::MAX_LEN,
                bounds.len()
            )));
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
        Ok(Self::from_sorted(bounds))
    }

    /// Returns these bounds and `others`, which are ascending too, as one list.
    pub(crate) fn merged_with(&self, others: &[f64]) -> Self {
        let mut all = [self, others].concat();
        all.sort_by(f64::total_cmp);
        all.dedup();
        Self::from_sorted(&all)
    }

    fn from_sorted(bounds: &[f64]) -> Self {
        let infinities = [f64::INFINITY; 2];
        Self {
            padded: bounds.iter().copied().chain(infinities).collect(),
            table: LookupTable::new(bounds),
        }
    }

    /// Returns the index of the bucket that a value falls into.
    ///
    /// The index of the last bucket, up to infinity, is the number of bounds.
    #[inline]
    #[must_use]
    pub fn bucket_index(&self, value: f64) -> usize {
        self.bucket_index_from_table(value)
            .unwrap_or_else(|| self.partition_point(|&bound| bound < value))
    }

    /// Returns the same, but only for a value that is in a cell.
    #[inline]
    pub(crate) fn bucket_index_from_table(&self, value: f64) -> Option<usize> {
        let start = self.table.lower_bounds(value)?;
        let Some(&[one, other]) = self.padded.get(start..start + 2) else {
            return None;
        };
        // As bits, in which positive numbers have the same order: integers are
        // compared in fewer steps. No bound next to a positive value is negative.
        let (one, other, value) = (one.to_bits(), other.to_bits(), value.to_bits());
        Some(start + usize::from(one < value) + usize::from(other < value))
    }
}

/// The bounds for durations in seconds that the official clients use, 5 ms to
/// 10 s.
impl Default for Bounds {
    fn default() -> Self {
        static DEFAULT: LazyLock<Bounds> = LazyLock::new(|| {
            Bounds::from_sorted(&[
                0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
            ])
        });
        DEFAULT.clone()
    }
}

impl Deref for Bounds {
    type Target = [f64];

    fn deref(&self) -> &[f64] {
        // Without the infinities behind them.
        let bounds = self.padded.split_last_chunk::<2>();
        bounds.map_or(&[], |(bounds, _)| bounds)
    }
}

impl PartialEq for Bounds {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_equal_to_a_bound_falls_into_its_bucket() {
        let bounds = Bounds::new(&[1.0, 2.0]).unwrap();
        let of = |value| bounds.bucket_index(value);
        assert_eq!(
            (of(-5.0), of(1.0), of(1.5), of(2.0), of(2.1)),
            (0, 0, 1, 1, 2)
        );
    }

    #[test]
    fn every_value_falls_into_the_bucket_that_a_search_finds() {
        let mut random = fastrand::Rng::with_seed(2);
        let many: Vec<f64> = (0..400).map(|number| f64::from(number) - 9.5).collect();
        let wide = [
            -1e3, 0.0, 1e-300, 1e-30, 1.0, 1.001, 1.002, 1.003, 1e30, 1e300,
        ];
        let close = [1.0, 1.0_f64.next_up(), 1.0_f64.next_up().next_up(), 2.0];
        for bounds in [&*Bounds::default(), &wide, &close, &many] {
            let bounds = Bounds::new(bounds).unwrap();
            let near = bounds.iter().flat_map(|b| [b.next_down(), *b, b.next_up()]);
            let random =
                (0..50_000).map(|_| random.f64() * (random.f64() * 2_000.0 - 1_000.0).exp2());
            let values: Vec<f64> = near
                .chain(random)
                .chain([0.0, -0.0, -5.0, f64::MAX])
                .collect();
            for value in values {
                let found = bounds.partition_point(|&bound| bound < value);
                assert_eq!(bounds.bucket_index(value), found, "{value}");
            }
        }
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
        check(
            &vec![1.0; Bounds::MAX_LEN + 1],
            "10000 bucket bounds at most",
        );
    }
}
