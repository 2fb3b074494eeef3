//! The range of segments that a window covers.

use std::ops::Range;

use crate::cell::histogram::hot::Window;

/// Up to this many segments, a window covers all of them.
const FEW_SEGMENTS: usize = 24;
/// One of this many values may lie outside the window. Otherwise a single outlier could make a
/// window ten times as large.
const OUTSIDE_SHARE: u64 = 256;
/// A window is longer than the observed range by a part of it at each end: one segment of this
/// many.
const MARGIN_DIVISOR: usize = 10;

/// Returns a range of segments that contains most of the values with these counts by segment.
pub(super) fn covering_range(counts: &[u64]) -> Range<usize> {
    let all = 0..counts.len();
    if all.len() <= FEW_SEGMENTS {
        return all;
    }
    let mut range = all.clone();
    let mut may_be_outside = counts.iter().sum::<u64>() / OUTSIDE_SHARE;
    // Removes segments from the end with fewer values.
    while range.len() > 1 {
        let (first, last) = (counts[range.start], counts[range.end - 1]);
        let removed = first.min(last);
        let max_len = Window::MAX_SEGMENTS / (MARGIN_DIVISOR + 2) * MARGIN_DIVISOR;
        if removed > may_be_outside && range.len() <= max_len {
            break;
        }
        may_be_outside = may_be_outside.saturating_sub(removed);
        if first <= last {
            range.start += 1;
        } else {
            range.end -= 1;
        }
    }
    let margin = range.len().div_ceil(MARGIN_DIVISOR);
    range.start.saturating_sub(margin)..(range.end + margin).min(all.end)
}

#[cfg(all(test, not(tachometer_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_window_covers_all_segments_if_there_are_few() {
        assert_eq!(covering_range(&[0; 12]), 0..12);
    }

    #[test]
    fn a_window_covers_the_values_without_outliers_and_has_a_margin() {
        let mut counts = vec![0; 650];
        counts[300..330].fill(1_000);
        counts[5] = 10;
        counts[600] = 10;
        assert_eq!(covering_range(&counts), 297..333);
    }

    #[test]
    fn a_window_fits_in_a_slot() {
        let range = covering_range(&vec![7; 20_000]);
        assert!(range.len() <= Window::MAX_SEGMENTS, "{range:?}");
        assert!(range.len() > Window::MAX_SEGMENTS / 2, "{range:?}");
    }
}
