//! Which buckets a value is counted in.
//!
//! The bounds of the classic and of the exponential buckets together divide the number line
//! into segments. Each segment lies in one classic and in one exponential bucket. So an
//! observation increments the count of one segment, and a reader adds up the segments of each
//! bucket.
//!
//! Only exponential buckets of common magnitudes have segments. A value of another magnitude,
//! or one that is not positive, is *out of range*: it is counted in its segment, and also in its
//! exponential bucket, which has a key of its own.
//!
//! The index of an exponential bucket is Prometheus's: with `2^s` buckets per power of two, the
//! inclusive upper bound of bucket `i` is `2^(i / 2^s)`.

use std::sync::Arc;

use crate::snapshot::{Bounds, NativeBuckets, Resolution};

/// The powers of two between which exponential buckets have segments. The range is wider than
/// the lookup table of [`Bounds`], so that no value that the table finds is out of range.
const SEGMENT_EXPONENTS: std::ops::RangeInclusive<i32> = -33..=48;
const LEAST_IN_RANGE: f64 = power_of_two(*SEGMENT_EXPONENTS.start());
const GREATEST_IN_RANGE: f64 = power_of_two(*SEGMENT_EXPONENTS.end());

/// The buckets of all histograms of a family.
#[derive(Debug, Clone)]
pub(crate) struct BucketLayout {
    /// The bounds of the classic buckets.
    pub(crate) classic: Bounds,
    /// The resolution of the exponential buckets, if there are any.
    pub(crate) resolution: Option<Resolution>,
    /// The bounds of the segments: those of the classic buckets and of the exponential buckets
    /// in range.
    segment_bounds: Bounds,
    /// The first segment after each classic bucket.
    classic_ends: Arc<[usize]>,
    /// The segments in range, which are neighbors.
    in_range: SegmentsInRange,
}

/// The segments of values in range.
#[derive(Debug, Clone)]
struct SegmentsInRange {
    /// The first of these segments.
    first: usize,
    /// The index of the exponential bucket of each segment, ascending.
    native: Arc<[i32]>,
}

/// The key under which a segment, or an exponential bucket out of range, is counted.
pub(crate) type CountKey = u32;

/// The first key of an exponential bucket, that of the zero bucket. Smaller keys are indices of
/// segments.
const FIRST_NATIVE_KEY: CountKey = 1 << 16;
/// The lowest index of an exponential bucket: the bucket that ends at the threshold of the zero
/// bucket, 2^-128, at the finest resolution.
const LOWEST_INDEX: i32 = -128 << 8;
/// The largest key: the exponent of the largest `f64` is 1023.
pub(crate) const LARGEST_KEY: CountKey =
    FIRST_NATIVE_KEY + 2 * (((1024 << 8) - LOWEST_INDEX).unsigned_abs()) + 2;

impl BucketLayout {
    pub(crate) fn new(classic: Bounds, resolution: Option<Resolution>) -> Self {
        let segment_bounds = match resolution {
            None => classic.clone(),
            Some(resolution) => classic.merged_with(&in_range_bounds(resolution)),
        };
        // All bounds of buckets are bounds of segments, so a segment lies in the buckets of its
        // upper bound.
        let classic_ends = classic
            .iter()
            .map(|&end| segment_bounds.bucket_index(end) + 1);
        let all_segments = segment_bounds.len() + 1;
        Self {
            classic_ends: classic_ends.chain([all_segments]).collect(),
            in_range: SegmentsInRange::new(&segment_bounds, resolution),
            classic,
            resolution,
            segment_bounds,
        }
    }

    /// Returns the number of segments.
    pub(crate) fn segment_count(&self) -> usize {
        self.segment_bounds.len() + 1
    }

    /// Returns the segment of a value.
    pub(crate) fn segment_for(&self, value: f64) -> usize {
        self.segment_bounds.bucket_index(value)
    }

    /// Returns the segment of a value if the lookup table has it. The value is then finite,
    /// positive, in range and at most 2^48.
    #[inline]
    pub(crate) fn fast_segment_for(&self, value: f64) -> Option<usize> {
        self.segment_bounds.bucket_index_from_table(value)
    }

    /// Returns true if [`fast_segment_for`](Self::fast_segment_for) may return this segment.
    pub(crate) fn has_fast_path(&self, segment: usize) -> bool {
        self.resolution.is_none() || self.in_range.contains(segment)
    }

    /// Returns the key of a value's exponential bucket if the value is out of range. Returns
    /// `None` if it is in range or if there are no exponential buckets.
    pub(crate) fn out_of_range_key(&self, value: f64) -> Option<CountKey> {
        let resolution = self.resolution?;
        (!is_in_range(value)).then(|| native_key(resolution, value))
    }

