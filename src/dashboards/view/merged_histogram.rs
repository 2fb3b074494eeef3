//! A histogram that is merged from several series, whose buckets may differ.

use crate::snapshot::{Bounds, HistogramView, Totals};

/// The sum of several histograms.
#[derive(Debug, Clone, Default)]
pub(super) struct MergedHistogram {
    /// `None` until a histogram is added.
    bounds: Option<Bounds>,
    /// The count of each bucket, not cumulative. The `+Inf` bucket is the last.
    counts: Vec<u64>,
    pub(super) sum: f64,
    /// The smallest and the largest value ever observed.
    min_max: Option<[f64; 2]>,
}

/// A quantile, as precise as the buckets allow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Quantile {
    Value(f64),
    /// Above the last finite bound, which is this.
    AboveBound(f64),
}

impl Quantile {
    pub(super) fn value_or_bound(self) -> f64 {
        match self {
            Self::Value(number) | Self::AboveBound(number) => number,
        }
    }
}

impl MergedHistogram {
    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Adds the histogram of one series.
    pub(super) fn add(&mut self, histogram: &HistogramView<'_>) {
        if histogram.count() == 0 {
            return;
        }
        let totals = histogram.totals();
        self.merge(&Self {
            bounds: Some(histogram.bounds().clone()),
            counts: histogram.counts().to_vec(),
            sum: totals.sum,
            min_max: Some([totals.min, totals.max]),
        });
    }

    /// Adds another merged histogram. If the bounds differ, the result has the bounds of
    /// both, and each value counts as if it were the upper bound of its own bucket.
    pub(super) fn merge(&mut self, other: &Self) {
        let Some(others) = &other.bounds else {
            return;
        };
        match &self.bounds {
            None => (self.bounds, self.counts) = (Some(others.clone()), other.counts.clone()),
            Some(bounds) if bounds == others => {
                for (count, other) in self.counts.iter_mut().zip(&other.counts) {
                    *count += other;
                }
            }
            Some(bounds) => {
                let merged = bounds.merged_with(others);
                let mut counts = vec![0; merged.len() + 1];
                for (bounds, old_counts) in [(bounds, &self.counts), (others, &other.counts)] {
                    let upper_bounds = bounds.iter().copied().chain([f64::INFINITY]);
                    for (upper, count) in upper_bounds.zip(old_counts) {
                        counts[merged.bucket_index(upper)] += count;
                    }
                }
                (self.bounds, self.counts) = (Some(merged), counts);
            }
        }
        self.sum += other.sum;
        self.min_max = match (self.min_max, other.min_max) {
            (Some(extremes), Some(others)) => Some(merged_extremes(extremes, others)),
            (min_max, None) | (None, min_max) => min_max,
        };
    }

    /// Returns the increase since an earlier sample of the same histograms.
    pub(super) fn increase_since(&self, before: &Self) -> Self {
        // Series with other bounds add to the merged bounds, and none are dropped. So `merge`
        // puts the values of the earlier sample into the same buckets as in this one.
        let mut earlier = Self {
            bounds: self.bounds.clone(),
            counts: vec![0; self.counts.len()],
            ..Self::default()
        };
        earlier.merge(before);
        if earlier.bounds != self.bounds {
            // Series were removed, and their share of the values is unknown.
            return Self::default();
        }
        let counts = self.counts.iter().zip(&earlier.counts);
        Self {
            bounds: self.bounds.clone(),
            counts: counts
                .map(|(now, before)| now.saturating_sub(*before))
                .collect(),
            sum: (self.sum - earlier.sum).max(0.0),
            min_max: self.min_max,
        }
    }

    /// Returns the quantile `q`, from 0 to 1, or `None` if there are no values.
    ///
    /// It is interpolated linearly between two bounds, as `histogram_quantile` does, or between
    /// a bound and the smallest or largest value ever observed if that is in the bucket.
    pub(super) fn quantile(&self, q: f64) -> Option<Quantile> {
        let bounds = self.bounds.as_ref()?;
        let [min, max] = self.min_max?;
        let count = self.count();
        if count == 0 {
            return None;
        }
        let rank = q * count as f64;
        let mut below = 0;
        let mut lower = f64::NEG_INFINITY;
        for (upper, count) in bounds.iter().zip(&self.counts) {
            if *count > 0 && (below + count) as f64 >= rank {
                let fraction = (rank - below as f64) / *count as f64;
                let (from, to) = (lower.max(min), upper.min(max));
                // Not `clamp`, which panics if a reset has left min above max.
                let value = from + (to - from) * fraction.max(0.0);
                return Some(Quantile::Value(value.max(min).min(max)));
            }
            below += count;
            lower = *upper;
        }
        Some(Quantile::AboveBound(lower))
    }
}

