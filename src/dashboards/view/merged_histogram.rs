//! How values are spread over the buckets of a histogram.

use crate::snapshot::{Bounds, HistogramView};

/// How values are spread over buckets.
#[derive(Debug, Clone, Default)]
pub(super) struct Spread {
    /// None where nothing was added.
    bounds: Option<Bounds>,
    /// Of each bucket by itself, that up to infinity last.
    counts: Vec<u64>,
    pub(super) sum: f64,
    /// The least and the greatest value of all times.
    ends: Option<[f64; 2]>,
}

/// A quantile, as far as buckets tell it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Quantile {
    At(f64),
    /// Above the last bound, which is this.
    Over(f64),
}

impl Quantile {
    pub(super) fn number(self) -> f64 {
        match self {
            Self::At(number) | Self::Over(number) => number,
        }
    }
}

impl Spread {
    pub(super) fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Adds what a series holds.
    pub(super) fn add(&mut self, histogram: &HistogramView<'_>) {
        if histogram.count() == 0 {
            return;
        }
        let totals = histogram.totals();
        self.merge(&Self {
            bounds: Some(histogram.bounds().clone()),
            counts: histogram.counts().to_vec(),
            sum: totals.sum,
            ends: Some([totals.min, totals.max]),
        });
    }

    /// Adds another spread. Where the bounds differ, a value counts as one at the upper end
    /// of its own bucket.
    pub(super) fn merge(&mut self, other: &Self) {
        let Some(others) = &other.bounds else {
            return;
        };
        match &self.bounds {
            None => (self.bounds, self.counts) = (Some(others.clone()), other.counts.clone()),
            Some(own) if own == others => {
                for (own, other) in self.counts.iter_mut().zip(&other.counts) {
                    *own += other;
                }
            }
            Some(own) => {
                let both = own.merged_with(others);
                let mut counts = vec![0; both.len() + 1];
                for (bounds, from) in [(own, &self.counts), (others, &other.counts)] {
                    let ends = bounds.iter().copied().chain([f64::INFINITY]);
                    for (end, count) in ends.zip(from) {
                        counts[both.bucket_index(end)] += count;
                    }
                }
                (self.bounds, self.counts) = (Some(both), counts);
            }
        }
        self.sum += other.sum;
        self.ends = match (self.ends, other.ends) {
            (Some([min, max]), Some([least, most])) => Some([min.min(least), max.max(most)]),
            (ends, None) | (None, ends) => ends,
        };
    }

    /// Returns what has come since another reading of the same histograms.
    pub(super) fn since(&self, before: &Self) -> Self {
        // Bounds only grow together, as series with others come. Of those before, a value is
        // counted as `merge` has counted it in this one.
        let mut earlier = Self {
            bounds: self.bounds.clone(),
            counts: vec![0; self.counts.len()],
            ..Self::default()
        };
        earlier.merge(before);
        if earlier.bounds != self.bounds {
            // Series were taken away, and which values were theirs is not known.
            return Self::default();
        }
        let counts = self.counts.iter().zip(&earlier.counts);
        Self {
            bounds: self.bounds.clone(),
            counts: counts
                .map(|(now, before)| now.saturating_sub(*before))
                .collect(),
            sum: (self.sum - earlier.sum).max(0.0),
            ends: self.ends,
        }
    }

    /// Returns what such a part of the values, from 0 to 1, do not exceed: on a line from one
    /// bound to the next, as `histogram_quantile` has it, or from the least and to the
    /// greatest value that there ever was, where these are between them.
    pub(super) fn quantile(&self, part: f64) -> Option<Quantile> {
        let bounds = self.bounds.as_ref()?;
        let [min, max] = self.ends?;
        let count = self.count();
        if count == 0 {
            return None;
        }
        let rank = part * count as f64;
        let mut below = 0;
        let mut lower = f64::NEG_INFINITY;
        for (upper, count) in bounds.iter().zip(&self.counts) {
            if *count > 0 && (below + count) as f64 >= rank {
                let share = (rank - below as f64) / *count as f64;
                let (from, to) = (lower.max(min), upper.min(max));
                // Not `clamp`, which panics if a reset has left min above max.
                let within = from + (to - from) * share.max(0.0);
                return Some(Quantile::At(within.max(min).min(max)));
            }
            below += count;
            lower = *upper;
        }
        Some(Quantile::Over(lower))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(bounds: &[f64], values: &[f64]) -> Spread {
        let bounds = Bounds::new(bounds).unwrap();
        let mut counts = vec![0; bounds.len() + 1];
        for value in values {
            counts[bounds.bucket_index(*value)] += 1;
        }
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        Spread {
            bounds: Some(bounds),
            counts,
            sum: values.iter().sum(),
            ends: Some([least, most]),
        }
    }

    #[test]
    fn a_quantile_lies_on_a_line_between_bounds_and_within_what_was_seen() {
        let of = spread(&[1.0, 2.0, 4.0], &[0.5, 1.5, 1.6, 3.0]);
        assert_eq!(of.quantile(0.5), Some(Quantile::At(1.5)));
        assert_eq!(of.quantile(0.75), Some(Quantile::At(2.0)));
        // Not 4, since nothing was above 3; nor below 0.5.
        assert_eq!(of.quantile(1.0), Some(Quantile::At(3.0)));
        assert_eq!(of.quantile(0.125), Some(Quantile::At(0.75)));
        assert_eq!(Spread::default().quantile(0.5), None);
    }

    #[test]
    fn what_is_above_the_last_bound_is_told_so() {
        let of = spread(&[1.0, 2.0], &[0.5, 7.0]);
        assert_eq!(of.quantile(0.9), Some(Quantile::Over(2.0)));
    }

    #[test]
    fn spreads_of_other_bounds_add_up() {
        let mut all = spread(&[1.0, 4.0], &[0.5, 3.0]);
        all.merge(&spread(&[2.0, 4.0], &[1.5, 9.0]));
        assert_eq!(all.count(), 4);
        assert_eq!(all.sum, 14.0);
        assert_eq!(all.quantile(0.5), Some(Quantile::At(2.0)));
        assert_eq!(all.quantile(1.0), Some(Quantile::Over(4.0)));
    }

    #[test]
    fn what_came_since_is_a_difference_whatever_bounds_came_with_it() {
        let before = spread(&[1.0, 2.0], &[0.5, 0.6]);
        let now = spread(&[1.0, 2.0], &[0.5, 0.6, 1.5]);
        assert_eq!(now.since(&before).counts, [0, 1, 0]);
        assert_eq!(now.since(&before).sum, 1.5);
        assert_eq!(now.since(&Spread::default()).count(), 3);
        let mut other = now.clone();
        other.merge(&spread(&[1.0, 5.0], &[0.25, 3.0]));
        // Up to 1, 2, 5 and infinity.
        assert_eq!(other.since(&before).counts, [1, 1, 1, 0]);
        assert_eq!(other.since(&before).sum, 4.75);
    }

    #[test]
    fn of_series_that_were_taken_away_nothing_is_made_up() {
        let before = spread(&[1.0, 2.0], &[0.5, 0.6, 1.5]);
        let now = spread(&[1.0, 2.0], &[0.5]);
        assert_eq!(now.since(&before).count(), 0);
        assert_eq!(now.since(&before).sum, 0.0);
        assert_eq!(Spread::default().since(&before).count(), 0);
        let mut both = before.clone();
        both.merge(&spread(&[1.0, 5.0], &[3.0]));
        assert_eq!(before.since(&both).count(), 0);
    }
}
