//! Models of the protocols of histograms. See `cell/loom_models.rs` for how to run them.

use loom::sync::Arc;
use loom::thread;

use super::*;
use crate::cell::histogram::hot::split;
use crate::cell::loom_models::{check, check_with_preemptions};
use crate::cell::shards::set_current;
use crate::cell::sync::Ordering;
use crate::snapshot::Bounds;

/// A histogram that is written often, with a window of two segments.
#[derive(Debug)]
struct Hot {
    counts: HotCounts,
    extremes: Extremes,
}

impl Hot {
    fn new(segments: Range<usize>) -> Arc<Self> {
        let window = Window::take(segments).expect("a free slot");
        Arc::new(Self {
            counts: HotCounts::new(window),
            extremes: Extremes::new(),
        })
    }

    fn observe(&self, segment: usize, value: f64) -> bool {
        self.counts.observe(segment, value, &self.extremes)
    }

    /// Reads once. Returns count, sum and extremes if no observation was in progress.
    fn try_read(&self) -> Option<(u64, f64, (f64, f64))> {
        let extremes = self.extremes.load();
        let (mut count, mut sum) = (0, 0.0);
        for words in self
            .counts
            .windows()
            .flat_map(|window| window.slot.shards())
        {
            let (total, buckets) = split(words)?;
            let mut part = 0;
            sum += total.try_read(&mut || {
                let buckets = buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed));
                part = buckets.sum();
                part
            })?;
            count += part;
        }
        (self.extremes.load() == extremes).then_some((count, sum, extremes))
    }
}

#[test]
fn what_one_thread_observes_is_read_consistently() {
    check(|| {
        let hot = Hot::new(0..2);
        let (write, read) = (hot.clone(), hot.clone());
        let is_valid = |hot: &Hot| match hot.try_read() {
            None => true,
            Some((0, sum, _)) => sum == 0.0,
            Some((1, sum, extremes)) => (sum, extremes) == (2.0, (2.0, 2.0)),
            Some((_, sum, extremes)) => (sum, extremes) == (3.0, (1.0, 2.0)),
        };
        let writer = thread::spawn(move || {
            set_current(0);
            assert!(write.observe(0, 2.0));
            assert!(write.observe(1, 1.0));
        });
        let reader = thread::spawn(move || assert!(is_valid(&read)));
        writer.join().unwrap();
        reader.join().unwrap();
        assert_eq!(hot.try_read(), Some((2, 3.0, (1.0, 2.0))));
    });
}

#[test]
fn what_two_threads_observe_in_their_own_or_one_shared_shard_is_read_consistently() {
    for numbers in [[2, 3], [0, 1], [0, 2]] {
        // With two preemptions it takes four minutes and passes.
        check_with_preemptions(1, move || {
            let hot = Hot::new(0..1);
            let read = hot.clone();
            let writers = numbers.map(|number| {
                let write = hot.clone();
                thread::spawn(move || {
                    set_current(number);
                    assert!(write.observe(0, 2.0));
                })
            });
            let reader = thread::spawn(move || {
                if let Some((count, sum, extremes)) = read.try_read() {
                    assert_eq!(sum, 2.0 * count as f64);
                    assert!(count == 0 || extremes == (2.0, 2.0));
                }
            });
            for writer in writers {
                writer.join().unwrap();
            }
            reader.join().unwrap();
            assert_eq!(hot.try_read(), Some((2, 4.0, (2.0, 2.0))));
        });
    }
}

#[test]
fn a_window_that_is_added_during_an_observation_loses_nothing() {
    check_with_preemptions(2, || {
        let hot = Hot::new(0..1);
        let (write, add, read) = (hot.clone(), hot.clone(), hot.clone());
        let writer = thread::spawn(move || {
            set_current(0);
            assert!(write.observe(0, 2.0));
            u64::from(write.observe(1, 2.0))
        });
        let adder = thread::spawn(move || add.counts.add_window(|| Window::take(1..2)));
        let reader = thread::spawn(move || {
            if let Some((count, sum, _)) = read.try_read() {
                assert_eq!(sum, 2.0 * count as f64);
            }
        });
        let in_second = writer.join().unwrap();
        adder.join().unwrap();
        reader.join().unwrap();
        let count = 1 + in_second;
        let expected = Some((count, 2.0 * count as f64, (2.0, 2.0)));
        assert_eq!(hot.try_read(), expected);
    });
}

/// A histogram with one bound, 1. It is not hot, so all threads share its counts.
#[derive(Debug)]
struct Shared {
    cell: HistogramCell,
    layout: BucketLayout,
}

impl Shared {
    fn new() -> Arc<Self> {
        let layout = BucketLayout::new(Bounds::new(&[1.0]).expect("valid bounds"), None);
        let cell = HistogramCell::new();
        Arc::new(Self { cell, layout })
    }

    fn observe(&self, value: f64) {
        assert!(self.cell.observe(&self.layout, value));
    }

    /// Reads once. Returns count and sum if no observation was in progress.
    fn try_read(&self) -> Option<(u64, f64)> {
        let mut count = 0;
        let sum = self.cell.shared().try_read(&mut || {
            count = 0;
            self.cell.counts.for_each(|_, counted| count += counted);
            count
        })?;
        Some((count, sum))
    }
}

#[test]
fn what_two_threads_observe_together_is_read_consistently() {
    // With three preemptions it takes five minutes and passes.
    check_with_preemptions(2, || {
        let shared = Shared::new();
        let (one, other, read) = (shared.clone(), shared.clone(), shared.clone());
        let one = thread::spawn(move || one.observe(2.0));
        let other = thread::spawn(move || other.observe(2.0));
        let reader = thread::spawn(move || {
            if let Some((count, sum)) = read.try_read() {
                assert_eq!(sum, 2.0 * count as f64);
            }
        });
        for thread in [one, other, reader] {
            thread.join().unwrap();
        }
        assert_eq!(shared.try_read(), Some((2, 4.0)));
    });
}

#[test]
fn an_observation_during_a_reset_leaves_count_and_buckets_equal() {
    check(|| {
        let shared = Shared::new();
        shared.observe(2.0);
        let (write, reset) = (shared.clone(), shared.clone());
        let writer = thread::spawn(move || write.observe(2.0));
        let resetter = thread::spawn(move || reset.cell.reset(&reset.layout));
        writer.join().unwrap();
        resetter.join().unwrap();
        let (count, _) = shared.try_read().expect("count and buckets are equal");
        assert!(count <= 1);
    });
}

#[test]
fn an_observation_while_what_was_seen_is_removed_stays() {
    check(|| {
        let shared = Shared::new();
        shared.observe(2.0);
        let (write, reset) = (shared.clone(), shared.clone());
        let writer = thread::spawn(move || write.observe(2.0));
        let resetter = thread::spawn(move || u64::from(reset.cell.reset_if(&reset.layout, 1)));
        writer.join().unwrap();
        let removed = resetter.join().unwrap();
        let count = 2 - removed;
        assert_eq!(shared.try_read(), Some((count, 2.0 * count as f64)));
    });
}
