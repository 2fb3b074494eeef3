//! What histograms held, and what can be said from it.

use crate::error::Error;
use crate::snapshot::{Bounds, NativeBuckets};

/// The numbers of a block's histograms, which share their bounds.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Histograms {
    /// The upper bounds of the buckets, without the last, which is infinity.
    pub bounds: Bounds,
    /// How many values fell into each bucket by itself, not cumulated:
    /// `bounds.len() + 1` numbers for the first series, as many for the second,
    /// and so on.
    pub counts: Vec<u64>,
    /// Each series' sum, least and greatest value.
    pub totals: Vec<Totals>,
    /// Each series' exponential buckets; none at all where the family has only
    /// classic ones.
    pub native: Vec<NativeBuckets>,
}

impl Histograms {
    /// Makes an empty list of histograms over `bounds`.
    #[must_use]
    pub fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            counts: Vec::new(),
            totals: Vec::new(),
            native: Vec::new(),
        }
    }

    /// Returns one series' histogram, if there is such a series.
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

    /// Returns each series' histogram in turn.
    pub fn iter(&self) -> impl Iterator<Item = HistogramView<'_>> {
        (0..self.totals.len()).filter_map(|series| self.get(series))
    }

    /// Keeps these series, which are in ascending order.
    pub(crate) fn retain(&mut self, kept: &[usize]) {
        let mut all = Self::new(self.bounds.clone());
        for &series in kept {
            if let Some(own) = self.get(series) {
                all.counts.extend_from_slice(own.counts);
                all.totals.push(own.totals);
                all.native.extend(own.native.cloned());
            }
        }
        *self = all;
    }

    /// Adds what `other` holds to a series. Returns false, and changes nothing, if their
    /// buckets differ.
    pub(crate) fn add(&mut self, series: usize, other: HistogramView<'_>) -> bool {
        let width = self.bounds.len() + 1;
        let native = self.native.get_mut(series);
        let resolution = native.as_ref().map(|native| native.resolution);
        if *self.bounds != **other.bounds || resolution != other.native.map(|own| own.resolution) {
            return false;
        }
        let counts = &mut self.counts[series * width..][..width];
        let totals = &mut self.totals[series];
        if counts.iter().all(|count| *count == 0) {
            *totals = other.totals;
        } else if other.count() > 0 {
            totals.sum += other.totals.sum;
            totals.min = totals.min.min(other.totals.min);
            totals.max = totals.max.max(other.totals.max);
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

/// A histogram's sum and its least and greatest value; all 0 when it is empty.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Totals {
    /// The sum of all observed values.
    pub sum: f64,
    /// The least observed value.
    pub min: f64,
    /// The greatest observed value.
    pub max: f64,
}

/// One histogram, borrowed from where its numbers lie.
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

    /// Returns the upper bounds of the classic buckets, without the last, which is
    /// infinity.
    #[must_use]
    pub fn bounds(&self) -> &'a Bounds {
        self.bounds
    }

    /// Returns how many values fell into each classic bucket by itself, the one up to
    /// infinity last.
    #[must_use]
    pub fn counts(&self) -> &'a [u64] {
        self.counts
    }

    /// Returns the exponential buckets, where there are any.
    #[must_use]
    pub fn native(&self) -> Option<&'a NativeBuckets> {
        self.native
    }

    /// Returns how many values were observed.
    ///
    /// It is the sum of the buckets, never a number of its own, so that it
    /// always equals the `+Inf` bucket.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Returns the sum, least and greatest value.
    #[must_use]
    pub fn totals(&self) -> Totals {
        self.totals
    }

    /// Returns each bucket's upper bound and how many values are at most that;
    /// the last bound is infinity.
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
    /// It is exact at 0 and 100, and never outside the least and greatest value
    /// seen. With exponential buckets it is off by at most
    /// [`Resolution::relative_error`](crate::snapshot::Resolution::relative_error), relatively, from
    /// the value at the nearest rank. With classic ones alone it is interpolated
    /// within the bucket where that value lies, and off by less than the bucket's
    /// width.
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
        let Totals { min, max, .. } = self.totals;
        let rank = count as f64 * percentile / 100.0;
        let mut lower = min;
        let mut below = 0;
        for (bound, up_to) in self.cumulative() {
            let upper = bound.min(max);
            if up_to > below && up_to as f64 >= rank {
                let share = (rank - below as f64) / (up_to - below) as f64;
                let inside = lower + (upper - lower) * share.max(0.0);
                // Not `clamp`, which panics if a race with a reset left min above max.
                return Ok(inside.max(min).min(max));
            }
            below = up_to;
            lower = upper.max(min);
        }
        Ok(max)
    }

    /// Returns the histogram's statistics as a value of its own.
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

/// A histogram's statistics; all 0 when it is empty.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct HistogramStats {
    /// How many values were observed.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The least of them.
    pub min: f64,
    /// The greatest of them.
    pub max: f64,
    /// Their mean.
    pub mean: f64,
    /// Each bucket's inclusive upper bound, and how many values are at most
    /// that; the last bound is infinity, its number the count.
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
}
