//! The upper bounds of a histogram's buckets.

use std::ops::Deref;
use std::sync::{Arc, LazyLock};

use crate::error::Error;

/// The upper bounds of a histogram's classic buckets: finite, ascending, at least one.
///
/// A bound is inclusive: a value equal to it belongs to its bucket. Every histogram has a last
/// bucket up to infinity, which is not in this list. A clone shares the list.
#[derive(Debug, Clone)]
pub struct Bounds {
    /// The bounds, followed by two infinities.
    padded: Arc<[f64]>,
    table: LookupTable,
}

/// For each slot of values, how many bounds are below it, so that the search for a bucket starts
/// near its end.
///
/// A slot is a part of an octave: the values with the same exponent and the same first bits of the
/// mantissa. The number of these bits is chosen so that no slot contains more than two bounds. Two
/// comparisons, without a branch, then determine the bucket.
#[derive(Debug, Clone, Default)]
struct LookupTable {
    /// By how much to shift the bits of a value right to get the number of its slot.
    shift: u32,
    /// The number of the first slot.
    first_slot: u64,
    /// Empty if even the narrowest slots would contain more than two bounds. Then a binary search
    /// is used for all values.
    bounds_below: Arc<[u16]>,
}

/// The range of values that the lookup table covers, as exponents of `f64`: from 2^-32 (0.23 ns,
/// for durations in seconds) up to but not including 2^48 (256 TiB, for sizes in bytes). Other
/// values, including those that are not positive or not finite, use a binary search.
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
        let below = |slot: u64| {
            let start = f64::from_bits(slot << shift);
            bounds.partition_point(|&bound| bound < start)
        };
        if (first..end).any(|slot| below(slot + 1) - below(slot) > 2) {
            return None;
        }
        let below: Result<_, _> = (first..end)
            .map(|slot| u16::try_from(below(slot)))
            .collect();
        Some(Self {
            shift,
            first_slot: first,
            bounds_below: below.ok()?,
        })
    }

    #[inline]
    fn lower_bounds(&self, value: f64) -> Option<usize> {
        let slot = (value.to_bits() >> self.shift).wrapping_sub(self.first_slot);
        let below = self.bounds_below.get(usize::try_from(slot).ok()?)?;
        Some(usize::from(*below))
    }
}

impl Bounds {
    /// The maximum number of bounds.
    pub const MAX_LEN: usize = 10_000;

    /// Makes bounds of a list.
    ///
    /// # Errors
    ///
    /// If the list is empty or longer than [`MAX_LEN`](Self::MAX_LEN), or a bound is not
    /// finite, or not above the one before it ([`Error::is_invalid_buckets`]).
    pub fn new(bounds: &[f64]) -> Result<Self, Error> {
        if bounds.is_empty() {
            return Err(Error::invalid_buckets(
                "a histogram needs at least one bucket bound: \
                 pass some, or use the default buckets",
            ));
        }
        Self::check(bounds)?;
        Ok(Self::from_sorted(bounds))
    }

    /// Makes bounds of a list that may be empty, for values that are in buckets already. Finding
    /// the bucket of a value takes longer with them.
    pub(crate) fn for_reading(bounds: &[f64]) -> Result<Self, Error> {
        Self::check(bounds)?;
        Ok(Self {
            padded: padded(bounds),
            table: LookupTable::default(),
        })
    }

    fn check(bounds: &[f64]) -> Result<(), Error> {
        if bounds.len() > Self::MAX_LEN {
            return Err(Error::invalid_buckets(format_args!(
                "a histogram may have {} bucket bounds at most, but {} were given: pass fewer",
                Self::MAX_LEN,
                bounds.len()
            )));
        }
        if let Some(bound) = bounds.iter().find(|bound| !bound.is_finite()) {
            return Err(Error::invalid_buckets(format_args!(
                "the bucket bound {bound} is not finite: leave it out, \
                 since every histogram has a bucket up to +Inf"
            )));
        }
        let is_unsorted = |pair: &&[f64]| pair[0] >= pair[1];
        if let Some(&[before, bound]) = bounds.windows(2).find(is_unsorted) {
            return Err(Error::invalid_buckets(format_args!(
                "the bucket bound {bound} is not greater than the one before it, {before}: \
                 sort the bounds and remove duplicates"
            )));
        }
        Ok(())
    }

    /// Returns these bounds and `others`, both ascending, merged into one list.
    pub(crate) fn merged_with(&self, others: &[f64]) -> Self {
        let mut all = self.to_vec();
        for bound in others {
            let position = all.partition_point(|other| other < bound);
            if all.get(position) != Some(bound) {
                all.insert(position, *bound);
            }
        }
        Self::from_sorted(&all)
    }

    fn from_sorted(bounds: &[f64]) -> Self {
        Self {
            padded: padded(bounds),
            table: LookupTable::new(bounds),
        }
    }

    /// Returns the index of the bucket that a value belongs to.
    ///
    /// The index of the last bucket, up to infinity, is the number of bounds.
    #[inline]
    #[must_use]
    pub fn bucket_index(&self, value: f64) -> usize {
        self.bucket_index_from_table(value)
            .unwrap_or_else(|| self.partition_point(|&bound| bound < value))
    }

    /// Returns the index of the bucket, or `None` if the value is not in the lookup table.
    #[inline]
    pub(crate) fn bucket_index_from_table(&self, value: f64) -> Option<usize> {
        let start = self.table.lower_bounds(value)?;
        let Some(&[one, other]) = self.padded.get(start..start + 2) else {
            return None;
        };
        // The bits of positive numbers have the same order as the numbers, and comparing integers
        // takes fewer instructions. No bound next to a positive value is negative.
        let (one, other, value) = (one.to_bits(), other.to_bits(), value.to_bits());
        Some(start + usize::from(one < value) + usize::from(other < value))
    }
}

/// Appends the two infinities that lookups rely on.
fn padded(bounds: &[f64]) -> Arc<[f64]> {
    let infinities = [f64::INFINITY; 2];
    bounds.iter().copied().chain(infinities).collect()
}

/// The default bounds of the official clients, for durations of 5 ms to 10 s in seconds.
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
        // Without the two infinities.
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
    fn a_value_equal_to_a_bound_belongs_to_its_bucket() {
        let bounds = Bounds::new(&[1.0, 2.0]).unwrap();
        let index = |value| bounds.bucket_index(value);
        assert_eq!(
            (index(-5.0), index(1.0), index(1.5), index(2.0), index(2.1)),
            (0, 0, 1, 1, 2)
        );
    }

    #[test]
    fn the_lookup_table_agrees_with_a_binary_search() {
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
    fn empty_unsorted_repeated_and_non_finite_bounds_are_refused() {
        #[track_caller]
        fn check(bounds: &[f64], named: &str) {
            let error = Bounds::new(bounds).unwrap_err();
            assert!(error.is_invalid_buckets());
            assert!(error.to_string().contains(named), "{error}");
        }
        check(&[], "at least one");
        check(
            &[2.0, 1.0],
            "bound 1 is not greater than the one before it, 2",
        );
        check(&[1.0, 1.0], "bound 1 is not greater");
        check(&[1.0, f64::INFINITY], "inf is not finite");
        check(&[f64::NAN], "NaN is not finite");
        check(
            &vec![1.0; Bounds::MAX_LEN + 1],
            "10000 bucket bounds at most",
        );
    }
}
