//! The baselines of a family, and what was counted since.

use std::collections::HashMap;

use crate::push::otlp::delta::numbers::Numbers;

/// A family keeps at least this many baselines of computed series that are missing.
pub(super) const MAX_MISSING: usize = 10_000;

/// The numbers of a series at the end of its last interval.
pub(super) struct Baseline {
    pub(super) created_millis: u64,
    pub(super) end_millis: u64,
    pub(super) numbers: Numbers,
    /// Whether the series is [computed](crate::snapshot::SeriesBlock::is_computed).
    pub(super) is_computed: bool,
    /// The number of the last read with this series.
    pub(super) last_read: u64,
}

/// The baselines of a family by the text of the labels.
#[derive(Default)]
pub(super) struct Family {
    pub(super) baselines: HashMap<Box<str>, Baseline>,
    /// The largest number of its series in one read.
    most_series: usize,
    /// The latest creation time of a computed series whose baseline was dropped.
    dropped_created_millis: Option<u64>,
}

/// What was counted in an interval.
pub(super) struct Interval {
    pub(super) start_millis: u64,
    pub(super) difference: Numbers,
    /// The next baseline.
    pub(super) numbers: Numbers,
}

impl Family {
    /// Returns true if a computed series with this creation time may have had a baseline.
    pub(super) fn may_have_dropped(&self, created_millis: u64) -> bool {
        let dropped = self.dropped_created_millis;
        dropped.is_some_and(|dropped| created_millis <= dropped)
    }

    /// Drops baselines of series that are missing from a read.
    ///
    /// A stored series is missing only if it was removed, so that it counts from 0 when it comes
    /// back. A computed series may come back with its creation time and all that it has counted.
    /// Its baseline is kept, unless there are many.
    pub(super) fn drop_missing(&mut self, read: u64) {
        let is_missing = |baseline: &Baseline| baseline.last_read != read;
        self.baselines
            .retain(|_, baseline| baseline.is_computed || !is_missing(baseline));
        let mut last_reads: Vec<_> = self
            .baselines
            .values()
            .filter(|baseline| is_missing(baseline))
            .map(|baseline| baseline.last_read)
            .collect();
        let series = self.baselines.len() - last_reads.len();
        self.most_series = self.most_series.max(series);
        let kept = self.most_series.max(MAX_MISSING);
        let Some(excess @ 1..) = last_reads.len().checked_sub(kept) else {
            return;
        };
        // Those that have been missing for longest.
        last_reads.sort_unstable();
        let last_read = last_reads[excess - 1];
        let mut ties = excess - last_reads.partition_point(|other| *other < last_read);
        let mut dropped_created_millis = self.dropped_created_millis;
        self.baselines.retain(|_, baseline| {
            let is_tie = baseline.last_read == last_read && ties > 0;
            let is_dropped = is_missing(baseline) && (is_tie || baseline.last_read < last_read);
            if is_dropped {
                ties -= usize::from(is_tie);
                dropped_created_millis = dropped_created_millis.max(Some(baseline.created_millis));
            }
            !is_dropped
        });
        self.dropped_created_millis = dropped_created_millis;
    }
}

impl Interval {
    /// Makes the first interval of a series.
    pub(super) fn first(numbers: Numbers, created_millis: u64) -> Self {
        Self {
            start_millis: created_millis,
            difference: numbers.clone(),
            numbers,
        }
    }

    /// Makes an interval that begins now, for a series whose last baseline was dropped.
    pub(super) fn unknown(numbers: Numbers, now_millis: u64) -> Self {
        Self {
            start_millis: now_millis,
            difference: numbers.zero(),
            numbers,
        }
    }

    /// Makes the interval since a baseline.
    ///
    /// If the numbers are lower, nothing is sent and the baseline is 0 from now on. The source of a
    /// collector was reset, and the next interval has all that it counts. Or the series was read in
    /// the middle of a reset, and at the next read it has another creation time.
    pub(super) fn since(baseline: &mut Baseline, numbers: Numbers, created_millis: u64) -> Self {
        let start_millis = baseline.end_millis.max(created_millis);
        // A series that was reset or created again has another creation time.
        if baseline.created_millis != created_millis {
            return Self {
                start_millis,
                ..Self::first(numbers, created_millis)
            };
        }
        let (difference, numbers) = numbers.since(&baseline.numbers).unwrap_or_else(|| {
            // Even if this interval is not accepted: its values are part of the next one.
            baseline.numbers = numbers.zero();
            (numbers.zero(), numbers.zero())
        });
        Self {
            start_millis,
            difference,
            numbers,
        }
    }
}
