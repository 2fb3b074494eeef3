//! The values of histograms, their percentiles and statistics.

use crate::error::Error;
use crate::snapshot::{Bounds, NativeBuckets};

/// The histograms of a block, which share their bounds.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Histograms {
    /// The upper bounds of the buckets, without the last one, infinity.
    pub bounds: Bounds,
    /// The number of values in each bucket, not cumulative: `bounds.len() + 1` numbers for the first
    /// series, as many for the second, and so on.
    pub counts: Vec<u64>,
    /// The sum, minimum and maximum of each series.
    pub totals: Vec<Totals>,
    /// The exponential buckets of each series; empty if the family has only classic buckets.
    pub native: Vec<NativeBuckets>,
}

impl Histograms {
    /// Makes an empty list of histograms with these bounds.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            counts: Vec::new(),
            totals: Vec::new(),
            native: Vec::new(),
        }
    }

    /// Returns the histogram of one series, if there is such a series.
    #[must_use]
    pub fn get(&self, series: usize) -> Option<HistogramView<'_>> {
        let width = self.bounds.len() + 1;
        let start = series.checked_mul(width)?;
        Some(HistogramView {
            bounds: &self.bounds,
            counts: self.counts.get(start..start + width)?,
            totals: *self.totals.get(series)?,
            native: self.native.get(series),
        })
    }

    /// Returns an iterator over the histograms of all series.
    pub fn iter(&self) -> impl Iterator<Item = HistogramView<'_>> {
        (0..self.totals.len()).filter_map(|series| self.get(series))
    }

    /// Removes all series but those with these indexes, which are ascending.
    pub(crate) fn retain(&mut self, kept: &[usize]) {
        let mut all = Self::new(self.bounds.clone());
        for &series in kept {
            if let Some(histogram) = self.get(series) {
                all.counts.extend_from_slice(histogram.counts);
                all.totals.push(histogram.totals);
                all.native.extend(histogram.native.cloned());
            }
        }
        *self = all;
    }

    /// Adds `other` to the histogram of a series. Returns false, and changes nothing, if their
    /// buckets differ.
    pub(crate) fn add(&mut self, series: usize, other: HistogramView<'_>) -> bool {
        let width = self.bounds.len() + 1;
        let native = self.native.get_mut(series);
        let resolution = native.as_ref().map(|native| native.resolution);
        if *self.bounds != **other.bounds
            || resolution != other.native.map(|native| native.resolution)
        {
            return false;
        }
        let counts = &mut self.counts[series * width..][..width];
        let totals = &mut self.totals[series];
        if counts.iter().all(|count| *count == 0) {
            *totals = other.totals;
        } else if other.count() > 0 {
            totals.add(other.totals);
        }
        for (count, other) in counts.iter_mut().zip(other.counts) {
            *count += other;
        }
        if let (Some(native), Some(other)) = (native, other.native) {
            native.add(other);
        }
        true
    }
}

/// The sum, minimum and maximum of a histogram; all are 0 if it is empty.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Totals {
    /// The sum of all observed values.
    pub sum: f64,
    /// The smallest observed value. It is NaN if a collector has not given it
    /// ([`HistogramValues`](crate::registry::HistogramValues)).
    pub min: f64,
    /// The largest observed value. It may be NaN, as `min`.
    pub max: f64,
}

impl Totals {
    /// Adds the totals of another histogram that is not empty to these of one that is not.
    pub(crate) fn add(&mut self, other: Self) {
        self.sum += other.sum;
        // Not `min` and `max` of `f64`, which ignore NaN: the minimum of both is unknown then.
        if other.min.is_nan() || other.min < self.min {
            self.min = other.min;
        }
        if other.max.is_nan() || other.max > self.max {
            self.max = other.max;
        }
    }
}

/// A borrowed histogram.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HistogramView<'a> {
    bounds: &'a Bounds,
    counts: &'a [u64],
    totals: Totals,
    native: Option<&'a NativeBuckets>,
}

impl<'a> HistogramView<'a> {
    pub(crate) fn new(
        bounds: &'a Bounds,
        counts: &'a [u64],
        totals: Totals,
        native: Option<&'a NativeBuckets>,
    ) -> Self {
        Self {
            bounds,
            counts,
            totals,
            native,
        }
    }

