//! A histogram that is merged from several series, whose buckets may differ.

use std::mem;

use crate::snapshot::{Bounds, HistogramView, Totals};

/// The sum of several histograms.
#[derive(Debug, Clone, Default)]
pub(super) struct MergedHistogram {
    /// `None` until a histogram is added.
    bounds: Option<Bounds>,
    /// The `+Inf` bucket is the last.
    buckets: Vec<Bucket>,
    pub(super) sum: f64,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    /// Not cumulative.
    count: u64,
    /// Limits of the values in this bucket. They are narrower than its bounds if all series that
    /// have such values have their smallest or largest value ever observed in this bucket.
    min: f64,
    max: f64,
}

impl Bucket {
    const EMPTY: Self = Self {
        count: 0,
        min: f64::INFINITY,
        max: f64::NEG_INFINITY,
    };

    fn add(&mut self, other: &Self) {
        if other.count > 0 {
            self.count += other.count;
            self.min = self.min.min(other.min);
            self.max = self.max.max(other.max);
        }
    }
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
        self.buckets.iter().map(|bucket| bucket.count).sum()
    }

    /// Adds the histogram of one series.
    pub(super) fn add(&mut self, histogram: &HistogramView<'_>) {
        if histogram.count() == 0 {
            return;
        }
        let Totals { sum, min, max } = histogram.totals();
        let mut lower = f64::NEG_INFINITY;
        let buckets = upper_bounds(histogram.bounds()).zip(histogram.counts());
        let buckets = buckets.map(|(upper, count)| Bucket {
            count: *count,
            min: mem::replace(&mut lower, upper).max(min),
            max: upper.min(max),
        });
        self.merge(&Self {
            bounds: Some(histogram.bounds().clone()),
            buckets: buckets.collect(),
            sum,
        });
    }

    /// Adds another merged histogram. If the bounds differ, the result has the bounds of
    /// both, and each value counts as if it were the upper bound of its own bucket.
    pub(super) fn merge(&mut self, other: &Self) {
        let Some(others) = &other.bounds else {
            return;
        };
        match &self.bounds {
            None => (self.bounds, self.buckets) = (Some(others.clone()), other.buckets.clone()),
            Some(bounds) if bounds == others => {
                for (bucket, other) in self.buckets.iter_mut().zip(&other.buckets) {
                    bucket.add(other);
                }
            }
            Some(bounds) => {
                let merged = bounds.merged_with(others);
                let mut buckets = vec![Bucket::EMPTY; merged.len() + 1];
                for (bounds, old_buckets) in [(bounds, &self.buckets), (others, &other.buckets)] {
                    for (upper, bucket) in upper_bounds(bounds).zip(old_buckets) {
                        buckets[merged.bucket_index(upper)].add(bucket);
                    }
                }
                (self.bounds, self.buckets) = (Some(merged), buckets);
            }
        }
        self.sum += other.sum;
    }

    /// Returns the increase since an earlier sample of the same histograms.
    pub(super) fn increase_since(&self, before: &Self) -> Self {
        // Series with other bounds add to the merged bounds, and none are dropped. So `merge`
        // puts the values of the earlier sample into the same buckets as in this one.
        let mut earlier = Self {
            bounds: self.bounds.clone(),
            buckets: vec![Bucket::EMPTY; self.buckets.len()],
            sum: 0.0,
        };
        earlier.merge(before);
        if earlier.bounds != self.bounds {
            // Series were removed, and their share of the values is unknown.
            return Self::default();
        }
        let buckets = self.buckets.iter().zip(&earlier.buckets);
        Self {
            bounds: self.bounds.clone(),
            buckets: buckets
                .map(|(now, before)| Bucket {
                    count: now.count.saturating_sub(before.count),
                    ..*now
                })
                .collect(),
            sum: (self.sum - earlier.sum).max(0.0),
        }
    }

    /// Returns the quantile `q`, from 0 to 1, or `None` if there are no values.
    ///
    /// It is interpolated linearly between two bounds, as `histogram_quantile` does, or between
    /// closer limits if those of all values in the bucket are known.
    pub(super) fn quantile(&self, q: f64) -> Option<Quantile> {
        let bounds = self.bounds.as_ref()?;
        let count = self.count();
        if count == 0 {
            return None;
        }
        let rank = q * count as f64;
        let mut below = 0;
        let mut lower = f64::NEG_INFINITY;
        for (upper, bucket) in bounds.iter().zip(&self.buckets) {
            if bucket.count > 0 && (below + bucket.count) as f64 >= rank {
                let fraction = (rank - below as f64) / bucket.count as f64;
                // A bucket that was merged from wider ones has wider limits.
                let (from, to) = (bucket.min.max(lower), bucket.max.min(*upper));
                let value = from + (to - from) * fraction.max(0.0);
                // Not `clamp`, which panics if a reset has left the minimum above the maximum.
                return Some(Quantile::Value(value.max(from).min(to)));
            }
            below += bucket.count;
            lower = *upper;
        }
        Some(Quantile::AboveBound(lower))
    }
}

/// Returns the upper bound of each bucket.
fn upper_bounds(bounds: &Bounds) -> impl Iterator<Item = f64> {
    bounds.iter().copied().chain([f64::INFINITY])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn histogram(bounds: &[f64], values: &[f64]) -> MergedHistogram {
        let bounds = Bounds::new(bounds).unwrap();
        let mut buckets = vec![Bucket::EMPTY; bounds.len() + 1];
        for value in values {
            buckets[bounds.bucket_index(*value)].count += 1;
        }
        let min = values.iter().copied().fold(f64::INFINITY, f64::min);
        let max = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut lower = f64::NEG_INFINITY;
        for (upper, bucket) in upper_bounds(&bounds).zip(&mut buckets) {
            bucket.min = mem::replace(&mut lower, upper).max(min);
            bucket.max = upper.min(max);
        }
        MergedHistogram {
            bounds: Some(bounds),
            buckets,
            sum: values.iter().sum(),
        }
    }

    fn counts(histogram: &MergedHistogram) -> Vec<u64> {
        histogram
            .buckets
            .iter()
            .map(|bucket| bucket.count)
            .collect()
    }

    #[test]
    fn the_limits_of_each_series_narrow_its_own_buckets() {
        let mut all = histogram(&[1.0, 8.0], &[0.1, 0.2, 0.2]);
        all.merge(&histogram(&[1.0, 8.0], &[5.0]));
        // Not up to 1, though another series has a larger value.
        assert_eq!(all.quantile(0.75), Some(Quantile::Value(0.2)));
        assert_eq!(all.quantile(1.0), Some(Quantile::Value(5.0)));
        let later = all.increase_since(&MergedHistogram::default());
        assert_eq!(later.quantile(0.75), Some(Quantile::Value(0.2)));
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
        assert_eq!(counts(&now.increase_since(&before)), [0, 1, 0]);
        assert_eq!(now.increase_since(&before).sum, 1.5);
        assert_eq!(now.increase_since(&MergedHistogram::default()).count(), 3);
        let mut other = now.clone();
        other.merge(&histogram(&[1.0, 5.0], &[0.25, 3.0]));
        // The buckets up to 1, 2, 5 and +Inf.
        assert_eq!(counts(&other.increase_since(&before)), [1, 1, 1, 0]);
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
