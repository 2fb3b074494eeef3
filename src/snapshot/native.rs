//! Exponential buckets, as in Prometheus's native histograms.

use crate::error::Error;
use crate::snapshot::Totals;

/// The resolution of exponential buckets.
///
/// It is determined by what Prometheus calls the schema: each octave, from a power of two to the
/// next, is divided into `2^schema` buckets. The error of a percentile is at most half a bucket:
///
/// | schema | 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 |
/// | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
/// | maximum error | 42 % | 19 % | 9.1 % | 4.5 % | 2.2 % | 1.1 % | 0.55 % | 0.28 % | 0.14 % |
///
/// Memory grows with the range of the observed values, by at most `2^schema` numbers per octave.
/// The default is 3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resolution(u8);

impl Resolution {
    /// Returns the resolution for a schema from 0 to 8.
    ///
    /// # Errors
    ///
    /// If the schema is above 8 ([`Error::is_invalid_buckets`]).
    pub fn from_schema(schema: u8) -> Result<Self, Error> {
        if schema <= 8 {
            return Ok(Self(schema));
        }
        Err(Error::invalid_buckets(format_args!(
            "there is no schema {schema}: choose one from 0 (coarse) to 8 (fine)"
        )))
    }

    /// Returns the schema, from 0 to 8.
    #[must_use]
    pub fn schema(self) -> u8 {
        self.0
    }

    /// Returns the maximum relative error of a percentile, from 0 to 1.
    #[must_use]
    pub fn relative_error(self) -> f64 {
        (0.5 / self.buckets_per_octave()).exp2() - 1.0
    }

    /// Returns the number of buckets per octave.
    fn buckets_per_octave(self) -> f64 {
        f64::from(1_u16 << self.0)
    }
}

impl Default for Resolution {
    fn default() -> Self {
        Self(3)
    }
}

/// The exponential buckets of a histogram.
///
/// The positive bucket with the index `i` counts values above `base^(i - 1)` and up to `base^i`,
/// where `base` is `2^(2^-schema)`. Negative buckets do the same for absolute values.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct NativeBuckets {
    /// The resolution of the buckets.
    pub resolution: Resolution,
    /// The number of values whose absolute value is at most
    /// [`ZERO_THRESHOLD`](Self::ZERO_THRESHOLD).
    pub zero_count: u64,
    /// Indexes and counts of the non-empty buckets of negative values, in ascending order of the
    /// index.
    pub negative: Vec<(i32, u64)>,
    /// Indexes and counts of the non-empty buckets of positive values, in ascending order of the
    /// index.
    pub positive: Vec<(i32, u64)>,
}

impl NativeBuckets {
    /// Values with an absolute value up to this count as 0. It is 2^-128, the threshold of
    /// Prometheus.
    pub const ZERO_THRESHOLD: f64 = f64::from_bits((1_023 - 128) << (f64::MANTISSA_DIGITS - 1));

    /// Returns the number of values in all buckets.
    #[must_use]
    pub fn count(&self) -> u64 {
        let counts = self.negative.iter().chain(&self.positive);
        self.zero_count + counts.map(|(_, count)| count).sum::<u64>()
    }

    /// Returns the number of values in all buckets, or `None` if the buckets of another library are
    /// not valid: not ascending, outside of the numbers that an `f64` can have, or with more values
    /// than can be counted.
    pub(crate) fn checked_count(&self) -> Option<u64> {
        let schema = self.resolution.schema();
        // The exponents of the smallest and the largest `f64`.
        let indexes = (-1_074 << schema)..=(1_024 << schema);
        let mut sum = self.zero_count;
        for buckets in [&self.negative, &self.positive] {
            let is_ascending = buckets.is_sorted_by(|(one, _), (other, _)| one < other);
            if !is_ascending || buckets.iter().any(|(index, _)| !indexes.contains(index)) {
                return None;
            }
            for (_, count) in buckets {
                sum = sum.checked_add(*count)?;
            }
        }
        Some(sum)
    }

    /// Adds to the count of a bucket of positive values.
    pub(crate) fn add_positive(&mut self, index: i32, count: u64) {
        add_count(&mut self.positive, index, count);
    }

    /// Adds to the count of a bucket of negative values.
    pub(crate) fn add_negative(&mut self, index: i32, count: u64) {
        add_count(&mut self.negative, index, count);
    }

    /// Adds the counts of buckets with the same resolution.
    pub(crate) fn add(&mut self, other: &Self) {
        self.zero_count += other.zero_count;
        add_counts(&mut self.negative, &other.negative);
        add_counts(&mut self.positive, &other.positive);
    }

    /// Returns an estimate of the value that `percent` percent of the values do not exceed,
    /// between the minimum and the maximum, which are exact unless they are unknown.
    ///
    /// There must be a value, and `percent` must be from 0 to 100.
    pub(crate) fn percentile(&self, percent: f64, totals: Totals) -> f64 {
        let count = self.count();
        // The nearest rank: the position in the sorted values. A product that should be a whole
        // number may be slightly above it.
        let rank = count as f64 * percent / 100.0;
        let rank = (rank - rank * 4.0 * f64::EPSILON).ceil().max(1.0);
        if rank <= 1.0 && !totals.min.is_nan() {
            return totals.min;
        }
        if rank >= count as f64 && !totals.max.is_nan() {
            return totals.max;
        }
        let middle =
            |index: i32| ((f64::from(index) - 0.5) / self.resolution.buckets_per_octave()).exp2();
        let negative = self.negative.iter().rev();
        let values = negative
            .map(|&(index, count)| (-middle(index), count))
            .chain([(0.0, self.zero_count)])
            .chain(self.positive.iter().map(|&(i, count)| (middle(i), count)));
        let mut cumulative = 0;
        for (value, count) in values {
            cumulative += count;
            if cumulative as f64 >= rank {
                return value.max(totals.min).min(totals.max);
            }
        }
        totals.max
    }
}

/// Adds counts to others; both are sorted by index.
fn add_counts(counts: &mut Vec<(i32, u64)>, others: &[(i32, u64)]) {
    for &(index, count) in others {
        add_count(counts, index, count);
    }
}

/// Adds to the count of one bucket; the counts are sorted by index.
fn add_count(counts: &mut Vec<(i32, u64)>, index: i32, count: u64) {
    match counts.binary_search_by_key(&index, |(index, _)| *index) {
        Ok(position) => counts[position].1 += count,
        Err(position) => counts.insert(position, (index, count)),
    }
}