    /// Returns the upper bounds of the classic buckets, without the last one, infinity.
    #[must_use]
    pub fn bounds(&self) -> &'a Bounds {
        self.bounds
    }

    /// Returns the number of values in each classic bucket, not cumulative. The last bucket is the
    /// one up to infinity.
    #[must_use]
    pub fn counts(&self) -> &'a [u64] {
        self.counts
    }

    /// Returns the exponential buckets, if the histogram has any.
    #[must_use]
    pub fn native(&self) -> Option<&'a NativeBuckets> {
        self.native
    }

    /// Returns the number of observed values.
    ///
    /// It is computed from the buckets, so it always equals the cumulative `+Inf` bucket.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Returns the sum, minimum and maximum.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Returns the upper bound of each bucket, and the number of values that do not exceed it. The
    /// last bound is infinity.
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> + use<'a> {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        let counts = self.counts.iter().scan(0, |below, count| {
            *below += count;
            Some(*below)
        });
        bounds.zip(counts)
    }

    /// Returns an estimate of the value that `percentile` percent of the
    /// observations do not exceed, from 0 to 100.
    ///
    /// It is exact at 0 and 100, and always between the smallest and the largest observed value.
    /// If these are unknown, the bounds of the buckets are used in their place.
    /// With exponential buckets, the relative error to the value at the nearest rank is at most
    /// [`Resolution::relative_error`](crate::snapshot::Resolution::relative_error). With classic
    /// buckets only, it is interpolated within the bucket of that value, and the error is less
    /// than the width of the bucket.
    ///
    /// # Errors
    ///
    /// Returns an error if nothing was observed ([`Error::is_empty_histogram`]) or if
    /// `percentile` is not from 0 to 100 ([`Error::is_invalid_percentile`]).
    pub fn percentile(&self, percentile: f64) -> Result<f64, Error> {
        if !(0.0..=100.0).contains(&percentile) {
            return Err(Error::invalid_percentile(percentile));
        }
        let count = self.count();
        if count == 0 {
            return Err(Error::empty_histogram());
        }
        if let Some(native) = self.native.filter(|native| native.count() > 0) {
            return Ok(native.percentile(percentile, self.totals));
        }
        let (min, max) = self.extremes();
        let rank = count as f64 * percentile / 100.0;
        let mut lower = min;
        let mut below = 0;
        for (bound, cumulative) in self.cumulative() {
            let upper = bound.min(max);
            if cumulative > below && cumulative as f64 >= rank {
                let share = (rank - below as f64) / (cumulative - below) as f64;
                let inside = lower + (upper - lower) * share.max(0.0);
                // Not `clamp`, which panics if a race with a reset left min above max.
                return Ok(inside.max(min).min(max));
            }
            below = cumulative;
            lower = upper.max(min);
        }
        Ok(max)
    }

    /// Returns the smallest and the largest value. If they are unknown, returns the bounds of the
    /// outermost buckets with a value instead: 0 or the first bound as the lowest one, and the last
    /// finite bound as the highest one.
    fn extremes(&self) -> (f64, f64) {
        let Totals {
            mut min, mut max, ..
        } = self.totals;
        if min.is_nan() {
            let first = self.counts.iter().position(|count| *count > 0);
            min = match first.and_then(|first| first.checked_sub(1)) {
                Some(below) => self.bounds[below],
                None => self.bounds.first().map_or(0.0, |bound| bound.min(0.0)),
            };
        }
        if max.is_nan() {
            let last = self.counts.iter().rposition(|count| *count > 0);
            let bound = last.and_then(|last| self.bounds.get(last));
            max = bound.or(self.bounds.last()).copied().unwrap_or(0.0);
        }
        (min, max)
    }

    /// Returns true if some value may have been negative.
    #[cfg(feature = "otlp")]
    pub(crate) fn may_have_negative_values(&self) -> bool {
        let is_known = !self.totals.min.is_nan();
        let mut native = self.native.iter();
        self.extremes().0 < 0.0 || (!is_known && native.any(|native| !native.negative.is_empty()))
    }

    /// Returns the statistics of the histogram as an owned value.
    #[must_use]
    pub fn stats(&self) -> HistogramStats {
        let count = self.count();
        let Totals { sum, min, max } = self.totals;
        HistogramStats {
            count,
            sum,
            min,
            max,
            mean: if count == 0 { 0.0 } else { sum / count as f64 },
            buckets: self.cumulative().collect(),
        }
    }
}