    /// Returns the number of classic buckets.
    pub(crate) fn bucket_count(&self) -> usize {
        self.classic.len() + 1
    }

    /// Adds the counts of neighboring segments to those of the classic buckets, which are not
    /// cumulative. `first` is the first of these segments.
    pub(crate) fn add_to_classic(&self, first: usize, segments: &[u64], classic: &mut [u64]) {
        if self.resolution.is_none() {
            // Each segment is a bucket.
            let counts = classic.iter_mut().skip(first).zip(segments);
            return counts.for_each(|(count, segment)| *count += segment);
        }
        let bucket = self.classic_ends.partition_point(|&end| end <= first);
        let ends = self.classic_ends.get(bucket..).unwrap_or_default();
        let counts = classic.get_mut(bucket..).unwrap_or_default();
        let (mut position, mut remaining) = (first, segments);
        for (count, &end) in counts.iter_mut().zip(ends) {
            let (inside, after) = remaining.split_at((end - position).min(remaining.len()));
            *count += inside.iter().sum::<u64>();
            if after.is_empty() {
                return;
            }
            (position, remaining) = (end, after);
        }
    }

    /// Returns the counts of the exponential buckets, if there are any. `segments` are the counts
    /// of neighboring segments, the first of which is `first`; the others are empty.
    /// `out_of_range` are the counts of exponential buckets, in any order.
    ///
    /// The sum of the counts is that of the classic buckets.
    pub(crate) fn native_counts(
        &self,
        first: usize,
        segments: &[u64],
        out_of_range: &[(CountKey, u64)],
    ) -> Option<NativeBuckets> {
        let mut buckets = NativeBuckets {
            resolution: self.resolution?,
            ..NativeBuckets::default()
        };
        let (in_range, mut out_of_range_count) = self.in_range.select(first, segments);
        let non_empty = segments.iter().filter(|count| **count > 0).count();
        buckets.positive.reserve_exact(non_empty);
        for (index, count) in in_range {
            if count > 0 {
                push_count(&mut buckets.positive, index, count);
            }
        }
        for &(key, count) in out_of_range {
            // An observation that is in progress, or that raced with a reset, may be counted in
            // only one of segment and exponential bucket.
            let count = count.min(out_of_range_count);
            out_of_range_count -= count;
            match native_bucket(key) {
                _ if count == 0 => {}
                NativeBucket::Zero => buckets.zero_count += count,
                NativeBucket::Positive(index) => buckets.add_positive(index, count),
                NativeBucket::Negative(index) => buckets.add_negative(index, count),
            }
        }
        buckets.zero_count += out_of_range_count;
        Some(buckets)
    }
}

impl SegmentsInRange {
    fn contains(&self, segment: usize) -> bool {
        (self.first..self.first + self.native.len()).contains(&segment)
    }

    fn new(segment_bounds: &Bounds, resolution: Option<Resolution>) -> Self {
        let ends = segment_bounds.iter().copied();
        let Some(resolution) = resolution else {
            return Self {
                first: segment_bounds.len(),
                native: Arc::default(),
            };
        };
        Self {
            first: ends
                .clone()
                .take_while(|&end| end <= LEAST_IN_RANGE)
                .count(),
            native: ends
                .filter(|&end| is_in_range(end))
                .map(|end| bucket_index(resolution, end))
                .collect(),
        }
    }

    /// Divides the counts of neighboring segments, the first of which is `first`. Returns those in
    /// range, each with the index of its exponential bucket, and the sum of the others.
    fn select<'a>(
        &'a self,
        first: usize,
        segments: &'a [u64],
    ) -> (impl Iterator<Item = (i32, u64)> + 'a, u64) {
        let below = self.first.saturating_sub(first).min(segments.len());
        let (below, segments) = segments.split_at(below);
        let native = self.native.get(first.saturating_sub(self.first)..);
        let native = native.unwrap_or_default();
        let (inside, above) = segments.split_at(native.len().min(segments.len()));
        let others = below.iter().chain(above).sum();
        (native.iter().copied().zip(inside.iter().copied()), others)
    }
}

/// Returns the segment with this key, or `None` if the key is that of an exponential bucket.
pub(crate) fn segment_from_key(key: CountKey) -> Option<usize> {
    usize::try_from(key).ok().filter(|_| key < FIRST_NATIVE_KEY)
}

