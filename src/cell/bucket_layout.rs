//! Where a value is counted: classic and exponential buckets, cut as one.
//!
//! The bounds of the classic buckets and those of the exponential ones together
//! cut the line of values into segments, each of which lies in one bucket of either
//! kind. So an observation counts one segment, and a reader adds up the segments of
//! whichever buckets it wants.
//!
//! Exponential bounds have segments for everyday magnitudes only. Another value is
//! *out_of_range*: it counts its segment like any other, and its exponential bucket besides.
//!
//! The index of an exponential bucket is Prometheus's: with `2^s` buckets an
//! octave, number `i` ends, inclusively, at `2^(i / 2^s)`.

use std::sync::Arc;

use crate::snapshot::{Bounds, NativeBuckets, Resolution};

/// The powers of two between which exponential bounds have segments: somewhat wider
/// than the cells by which [`Bounds`] finds a segment at once, so that no value that
/// is found so is out_of_range.
const SEGMENT_EXPONENTS: std::ops::RangeInclusive<i32> = -33..=48;

/// What all histograms of a family are made with.
#[derive(Debug, Clone)]
pub(crate) struct BucketLayout {
    /// The bounds of the classic buckets.
    pub(crate) classic: Bounds,
    pub(crate) resolution: Option<Resolution>,
    /// The bounds of the segments: those of the classic buckets, and of everyday
    /// exponential ones.
    segments: Bounds,
    /// The buckets that each segment lies in.
    segment_buckets: Arc<[SegmentBuckets]>,
}

/// The buckets that a segment lies in.
#[derive(Debug, Clone, Copy)]
struct SegmentBuckets {
    classic: usize,
    /// The index of the exponential bucket; none for segments of out_of_range values, which
    /// have keys besides.
    native: Option<i32>,
}

/// Under which key a segment, or the exponential bucket of a out_of_range value, is counted.
pub(crate) type CountKey = u32;

/// Keys from this one on are those of out_of_range values' exponential buckets.
const OUT_OF_RANGE: CountKey = 1 << 16;
/// The lowest index of an exponential bucket, that of zero's threshold, 2^-128, at
/// the finest resolution.
const LOWEST_INDEX: i32 = -128 << 8;
/// The largest key there is: the largest number has the exponent 1023.
pub(crate) const LARGEST_KEY: CountKey =
    OUT_OF_RANGE + 2 * (((1024 << 8) - LOWEST_INDEX).unsigned_abs()) + 2;

impl BucketLayout {
    pub(crate) fn new(classic: Bounds, resolution: Option<Resolution>) -> Self {
        let segments = match resolution {
            None => classic.clone(),
            Some(resolution) => classic.merged_with(&in_range_bounds(resolution)),
        };
        let last = SegmentBuckets {
            classic: classic.len(),
            native: None,
        };
        // The buckets' own bounds are among the segments', so a segment lies in the
        // buckets of its upper end.
        let segment_buckets = segments.iter().map(|&end| SegmentBuckets {
            classic: classic.bucket_index(end),
            native: resolution
                .filter(|_| is_in_range(end))
                .map(|resolution| bucket_index(resolution, end)),
        });
        Self {
            segment_buckets: segment_buckets.chain([last]).collect(),
            classic,
            resolution,
            segments,
        }
    }

    /// Returns how many segments there are.
    pub(crate) fn segment_count(&self) -> usize {
        self.segments.len() + 1
    }

    /// Returns the segment that a value falls into.
    pub(crate) fn segment_for(&self, value: f64) -> usize {
        self.segments.bucket_index(value)
    }

    /// Returns the segment that a value falls into, if it is quickly found; then it
    /// is finite and positive, not out_of_range, and at most 2^48.
    #[inline]
    pub(crate) fn fast_segment_for(&self, value: f64) -> Option<usize> {
        self.segments.bucket_index_from_table(value)
    }

    /// Returns the key of a out_of_range value's exponential bucket; none where the value's
    /// segment says all, or there are no such buckets.
    pub(crate) fn out_of_range_key(&self, value: f64) -> Option<CountKey> {
        let resolution = self.resolution?;
        (!is_in_range(value)).then(|| native_key(resolution, value))
    }

    /// Returns how many classic buckets there are.
    pub(crate) fn bucket_count(&self) -> usize {
        self.classic.len() + 1
    }

    /// Turns the counts of all segments into those of the classic buckets, each by
    /// itself, which are then the first ones.
    pub(crate) fn merge_into_classic(&self, segments: &mut [u64]) {
        if self.resolution.is_none() {
            return;
        }
        for (segment, buckets_of_segment) in self.segment_buckets.iter().enumerate() {
            // No bucket has a number above those of its segments, so that what is added
            // to here has been taken already.
            let count = std::mem::take(&mut segments[segment]);
            segments[buckets_of_segment.classic] += count;
        }
    }

