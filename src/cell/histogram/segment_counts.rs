//! Counts of neighboring segments, while a histogram is read.

use std::ops::Range;

/// The counts of a range of segments, and as many numbers for the shard that is being read.
///
/// The memory is that of a vector that the caller reuses, so that reading allocates nothing.
pub(super) struct SegmentCounts<'a> {
    first: usize,
    counts: &'a mut [u64],
    part: &'a mut [u64],
}

impl<'a> SegmentCounts<'a> {
    /// Appends the numbers of these segments to `memory`, all 0.
    pub(super) fn append(memory: &'a mut Vec<u64>, segments: Range<usize>) -> Self {
        let start = memory.len();
        memory.resize(start + 2 * segments.len(), 0);
        let (counts, part) = memory[start..].split_at_mut(segments.len());
        Self {
            first: segments.start,
            counts,
            part,
        }
    }

    /// Returns the numbers of these segments in the part that is being read.
    pub(super) fn part(&mut self, segments: Range<usize>) -> &mut [u64] {
        let range = self.indexes(&segments);
        self.part.get_mut(range).unwrap_or_default()
    }

    /// Sets the counts to 0.
    pub(super) fn clear(&mut self) {
        self.counts.fill(0);
    }

    /// Adds to the count of a segment. Returns false if it is not in the range.
    #[inline]
    pub(super) fn add(&mut self, segment: usize, count: u64) -> bool {
        let target = self.counts.get_mut(segment.wrapping_sub(self.first));
        let is_in_range = target.is_some();
        if let Some(target) = target {
            *target += count;
        }
        is_in_range
    }

    /// Adds the numbers of these segments in the part to the counts.
    pub(super) fn add_part(&mut self, segments: Range<usize>) {
        let range = self.indexes(&segments);
        let counts = self.counts.get_mut(range.clone()).unwrap_or_default();
        let part = self.part.get(range).unwrap_or_default();
        for (count, part) in counts.iter_mut().zip(part) {
            *count += part;
        }
    }

    /// Returns where the numbers of these segments are.
    fn indexes(&self, segments: &Range<usize>) -> Range<usize> {
        let start = segments.start.wrapping_sub(self.first);
        start..start.wrapping_add(segments.len())
    }

    /// Subtracts from the count of a segment.
    pub(super) fn subtract(&mut self, segment: usize, count: u64) {
        if let Some(target) = self.counts.get_mut(segment.wrapping_sub(self.first)) {
            *target -= count;
        }
    }

    /// Returns the range of segments.
    pub(super) fn segments(&self) -> Range<usize> {
        self.first..self.first + self.counts.len()
    }

    /// Returns the counts.
    pub(super) fn counts(&self) -> &[u64] {
        self.counts
    }
}
