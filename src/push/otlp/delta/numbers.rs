//! The numbers of one series, and their differences.

use crate::snapshot::{Bounds, Count, NativeBuckets, Resolution, Values};

/// The numbers of a counter or a histogram.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Numbers {
    Counter(Count),
    Histogram(Box<HistogramNumbers>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct HistogramNumbers {
    bounds: Bounds,
    counts: Box<[u64]>,
    sum: f64,
    native: Option<NativeBuckets>,
}

impl Numbers {
    /// Copies the numbers of a series of a block, or returns `None` for a gauge.
    pub(super) fn read(values: &Values, series: usize) -> Option<Self> {
        match values {
            Values::Counter(counts) => counts.get(series).copied().map(Self::Counter),
            Values::Gauge(_) => None,
            Values::Histogram(all) => {
                let histogram = all.get(series)?;
                Some(Self::Histogram(Box::new(HistogramNumbers {
                    bounds: histogram.bounds().clone(),
                    counts: histogram.counts().into(),
                    sum: histogram.totals().sum,
                    native: histogram.native().cloned(),
                })))
            }
        }
    }

    /// Replaces the numbers of a series of a block. The minimum and the maximum stay as they are.
    pub(super) fn write(self, values: &mut Values, series: usize) {
        match (values, self) {
            (Values::Counter(counts), Self::Counter(count)) => counts[series] = count,
            (Values::Histogram(all), Self::Histogram(numbers)) => {
                let width = numbers.counts.len();
                all.counts[series * width..][..width].copy_from_slice(&numbers.counts);
                all.totals[series].sum = numbers.sum;
                if let Some(native) = numbers.native {
                    all.native[series] = native;
                }
            }
            _ => {}
        }
    }

    /// Returns the difference to earlier numbers, and the numbers to subtract from later ones.
    /// Returns `None` if a count has decreased, or if the series are of another kind.
    pub(super) fn since(&self, earlier: &Self) -> Option<(Self, Self)> {
        match (self, earlier) {
            (Self::Counter(count), Self::Counter(earlier)) => {
                let difference = count_since(*count, *earlier)?;
                Some((Self::Counter(difference), self.clone()))
            }
            (Self::Histogram(numbers), Self::Histogram(earlier)) => {
                let (difference, next) = numbers.since(earlier)?;
                Some((
                    Self::Histogram(difference.into()),
                    Self::Histogram(next.into()),
                ))
            }
            _ => None,
        }
    }

    /// Returns numbers of the same kind that are 0.
    pub(super) fn zero(&self) -> Self {
        match self {
            Self::Counter(_) => Self::Counter(Count::default()),
            Self::Histogram(numbers) => Self::Histogram(Box::new(HistogramNumbers {
                bounds: numbers.bounds.clone(),
                counts: vec![0; numbers.counts.len()].into(),
                sum: 0.0,
                native: numbers.native.as_ref().map(|native| NativeBuckets {
                    resolution: native.resolution,
                    ..NativeBuckets::default()
                }),
            })),
        }
    }
}

impl HistogramNumbers {
    fn since(&self, earlier: &Self) -> Option<(Self, Self)> {
        if self.bounds != earlier.bounds {
            return None;
        }
        let counts = self.counts.iter().zip(&earlier.counts);
        let counts = counts.map(|(count, earlier)| count.checked_sub(*earlier));
        let counts: Box<[u64]> = counts.collect::<Option<_>>()?;
        let mut next = self.clone();
        // A sum may be read before or after the counts. Without a value, OTLP requires a sum of 0.
        if counts.iter().all(|count| *count == 0) {
            next.sum = earlier.sum;
        }
        let native = match (&self.native, &earlier.native) {
            (Some(native), Some(earlier)) => Some(native_since(native, earlier)?),
            (native, None) => native.clone(),
            (None, Some(_)) => None,
        };
        let difference = Self {
            bounds: self.bounds.clone(),
            counts,
            sum: next.sum - earlier.sum,
            native,
        };
        Some((difference, next))
    }
}

/// Returns the difference of counts. The parts are those of one number, so one of them may be lower:
/// a collector may count with integers, and then with fractions.
fn count_since(count: Count, earlier: Count) -> Option<Count> {
    let fraction = count.fraction - earlier.fraction;
    let difference = match count.whole.checked_sub(earlier.whole) {
        Some(whole) => Count { whole, fraction },
        None => Count {
            whole: 0,
            fraction: fraction - (earlier.whole - count.whole) as f64,
        },
    };
    let is_decreased = difference.value() < 0.0;
    (!is_decreased).then_some(difference)
}

/// Returns the difference of exponential buckets, in the lower of both resolutions.
fn native_since(native: &NativeBuckets, earlier: &NativeBuckets) -> Option<NativeBuckets> {
    let resolution = native.resolution.min(earlier.resolution);
    let subtract = |buckets: &[(i32, u64)], others: &[(i32, u64)]| {
        let mut buckets = with_resolution(buckets, native.resolution, resolution);
        for (index, count) in with_resolution(others, earlier.resolution, resolution) {
            let position = buckets
                .binary_search_by_key(&index, |(index, _)| *index)
                .ok()?;
            buckets[position].1 = buckets[position].1.checked_sub(count)?;
        }
        Some(buckets)
    };
    let mut difference = NativeBuckets {
        resolution,
        zero_count: native.zero_count.saturating_sub(earlier.zero_count),
        negative: subtract(&native.negative, &earlier.negative)?,
        positive: subtract(&native.positive, &earlier.positive)?,
    };
    // An observation that was in progress may have been counted as 0, and has its bucket now.
    let mut sent_as_zero = earlier.zero_count.saturating_sub(native.zero_count);
    for buckets in [&mut difference.negative, &mut difference.positive] {
        for (_, count) in &mut *buckets {
            let taken = sent_as_zero.min(*count);
            *count -= taken;
            sent_as_zero -= taken;
        }
        buckets.retain(|(_, count)| *count > 0);
    }
    (sent_as_zero == 0).then_some(difference)
}

/// Merges buckets to those of a lower resolution.
fn with_resolution(buckets: &[(i32, u64)], from: Resolution, to: Resolution) -> Vec<(i32, u64)> {
    let halvings = from.schema().saturating_sub(to.schema());
    let mut merged: Vec<(i32, u64)> = Vec::with_capacity(buckets.len());
    for (index, count) in buckets {
        let index = ((index - 1) >> halvings) + 1;
        match merged.last_mut() {
            Some((last, sum)) if *last == index => *sum += count,
            _ => merged.push((index, *count)),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_was_sent_as_0_while_it_was_recorded_is_sent_once() {
        let earlier = NativeBuckets {
            zero_count: 3,
            ..NativeBuckets::default()
        };
        let mut later = NativeBuckets {
            zero_count: 2,
            negative: vec![(-5, 2)],
            ..NativeBuckets::default()
        };
        let difference = native_since(&later, &earlier).expect("no reset");
        assert_eq!((difference.zero_count, difference.count()), (0, 1));
        later.negative.clear();
        assert_eq!(native_since(&later, &earlier), None);
    }
}