    /// Returns the counts of the exponential buckets, if there are any, from those of
    /// all segments and of the keys of out_of_range values, whose order does not matter.
    ///
    /// The sum is that of the classic buckets.
    pub(crate) fn native_counts(
        &self,
        segments: &[u64],
        out_of_range: &mut [(CountKey, u64)],
    ) -> Option<NativeBuckets> {
        let mut buckets = NativeBuckets {
            resolution: self.resolution?,
            ..NativeBuckets::default()
        };
        let mut out_of_range_count = 0;
        for (&count, buckets_of_segment) in segments.iter().zip(&*self.segment_buckets) {
            match buckets_of_segment.native {
                _ if count == 0 => {}
                None => out_of_range_count += count,
                Some(index) => add_count(&mut buckets.positive, index, count),
            }
        }
        out_of_range.sort_unstable();
        for &(key, count) in &*out_of_range {
            // Of a out_of_range value that is under way, or raced with a reset, only the segment
            // or only the exponential bucket may have been counted.
            let count = count.min(out_of_range_count);
            out_of_range_count -= count;
            match native_bucket(key) {
                _ if count == 0 => {}
                NativeBucket::Zero => buckets.zero_count += count,
                NativeBucket::Positive(index) => add_count(&mut buckets.positive, index, count),
                NativeBucket::Negative(index) => add_count(&mut buckets.negative, index, count),
            }
        }
        buckets.zero_count += out_of_range_count;
        // Far values come after everyday ones, on either side of them.
        buckets.positive.sort_unstable();
        Some(buckets)
    }
}

/// Returns the segment whose key it is; none of a out_of_range value's exponential bucket.
pub(crate) fn segment_from_key(key: CountKey) -> Option<usize> {
    usize::try_from(key).ok().filter(|_| key < OUT_OF_RANGE)
}

/// Returns the exponential bucket of a out_of_range value's key.
fn native_bucket(key: CountKey) -> NativeBucket {
    let Some(number) = key.checked_sub(OUT_OF_RANGE + 1) else {
        return NativeBucket::Zero;
    };
    let index = (number / 2).cast_signed() + LOWEST_INDEX;
    match number % 2 {
        0 => NativeBucket::Positive(index),
        _ => NativeBucket::Negative(index),
    }
}

/// Returns true for a value whose segment lies in one exponential bucket.
fn is_in_range(value: f64) -> bool {
    const LEAST: f64 = power_of_two(*SEGMENT_EXPONENTS.start());
    const GREATEST: f64 = power_of_two(*SEGMENT_EXPONENTS.end());
    value > LEAST && value <= GREATEST
}

enum NativeBucket {
    Zero,
    Positive(i32),
    Negative(i32),
}

/// Adds to the bucket with an index no lower than the last one's.
fn add_count(buckets: &mut Vec<(i32, u64)>, index: i32, count: u64) {
    match buckets.last_mut() {
        Some((last, counted)) if *last == index => *counted += count,
        _ => buckets.push((index, count)),
    }
}

fn in_range_bounds(resolution: Resolution) -> Vec<f64> {
    let schema = resolution.schema();
    let (start, end) = SEGMENT_EXPONENTS.into_inner();
    ((start << schema)..=(end << schema))
        .map(|index| upper_bound(resolution, index))
        .collect()
}

/// Returns the upper bound of an exponential bucket.
fn upper_bound(resolution: Resolution, index: i32) -> f64 {
    let buckets = 1 << resolution.schema();
    let octave = power_of_two(index.div_euclid(buckets));
    octave * (f64::from(index.rem_euclid(buckets)) / f64::from(buckets)).exp2()
}

/// Returns the index of the exponential bucket of a positive, normal number.
fn bucket_index(resolution: Resolution, value: f64) -> i32 {
    let buckets = f64::from(1 << resolution.schema());
    #[expect(clippy::cast_possible_truncation, reason = "at most 1024 times 256")]
    let mut index = (value.log2() * buckets).ceil() as i32;
    // The logarithm may be off in its last digit, and bounds are inclusive.
    while value > upper_bound(resolution, index) {
        index += 1;
    }
    while value <= upper_bound(resolution, index - 1) {
        index -= 1;
    }
    index
}

#[cold]
fn native_key(resolution: Resolution, value: f64) -> CountKey {
    if value.abs() <= NativeBuckets::ZERO_THRESHOLD {
        return OUT_OF_RANGE;
    }
    let above = bucket_index(resolution, value.abs()) - LOWEST_INDEX;
    let side = if value > 0.0 { 1 } else { 2 };
    OUT_OF_RANGE + 2 * above.unsigned_abs() + side
}

