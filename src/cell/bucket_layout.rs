//! Where a value is counted: classic and exponential buckets, cut as one.
//!
//! The bounds of the classic buckets and those of the exponential ones together
//! cut the line of values into pieces, each of which lies in one bucket of either
//! kind. So an observation counts one piece, and a reader adds up the pieces of
//! whichever buckets it wants.
//!
//! Exponential bounds have pieces for everyday magnitudes only. Another value is
//! *far*: it counts its piece like any other, and its exponential bucket besides.
//!
//! The index of an exponential bucket is Prometheus's: with `2^s` buckets an
//! octave, number `i` ends, inclusively, at `2^(i / 2^s)`.

use std::sync::Arc;

use crate::snapshot::{Bounds, NativeBuckets, Resolution};

/// The powers of two between which exponential bounds have pieces: somewhat wider
/// than the cells by which [`Bounds`] finds a piece at once, so that no value that
/// is found so is far.
const EVERYDAY: std::ops::RangeInclusive<i32> = -33..=48;

/// What all histograms of a family are made with.
#[derive(Debug, Clone)]
pub(crate) struct BucketLayout {
    /// The bounds of the classic buckets.
    pub(crate) classic: Bounds,
    pub(crate) resolution: Option<Resolution>,
    /// The bounds of the pieces: those of the classic buckets, and of everyday
    /// exponential ones.
    pieces: Bounds,
    /// The buckets that each piece lies in.
    homes: Arc<[Home]>,
}

/// The buckets that a piece lies in.
#[derive(Debug, Clone, Copy)]
struct Home {
    classic: usize,
    /// The index of the exponential bucket; none for pieces of far values, which
    /// have keys besides.
    native: Option<i32>,
}

/// Under which key a piece, or the exponential bucket of a far value, is counted.
pub(crate) type Key = u32;

/// Keys from this one on are those of far values' exponential buckets.
const FAR: Key = 1 << 16;
/// The lowest index of an exponential bucket, that of zero's threshold, 2^-128, at
/// the finest resolution.
const LOWEST: i32 = -128 << 8;
/// The largest key there is: the largest number has the exponent 1023.
pub(crate) const LARGEST: Key = FAR + 2 * (((1024 << 8) - LOWEST).unsigned_abs()) + 2;

impl BucketLayout {
    pub(crate) fn new(classic: Bounds, resolution: Option<Resolution>) -> Self {
        let pieces = match resolution {
            None => classic.clone(),
            Some(resolution) => classic.and(&everyday_bounds(resolution)),
        };
        let last = Home {
            classic: classic.len(),
            native: None,
        };
        // The buckets' own bounds are among the pieces', so a piece lies in the
        // buckets of its upper end.
        let homes = pieces.iter().map(|&end| Home {
            classic: classic.bucket_of(end),
            native: resolution
                .filter(|_| is_everyday(end))
                .map(|resolution| index(resolution, end)),
        });
        Self {
            homes: homes.chain([last]).collect(),
            classic,
            resolution,
            pieces,
        }
    }

    /// Returns how many pieces there are.
    pub(crate) fn pieces(&self) -> usize {
        self.pieces.len() + 1
    }

    /// Returns the piece that a value falls into.
    pub(crate) fn piece(&self, value: f64) -> usize {
        self.pieces.bucket_of(value)
    }

    /// Returns the piece that a value falls into, if it is quickly found; then it
    /// is finite and positive, not far, and at most 2^48.
    #[inline]
    pub(crate) fn quick_piece(&self, value: f64) -> Option<usize> {
        self.pieces.bucket_by_cell(value)
    }

    /// Returns the key of a far value's exponential bucket; none where the value's
    /// piece says all, or there are no such buckets.
    pub(crate) fn far(&self, value: f64) -> Option<Key> {
        let resolution = self.resolution?;
        (!is_everyday(value)).then(|| far_key(resolution, value))
    }

    /// Returns how many classic buckets there are.
    pub(crate) fn buckets(&self) -> usize {
        self.classic.len() + 1
    }