/// Returns the smallest and the largest value of two histograms. They are NaN if they are unknown for
/// one of the two.
fn merged_extremes([min, max]: [f64; 2], [other_min, other_max]: [f64; 2]) -> [f64; 2] {
    let mut totals = Totals { sum: 0.0, min, max };
    totals.add(Totals {
        sum: 0.0,
        min: other_min,
        max: other_max,
    });
    [totals.min, totals.max]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(bounds: &[f64], values: &[f64]) -> MergedHistogram {
        let bounds = Bounds::new(bounds).unwrap();
        let mut counts = vec![0; bounds.len() + 1];
        for value in values {
            counts[bounds.bucket_index(*value)] += 1;
        }
        let min = values.iter().copied().fold(f64::INFINITY, f64::min);
        let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        MergedHistogram {
            bounds: Some(bounds),
            counts,
            sum: values.iter().sum(),
            min_max: Some([min, max]),
        }
    }

    #[test]
    fn a_quantile_is_interpolated_between_bounds_and_within_the_observed_range() {
        let times = histogram(&[1.0, 2.0, 4.0], &[0.5, 1.5, 1.6, 3.0]);
        assert_eq!(times.quantile(0.5), Some(Quantile::Value(1.5)));
        assert_eq!(times.quantile(0.75), Some(Quantile::Value(2.0)));
        // Not 4, since nothing was above 3; nor below 0.5.
        assert_eq!(times.quantile(1.0), Some(Quantile::Value(3.0)));
        assert_eq!(times.quantile(0.125), Some(Quantile::Value(0.75)));
        assert_eq!(MergedHistogram::default().quantile(0.5), None);
    }

    #[test]
    fn a_quantile_above_the_last_bound_is_marked() {
        let times = histogram(&[1.0, 2.0], &[0.5, 7.0]);
        assert_eq!(times.quantile(0.9), Some(Quantile::AboveBound(2.0)));
    }

    #[test]
    fn histograms_with_different_bounds_are_merged() {
        let mut all = histogram(&[1.0, 4.0], &[0.5, 3.0]);
        all.merge(&histogram(&[2.0, 4.0], &[1.5, 9.0]));
        assert_eq!(all.count(), 4);
        assert_eq!(all.sum, 14.0);
        assert_eq!(all.quantile(0.5), Some(Quantile::Value(2.0)));
        assert_eq!(all.quantile(1.0), Some(Quantile::AboveBound(4.0)));
    }

    #[test]
    fn the_increase_is_a_difference_even_if_new_bounds_are_merged_in() {
        let before = histogram(&[1.0, 2.0], &[0.5, 0.6]);
        let now = histogram(&[1.0, 2.0], &[0.5, 0.6, 1.5]);
        assert_eq!(now.increase_since(&before).counts, [0, 1, 0]);
        assert_eq!(now.increase_since(&before).sum, 1.5);
        assert_eq!(now.increase_since(&MergedHistogram::default()).count(), 3);
        let mut other = now.clone();
        other.merge(&histogram(&[1.0, 5.0], &[0.25, 3.0]));
        // The buckets up to 1, 2, 5 and +Inf.
        assert_eq!(other.increase_since(&before).counts, [1, 1, 1, 0]);
        assert_eq!(other.increase_since(&before).sum, 4.75);
    }

    #[test]
    fn removed_series_give_no_increase() {
        let before = histogram(&[1.0, 2.0], &[0.5, 0.6, 1.5]);
        let now = histogram(&[1.0, 2.0], &[0.5]);
        assert_eq!(now.increase_since(&before).count(), 0);
        assert_eq!(now.increase_since(&before).sum, 0.0);
        assert_eq!(
            MergedHistogram::default().increase_since(&before).count(),
            0
        );
        let mut both = before.clone();
        both.merge(&histogram(&[1.0, 5.0], &[3.0]));
        assert_eq!(before.increase_since(&both).count(), 0);
    }
}