/// Returns 2 to a power from -1022 to 1023; above that, infinity.
const fn power_of_two(exponent: i32) -> f64 {
    if exponent > 1023 {
        return f64::INFINITY;
    }
    let biased = (exponent + 1023).cast_unsigned() as u64;
    f64::from_bits(biased << (f64::MANTISSA_DIGITS - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout_with(classic: &[f64], schema: u8) -> BucketLayout {
        let resolution = Resolution::from_schema(schema).unwrap();
        BucketLayout::new(Bounds::new(classic).unwrap(), Some(resolution))
    }

    /// Counts one value and returns its classic bucket and its exponential one.
    fn count(layout: &BucketLayout, value: f64) -> (usize, NativeBuckets) {
        let segment = CountKey::try_from(layout.segment_for(value)).unwrap();
        let mut segments = vec![0; layout.segment_count()];
        segments[segment_from_key(segment).unwrap()] = 1;
        let mut out_of_range: Vec<_> = layout
            .out_of_range_key(value)
            .map(|key| (key, 1))
            .into_iter()
            .collect();
        assert!(
            out_of_range
                .iter()
                .all(|(key, _)| segment_from_key(*key).is_none())
        );
        let mut classic = segments.clone();
        layout.merge_into_classic(&mut classic);
        let classic = &classic[..layout.bucket_count()];
        let bucket = classic.iter().position(|&count| count == 1).unwrap();
        assert_eq!(classic.iter().sum::<u64>(), 1);
        (
            bucket,
            layout.native_counts(&segments, &mut out_of_range).unwrap(),
        )
    }

    #[test]
    fn every_value_is_counted_in_the_buckets_of_both_kinds_that_it_lies_in() {
        let classic = [-1e200, -2.0, 0.0, 1e-20, 0.3, 1.0, 1.5, 8.0, 1e20];
        let mut random = fastrand::Rng::with_seed(4);
        for schema in 0..=8 {
            let layout = layout_with(&classic, schema);
            let resolution = layout.resolution.unwrap();
            let random = (0..2_000).map(|_| (random.f64() * 300.0 - 150.0).exp2());
            let bounds = (-40..40).map(|index| upper_bound(resolution, index));
            let ends = [2.0_f64.powi(-32), 2.0_f64.powi(48), f64::MAX, 1e300];
            let near = bounds
                .chain(ends)
                .chain(classic)
                .flat_map(|value| [value.next_down(), value, value.next_up()]);
            for value in random.chain(near).flat_map(|value| [value, -value]) {
                if !value.is_finite() {
                    continue;
                }
                assert!(
                    layout.fast_segment_for(value).is_none()
                        || layout.out_of_range_key(value).is_none()
                );
                let (bucket, native) = count(&layout, value);
                assert_eq!(
                    bucket,
                    classic.partition_point(|&bound| bound < value),
                    "{value}"
                );
                assert_eq!(native.count(), 1, "{value} at {schema}");
                let side = if value > 0.0 {
                    &native.positive
                } else {
                    &native.negative
                };
                match side.first() {
                    None => assert!(value.abs() <= 2.0_f64.powi(-128), "{value}"),
                    Some(&(index, _)) => {
                        let above = value.abs() > upper_bound(resolution, index - 1);
                        let within = value.abs() <= upper_bound(resolution, index);
                        assert!(above && within, "{value} at {schema}: {index}");
                    }
                }
            }
        }
    }

    #[test]
    fn both_kinds_of_buckets_have_one_sum_even_where_a_far_value_was_counted_by_half() {
        let layout = layout_with(&[1.0], 3);
        let out_of_range = layout.out_of_range_key(-5.0).unwrap();
        let mut segments = vec![0; layout.segment_count()];
        segments[layout.segment_for(-5.0)] = 3;
        for mut keys in [
            vec![(OUT_OF_RANGE, 1), (out_of_range, 5)],
            vec![(out_of_range, 1)],
            vec![],
        ] {
            let native = layout.native_counts(&segments, &mut keys).unwrap();
            assert_eq!(native.count(), 3);
        }
    }

    #[test]
    fn bucket_0_ends_at_1_and_the_smallest_numbers_are_zero() {
        let layout = layout_with(&[1.0], 3);
        let index = |value| count(&layout, value).1.positive[0].0;
        assert_eq!(
            (index(1.0), index(1.0_f64.next_up()), index(2.0)),
            (0, 1, 8)
        );
        assert_eq!(index(f64::MAX), 1_024 * 8);
        for zero in [0.0, -0.0, f64::MIN_POSITIVE / 4.0, 1e-39, -1e-39] {
            assert_eq!(count(&layout, zero).1.zero_count, 1);
        }
    }
}