    /// Turns the counts of all pieces into those of the classic buckets, each by
    /// itself, which are then the first ones.
    pub(crate) fn add_up(&self, pieces: &mut [u64]) {
        if self.resolution.is_none() {
            return;
        }
        for (piece, home) in self.homes.iter().enumerate() {
            // No bucket has a number above those of its pieces, so that what is added
            // to here has been taken already.
            let count = std::mem::take(&mut pieces[piece]);
            pieces[home.classic] += count;
        }
    }

    /// Returns the counts of the exponential buckets, if there are any, from those of
    /// all pieces and of the keys of far values, whose order does not matter.
    ///
    /// The sum is that of the classic buckets.
    pub(crate) fn native_counts(
        &self,
        pieces: &[u64],
        far: &mut [(Key, u64)],
    ) -> Option<NativeBuckets> {
        let mut buckets = NativeBuckets {
            resolution: self.resolution?,
            ..NativeBuckets::default()
        };
        let mut far_pieces = 0;
        for (&count, home) in pieces.iter().zip(&*self.homes) {
            match home.native {
                _ if count == 0 => {}
                None => far_pieces += count,
                Some(index) => add(&mut buckets.positive, index, count),
            }
        }
        far.sort_unstable();
        for &(key, count) in &*far {
            // Of a far value that is under way, or raced with a reset, only the piece
            // or only the exponential bucket may have been counted.
            let count = count.min(far_pieces);
            far_pieces -= count;
            match far_bucket(key) {
                _ if count == 0 => {}
                Native::Zero => buckets.zero += count,
                Native::Positive(index) => add(&mut buckets.positive, index, count),
                Native::Negative(index) => add(&mut buckets.negative, index, count),
            }
        }
        buckets.zero += far_pieces;
        // Far values come after everyday ones, on either side of them.
        buckets.positive.sort_unstable();
        Some(buckets)
    }
}

/// Returns the piece whose key it is; none of a far value's exponential bucket.
pub(crate) fn piece_of(key: Key) -> Option<usize> {
    usize::try_from(key).ok().filter(|_| key < FAR)
}

/// Returns the exponential bucket of a far value's key.
fn far_bucket(key: Key) -> Native {
    let Some(number) = key.checked_sub(FAR + 1) else {
        return Native::Zero;
    };
    let index = (number / 2).cast_signed() + LOWEST;
    match number % 2 {
        0 => Native::Positive(index),
        _ => Native::Negative(index),
    }
}

/// Returns true for a value whose piece lies in one exponential bucket.
fn is_everyday(value: f64) -> bool {
    const NEAREST: f64 = power_of_two(*EVERYDAY.start());
    const FARTHEST: f64 = power_of_two(*EVERYDAY.end());
    value > NEAREST && value <= FARTHEST
}

enum Native {
    Zero,
    Positive(i32),
    Negative(i32),
}

/// Adds to the bucket with an index no lower than the last one's.
fn add(buckets: &mut Vec<(i32, u64)>, index: i32, count: u64) {
    match buckets.last_mut() {
        Some((last, counted)) if *last == index => *counted += count,
        _ => buckets.push((index, count)),
    }
}

fn everyday_bounds(resolution: Resolution) -> Vec<f64> {
    let schema = resolution.schema();
    let (start, end) = EVERYDAY.into_inner();
    ((start << schema)..=(end << schema))
        .map(|index| bound(resolution, index))
        .collect()
}

/// Returns the upper bound of an exponential bucket.
fn bound(resolution: Resolution, index: i32) -> f64 {
    let buckets = 1 << resolution.schema();
    let octave = power_of_two(index.div_euclid(buckets));
    octave * (f64::from(index.rem_euclid(buckets)) / f64::from(buckets)).exp2()
}

/// Returns the index of the exponential bucket of a positive, normal number.
fn index(resolution: Resolution, value: f64) -> i32 {
    let buckets = f64::from(1 << resolution.schema());
    #[expect(clippy::cast_possible_truncation, reason = "at most 1024 times 256")]
    let mut index = (value.log2() * buckets).ceil() as i32;
    // The logarithm may be off in its last digit, and bounds are inclusive.
    while value > bound(resolution, index) {
        index += 1;
    }
    while value <= bound(resolution, index - 1) {
        index -= 1;
    }
    index
}