/// Returns the exponential bucket with this key.
fn native_bucket(key: CountKey) -> NativeBucket {
    let Some(number) = key.checked_sub(FIRST_NATIVE_KEY + 1) else {
        return NativeBucket::Zero;
    };
    let index = (number / 2).cast_signed() + LOWEST_INDEX;
    match number % 2 {
        0 => NativeBucket::Positive(index),
        _ => NativeBucket::Negative(index),
    }
}

/// Returns true if the segment of a value lies in one exponential bucket.
fn is_in_range(value: f64) -> bool {
    value > LEAST_IN_RANGE && value <= GREATEST_IN_RANGE
}

enum NativeBucket {
    Zero,
    Positive(i32),
    Negative(i32),
}

/// Adds to a bucket whose index is at least that of the last one.
fn push_count(buckets: &mut Vec<(i32, u64)>, index: i32, count: u64) {
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
    // The last digit of the logarithm may be wrong, and bounds are inclusive.
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
        return FIRST_NATIVE_KEY;
    }
    let above = bucket_index(resolution, value.abs()) - LOWEST_INDEX;
    let side = if value > 0.0 { 1 } else { 2 };
    FIRST_NATIVE_KEY + 2 * above.unsigned_abs() + side
}

/// Returns `2^exponent` for an exponent of at least -1022; above 1023, infinity.
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

    fn classic_counts(layout: &BucketLayout, first: usize, segments: &[u64]) -> Vec<u64> {
        let mut classic = vec![0; layout.bucket_count()];
        layout.add_to_classic(first, segments, &mut classic);
        classic
    }

    /// Counts one value and returns its classic bucket and its exponential buckets.
    fn count(layout: &BucketLayout, value: f64) -> (usize, NativeBuckets) {
        let segment = CountKey::try_from(layout.segment_for(value)).unwrap();
        let mut segments = vec![0; layout.segment_count()];
        segments[segment_from_key(segment).unwrap()] = 1;
        let out_of_range: Vec<_> = layout
            .out_of_range_key(value)
            .map(|key| (key, 1))
            .into_iter()
            .collect();
        assert!(
            out_of_range
                .iter()
                .all(|(key, _)| segment_from_key(*key).is_none())
        );
        let classic = classic_counts(layout, 0, &segments);
        let bucket = classic.iter().position(|&count| count == 1).unwrap();
        assert_eq!(classic.iter().sum::<u64>(), 1);
        let native = layout.native_counts(0, &segments, &out_of_range);
        (bucket, native.unwrap())
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
                        let is_above_start = value.abs() > upper_bound(resolution, index - 1);
                        let is_below_end = value.abs() <= upper_bound(resolution, index);
                        assert!(
                            is_above_start && is_below_end,
                            "{value} at {schema}: {index}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn both_kinds_of_buckets_have_one_sum_even_if_a_value_out_of_range_was_counted_by_half() {
        let layout = layout_with(&[1.0], 3);
        let out_of_range = layout.out_of_range_key(-5.0).unwrap();
        let mut segments = vec![0; layout.segment_count()];
        segments[layout.segment_for(-5.0)] = 3;
        for keys in [
            vec![(FIRST_NATIVE_KEY, 1), (out_of_range, 5)],
            vec![(out_of_range, 1)],
            vec![],
        ] {
            let native = layout.native_counts(0, &segments, &keys).unwrap();
            assert_eq!(native.count(), 3);
        }
    }

    #[test]
    fn a_part_of_the_segments_has_the_counts_of_all_if_the_others_are_empty() {
        let bounds: Vec<f64> = (-3..600).map(f64::from).collect();
        let mut random = fastrand::Rng::with_seed(11);
        let layouts = [
            layout_with(&[-1.0, 0.0, 1e-12, 0.3, 1.0, 1e20], 3),
            layout_with(&[1.0], 0),
            layout_with(&bounds, 2),
            BucketLayout::new(Bounds::new(&bounds).unwrap(), None),
        ];
        for layout in layouts {
            for _ in 0..300 {
                let mut all = vec![0; layout.segment_count()];
                let first = random.usize(..=all.len());
                let end = random.usize(first..=all.len().min(first + 90));
                for count in &mut all[first..end] {
                    *count = random.u64(..3);
                }
                let part = &all[first..end];
                let sum: u64 = part.iter().sum();
                let of_all = classic_counts(&layout, 0, &all);
                assert_eq!(classic_counts(&layout, first, part), of_all);
                assert_eq!(of_all.iter().sum::<u64>(), sum);
                let native = layout.native_counts(first, part, &[]);
                assert_eq!(native, layout.native_counts(0, &all, &[]));
                assert_eq!(native.is_some(), layout.resolution.is_some());
                assert!(native.is_none_or(|native| native.count() == sum));
            }
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
