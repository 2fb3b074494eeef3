//! Exponential buckets, as Prometheus's native histograms have them.

use crate::error::Error;
use crate::snapshot::Totals;

/// How finely exponential buckets tell magnitudes apart.
///
/// Prometheus calls it the schema: each octave, from a power of two to the next,
/// is cut into `2^schema` buckets. A percentile read from them is off by a factor
/// of at most half a bucket:
///
/// | schema | 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 |
/// | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
/// | error at most | 42 % | 19 % | 9.1 % | 4.5 % | 2.2 % | 1.1 % | 0.55 % | 0.28 % | 0.14 % |
///
/// Memory grows with the magnitudes seen, by `2^schema` numbers an octave at
/// most. The default is 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resolution(u8);

impl Resolution {
    /// Returns the resolution of a schema from 0 to 8.
    ///
    /// # Errors
    ///
    /// When the schema is above 8 ([`Error::is_invalid_buckets`]).
    pub fn from_schema(schema: u8) -> Result<Self, Error> {
        if schema <= 8 {
            return Ok(Self(schema));
        }
        Err(Error::invalid_buckets(format_args!(
            "there is no schema {schema}: choose one from 0, coarse, to 8, fine"
        )))
    }

    /// Returns the schema, from 0 to 8.
    #[must_use]
    pub fn schema(self) -> u8 {
        self.0
    }

    /// Returns the largest relative error of a percentile, from 0 to 1.
    #[must_use]
    pub fn relative_error(self) -> f64 {
        (0.5 / self.buckets_per_octave()).exp2() - 1.0
    }

    /// Returns how many buckets an octave has.
    fn buckets_per_octave(self) -> f64 {
        f64::from(1_u16 << self.0)
    }
}

impl Default for Resolution {
    fn default() -> Self {
        Self(3)
    }
}

/// What a histogram's exponential buckets held.
///
/// Of positive values, the bucket with the index `i` counts those above
/// `base^(i - 1)` and up to `base^i`, where `base` is `2^(2^-schema)`; of negative
/// ones the same without their sign.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct NativeBuckets {
    /// How finely the buckets are cut.
    pub resolution: Resolution,
    /// How many values were 0, or no farther from it than
    /// [`ZERO_THRESHOLD`](Self::ZERO_THRESHOLD).
    pub zero_count: u64,
    /// Indexes and counts of the buckets of negative values, by index; none is
    /// there twice, nor empty.
    pub negative: Vec<(i32, u64)>,
    /// Indexes and counts of the buckets of positive values, likewise.
    pub positive: Vec<(i32, u64)>,
}

impl NativeBuckets {
    /// What is no farther from 0 than this, 2^-128, counts as 0: Prometheus's own
    /// threshold.
    pub const ZERO_THRESHOLD: f64 = f64::from_bits((1_023 - 128) << (f64::MANTISSA_DIGITS - 1));

    /// Returns how many values all buckets hold.
    #[must_use]
    pub fn count(&self) -> u64 {
        let counts = self.negative.iter().chain(&self.positive);
        self.zero_count + counts.map(|(_, count)| count).sum::<u64>()
    }

    /// Adds the counts of others of the same resolution.
    pub(crate) fn add(&mut self, other: &Self) {
        self.zero_count += other.zero_count;
        add_counts(&mut self.negative, &other.negative);
        add_counts(&mut self.positive, &other.positive);
    }

    /// Returns about the value that `percent` of the values do not exceed, within
    /// the least and the greatest one, which it returns exactly.
    ///
    /// There must be a value, and `percent` be from 0 to 100.
    pub(crate) fn percentile(&self, percent: f64, totals: Totals) -> f64 {
        let count = self.count();
        // The nearest rank: of the sorted values, the one in this place.
        // A product that should be whole may come out a little above it.
        let rank = count as f64 * percent / 100.0;
        let rank = (rank - rank * 4.0 * f64::EPSILON).ceil().max(1.0);
        if rank <= 1.0 {
            return totals.min;
        }
        if rank >= count as f64 {
            return totals.max;
        }
        let middle =
            |index: i32| ((f64::from(index) - 0.5) / self.resolution.buckets_per_octave()).exp2();
        let negative = self.negative.iter().rev();
        let values = negative
            .map(|&(index, count)| (-middle(index), count))
            .chain([(0.0, self.zero_count)])
            .chain(self.positive.iter().map(|&(i, count)| (middle(i), count)));
        let mut up_to = 0;
        for (value, count) in values {
            up_to += count;
            if up_to as f64 >= rank {
                return value.max(totals.min).min(totals.max);
            }
        }
        totals.max
    }
}

/// Adds counts to others, both sorted by index.
fn add_counts(counts: &mut Vec<(i32, u64)>, others: &[(i32, u64)]) {
    for &(index, count) in others {
        match counts.binary_search_by_key(&index, |(index, _)| *index) {
            Ok(at) => counts[at].1 += count,
            Err(at) => counts.insert(at, (index, count)),
        }
    }
}