#[cold]
fn far_key(resolution: Resolution, value: f64) -> Key {
    if value.abs() <= NativeBuckets::ZERO_THRESHOLD {
        return FAR;
    }
    let above = index(resolution, value.abs()) - LOWEST;
    let side = if value > 0.0 { 1 } else { 2 };
    FAR + 2 * above.unsigned_abs() + side
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

    fn grid(classic: &[f64], schema: u8) -> BucketLayout {
        let resolution = Resolution::from_schema(schema).unwrap();
        BucketLayout::new(Bounds::new(classic).unwrap(), Some(resolution))
    }

    /// Counts one value and returns its classic bucket and its exponential one.
    fn count(grid: &BucketLayout, value: f64) -> (usize, NativeBuckets) {
        let piece = Key::try_from(grid.piece(value)).unwrap();
        let mut pieces = vec![0; grid.pieces()];
        pieces[piece_of(piece).unwrap()] = 1;
        let mut far: Vec<_> = grid.far(value).map(|key| (key, 1)).into_iter().collect();
        assert!(far.iter().all(|(key, _)| piece_of(*key).is_none()));
        let mut classic = pieces.clone();
        grid.add_up(&mut classic);
        let classic = &classic[..grid.buckets()];
        let bucket = classic.iter().position(|&count| count == 1).unwrap();
        assert_eq!(classic.iter().sum::<u64>(), 1);
        (bucket, grid.native_counts(&pieces, &mut far).unwrap())
    }

    #[test]
    fn every_value_is_counted_in_the_buckets_of_both_kinds_that_it_lies_in() {
        let classic = [-1e200, -2.0, 0.0, 1e-20, 0.3, 1.0, 1.5, 8.0, 1e20];
        let mut random = fastrand::Rng::with_seed(4);
        for schema in 0..=8 {
            let grid = grid(&classic, schema);
            let resolution = grid.resolution.unwrap();
            let random = (0..2_000).map(|_| (random.f64() * 300.0 - 150.0).exp2());
            let bounds = (-40..40).map(|index| bound(resolution, index));
            let ends = [2.0_f64.powi(-32), 2.0_f64.powi(48), f64::MAX, 1e300];
            let near = bounds
                .chain(ends)
                .chain(classic)
                .flat_map(|value| [value.next_down(), value, value.next_up()]);
            for value in random.chain(near).flat_map(|value| [value, -value]) {
                if !value.is_finite() {
                    continue;
                }
                assert!(grid.quick_piece(value).is_none() || grid.far(value).is_none());
                let (bucket, native) = count(&grid, value);
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
                        let above = value.abs() > bound(resolution, index - 1);
                        let within = value.abs() <= bound(resolution, index);
                        assert!(above && within, "{value} at {schema}: {index}");
                    }
                }
            }
        }
    }

    #[test]
    fn both_kinds_of_buckets_have_one_sum_even_where_a_far_value_was_counted_by_half() {
        let grid = grid(&[1.0], 3);
        let far = grid.far(-5.0).unwrap();
        let mut pieces = vec![0; grid.pieces()];
        pieces[grid.piece(-5.0)] = 3;
        for mut keys in [vec![(FAR, 1), (far, 5)], vec![(far, 1)], vec![]] {
            let native = grid.native_counts(&pieces, &mut keys).unwrap();
            assert_eq!(native.count(), 3);
        }
    }

    #[test]
    fn bucket_0_ends_at_1_and_the_smallest_numbers_are_zero() {
        let grid = grid(&[1.0], 3);
        let index = |value| count(&grid, value).1.positive[0].0;
        assert_eq!(
            (index(1.0), index(1.0_f64.next_up()), index(2.0)),
            (0, 1, 8)
        );
        assert_eq!(index(f64::MAX), 1_024 * 8);
        for zero in [0.0, -0.0, f64::MIN_POSITIVE / 4.0, 1e-39, -1e-39] {
            assert_eq!(count(&grid, zero).1.zero, 1);
        }
    }
}