/// The statistics of a histogram; all are 0 if it is empty. The minimum and the maximum are NaN if
/// they are unknown, as in [`Totals`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct HistogramStats {
    /// The number of observed values.
    pub count: u64,
    /// The sum of the values.
    pub sum: f64,
    /// The smallest value.
    pub min: f64,
    /// The largest value.
    pub max: f64,
    /// The mean of the values.
    pub mean: f64,
    /// The inclusive upper bound of each bucket, and the number of values that do not exceed it.
    /// The last bound is infinity, with the number of all values.
    pub buckets: Vec<(f64, u64)>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn view<'a>(
        bounds: &'a Bounds,
        counts: &'a [u64],
        sum: f64,
        min: f64,
        max: f64,
    ) -> HistogramView<'a> {
        HistogramView::new(bounds, counts, Totals { sum, min, max }, None)
    }

    #[test]
    fn an_empty_histogram_has_statistics_of_zero_and_no_percentile() {
        let bounds = Bounds::new(&[1.0]).unwrap();
        let empty = view(&bounds, &[0, 0], 0.0, 0.0, 0.0);
        let stats = empty.stats();
        assert_eq!((stats.count, stats.sum, stats.mean), (0, 0.0, 0.0));
        assert!(empty.percentile(50.0).unwrap_err().is_empty_histogram());
    }

    #[test]
    fn a_percentile_outside_0_to_100_is_refused() {
        let bounds = Bounds::new(&[1.0]).unwrap();
        let one = view(&bounds, &[1, 0], 0.5, 0.5, 0.5);
        for asked in [-0.1, 100.1, f64::INFINITY] {
            let error = one.percentile(asked).unwrap_err();
            assert!(error.is_invalid_percentile());
            assert!(error.to_string().contains(&asked.to_string()), "{error}");
        }
        assert!(one.percentile(f64::NAN).is_err());
    }

    #[test]
    fn percentiles_interpolate_inside_their_bucket_and_stay_within_what_was_seen() {
        let bounds = Bounds::new(&[1.0, 2.0, 4.0]).unwrap();
        let spread = view(&bounds, &[0, 4, 4, 2], 30.0, 1.5, 9.0);
        let percentile = |p| spread.percentile(p).unwrap();
        assert_eq!(percentile(0.0), 1.5);
        assert_eq!(percentile(40.0), 2.0);
        assert_eq!(percentile(60.0), 3.0);
        assert_eq!(percentile(90.0), 6.5);
        assert_eq!(percentile(100.0), 9.0);

        let constant = view(&bounds, &[0, 5, 0, 0], 8.0, 1.6, 1.6);
        assert_eq!(constant.percentile(37.0).unwrap(), 1.6);
    }

    #[test]
    fn bounds_stand_in_for_unknown_extremes() {
        let bounds = Bounds::new(&[-2.0, 1.0, 4.0]).unwrap();
        let extremes = |counts: &[u64]| view(&bounds, counts, 0.0, f64::NAN, f64::NAN).extremes();
        assert_eq!(extremes(&[1, 0, 0, 0]), (-2.0, -2.0));
        assert_eq!(extremes(&[0, 1, 1, 0]), (-2.0, 4.0));
        assert_eq!(extremes(&[0, 0, 0, 1]), (4.0, 4.0));
        let positive = Bounds::new(&[1.0]).unwrap();
        let lowest = view(&positive, &[1, 0], 0.5, f64::NAN, f64::NAN);
        assert_eq!(lowest.extremes(), (0.0, 1.0));
        let none = Bounds::for_reading(&[]).unwrap();
        let single = view(&none, &[1], 0.5, f64::NAN, f64::NAN);
        assert_eq!(single.extremes(), (0.0, 0.0));
        let known_min = view(&bounds, &[1, 0, 0, 0], -3.0, -3.0, f64::NAN);
        assert_eq!(known_min.extremes(), (-3.0, -2.0));
    }

    #[test]
    fn a_sum_with_unknown_extremes_has_unknown_extremes() {
        let one = Totals {
            sum: 1.0,
            min: 1.0,
            max: 1.0,
        };
        let unknown = Totals {
            min: f64::NAN,
            max: f64::NAN,
            ..one
        };
        for (mut sum, other) in [(one, unknown), (unknown, one)] {
            sum.add(other);
            assert!(sum.min.is_nan() && sum.max.is_nan() && sum.sum == 2.0);
        }
        let mut sum = one;
        sum.add(Totals {
            sum: 5.0,
            min: 0.5,
            max: 4.5,
        });
        assert_eq!((sum.sum, sum.min, sum.max), (6.0, 0.5, 4.5));
    }
}
