use std::sync::atomic::AtomicBool;
use std::thread;
use std::time::Duration;

use super::*;
use crate::cell::clock;
use crate::cell::sync::Ordering;
use crate::snapshot::{Bounds, Resolution};

fn layout() -> BucketLayout {
    let bounds = Bounds::new(&[1.0, 2.0, 3.0]).unwrap();
    BucketLayout::new(bounds, Some(Resolution::default()))
}

fn read(cell: &HistogramCell) -> (Vec<u64>, Totals, NativeBuckets) {
    let mut counts = Vec::new();
    let (totals, native) = cell.read(&layout(), &mut counts);
    (counts, totals, native.unwrap())
}

#[test]
fn a_reading_during_writes_agrees_with_itself_and_never_decreases() {
    const TURNS: u64 = 200_000;
    let (cell, layout) = (HistogramCell::new(), layout());
    let writing = AtomicBool::new(true);
    thread::scope(|scope| {
        let write = || {
            for turn in 0..TURNS {
                if turn == TURNS / 4 {
                    cell.make_hot(&layout);
                }
                cell.observe(
                    &layout,
                    [0.5, 1.5, 2.5, 3.5][usize::try_from(turn % 4).unwrap()],
                );
            }
        };
        let writers: Vec<_> = (0..2).map(|_| scope.spawn(write)).collect();
        let reader = scope.spawn(|| {
            let mut last = vec![0; 4];
            while writing.load(Ordering::Relaxed) {
                let (counts, ..) = read(&cell);
                let decreased = counts.iter().zip(&last).any(|(now, before)| now < before);
                assert!(!decreased, "{last:?} decreased to {counts:?}");
                last = counts;
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        writing.store(false, Ordering::Relaxed);
        reader.join().unwrap();
    });
    let (counts, totals, native) = read(&cell);
    assert_eq!(counts, [TURNS / 2; 4]);
    assert_eq!(
        totals,
        Totals {
            sum: 800_000.0,
            min: 0.5,
            max: 3.5
        }
    );
    assert_eq!(native.count(), 2 * TURNS);
}

#[test]
fn the_numbers_of_one_thread_are_read_consistently_or_not_at_all() {
    let words: [AtomicU64; 102] = std::array::from_fn(|_| AtomicU64::new(0));
    let [count, sum, buckets @ ..] = &words;
    let total = CountAndSum { count, sum };
    let writing = AtomicBool::new(true);
    let consistent = thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for turn in 0..1_000_000 {
                let bucket = &buckets[turn % 100];
                bucket.store(bucket.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                total.add_exclusive(2.0);
            }
            writing.store(false, Ordering::Relaxed);
        });
        let mut consistent = 0;
        while writing.load(Ordering::Relaxed) {
            let mut count = 0;
            let read = total.try_read(&mut || {
                let buckets = buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed));
                count = buckets.sum();
                count
            });
            if let Some(sum) = read {
                assert_eq!(sum, 2.0 * count as f64);
                consistent += 1;
            }
        }
        writer.join().unwrap();
        consistent
    });
    assert!(consistent > 0);
}

#[test]
fn a_histogram_is_empty_after_a_reset_and_counts_on_with_and_without_a_window() {
    for is_hot in [false, true] {
        let (cell, layout) = (HistogramCell::new(), layout());
        for turn in 0..4 {
            cell.observe(&layout, -3.25);
            cell.observe(&layout, 2.25);
            if is_hot && turn == 1 {
                cell.make_hot(&layout);
            }
        }
        assert_eq!(counts_in_windows(&cell), if is_hot { 2 } else { 0 });
        assert!(!cell.reset_if(&layout, 7));
        assert!(cell.reset_if(&layout, 8));
        let (counts, totals, native) = read(&cell);
        assert_eq!((counts, totals), (vec![0; 4], Totals::default()));
        assert_eq!(native.count(), 0);

        cell.observe(&layout, 5.0);
        let (counts, totals, native) = read(&cell);
        assert_eq!(counts, [0, 0, 0, 1]);
        let (sum, min, max) = (5.0, 5.0, 5.0);
        assert_eq!(totals, Totals { sum, min, max });
        assert_eq!((native.count(), native.negative.len()), (1, 0));
        cell.reset(&layout);
        assert_eq!(read(&cell).0, [0; 4]);
    }
}

#[test]
fn values_outside_of_the_windows_get_another_one_and_all_counts_stay() {
    let (cell, layout) = (HistogramCell::new(), layout());
    let mut expected = 0;
    let mut observe = |value: f64, times: u64| {
        for _ in 0..times {
            cell.observe(&layout, value);
        }
        expected += times;
    };
    observe(0.01, 1_000);
    cell.make_hot(&layout);
    for (value, windows) in [(0.1, 2), (1.0, 3), (10.0, 4), (1_000.0, 4)] {
        observe(value, 10);
        let before = counts_in_windows(&cell);
        cell.add_window(&layout);
        observe(value, 10);
        observe(0.01, 10);
        let hot = cell.hot.get().unwrap();
        assert_eq!(hot.windows().count(), windows, "{value}");
        let added = if value < 100.0 { 20 } else { 10 };
        assert_eq!(counts_in_windows(&cell), before + added, "{value}");
    }
    let (counts, totals, native) = read(&cell);
    assert_eq!(counts.iter().sum::<u64>(), expected);
    assert_eq!(native.count(), expected);
    assert_eq!((totals.min, totals.max), (0.01, 1_000.0));
}

#[test]
fn a_busy_histogram_gets_a_window_and_a_quiet_one_does_not() {
    let layout = layout();
    for (rate, is_hot) in [(40_000, false), (100_000, true)] {
        let cell = HistogramCell::new();
        // Five seconds, on the clock of this test's thread.
        for _ in 0..500 {
            for _ in 0..rate / 100 {
                cell.observe(&layout, 0.5);
            }
            clock::advance(Duration::from_millis(10));
        }
        assert_eq!(cell.hot.get().is_some(), is_hot, "{rate}");
        assert_eq!(read(&cell).0[0], 5 * rate);
    }
}

#[test]
fn resets_that_race_with_hot_writers_take_away_what_was_counted_and_no_more() {
    const TURNS: u64 = 6_000;
    // More than there are shards, so that some threads share one.
    const THREADS: u64 = 40;

    let (cell, layout) = (HistogramCell::new(), layout());
    let write = |thread: u64| {
        for turn in 0..TURNS {
            if turn == thread * 100 {
                cell.make_hot(&layout);
            }
            cell.observe(&layout, if turn % 8 == 0 { -0.5 } else { 1.5 });
        }
    };
    let (removed_count, removed_sum) = thread::scope(|scope| {
        let write = &write;
        let writers = (0..THREADS).map(|thread| scope.spawn(move || write(thread)));
        let writers: Vec<_> = writers.collect();
        let (mut removed_count, mut removed_sum) = (0, 0.0);
        while !writers.iter().all(thread::ScopedJoinHandle::is_finished) {
            let (counts, totals, _) = read(&cell);
            let count = counts.iter().sum();
            // All counts and the sum are those of one moment if the same number is still there.
            if cell.reset_if(&layout, count) {
                removed_count += count;
                removed_sum += totals.sum;
            }
        }
        (removed_count, removed_sum)
    });
    let (counts, totals, _) = read(&cell);
    let all = TURNS * THREADS;
    assert_eq!(removed_count + counts.iter().sum::<u64>(), all);
    assert_eq!(
        removed_sum + totals.sum,
        (all / 8) as f64 * (7.0 * 1.5 - 0.5)
    );
}

#[test]
fn a_slot_that_another_histogram_takes_starts_at_0() {
    let layout = layout();
    // Its page is not freed.
    let other = HistogramCell::new();
    other.make_hot(&layout);
    for turn in 0..200 {
        let cells = [HistogramCell::new(), HistogramCell::new()];
        for cell in &cells {
            cell.observe(&layout, 1.5 + f64::from(turn % 3));
            cell.make_hot(&layout);
            cell.observe(&layout, 1.5);
            let (counts, totals, _) = read(cell);
            assert_eq!(counts.iter().sum::<u64>(), 2);
            assert_eq!(totals.sum, 3.0 + f64::from(turn % 3));
        }
    }
}

/// Returns the number of values that were counted in windows.
fn counts_in_windows(cell: &HistogramCell) -> u64 {
    let mut memory = Vec::new();
    let mut counts = SegmentCounts::append(&mut memory, 0..layout().segment_count());
    if let Some(hot) = cell.hot.get() {
        hot.read(&mut counts);
    }
    counts.counts().iter().sum()
}

#[test]
fn values_of_every_sign_and_magnitude_are_in_different_buckets() {
    const TURNS: u64 = 1_000;
    let (cell, layout) = (HistogramCell::new(), layout());
    let values = [
        -1e300,
        -1.0,
        -1e-9,
        -1e-300,
        0.0,
        1e-300,
        1e-30,
        1.0,
        1e9,
        f64::MAX,
    ];
    for turn in 0..2 * TURNS {
        for value in values {
            cell.observe(&layout, value);
        }
        if turn == TURNS {
            cell.make_hot(&layout);
        }
    }
    let (_, totals, native) = read(&cell);
    assert_eq!((totals.min, totals.max), (-1e300, f64::MAX));
    assert_eq!(native.zero_count, 3 * 2 * TURNS);
    assert_eq!((native.negative.len(), native.positive.len()), (3, 4));
    assert_eq!(native.count(), 10 * 2 * TURNS);
    assert!(native.positive.is_sorted() && native.negative.is_sorted());
}

#[cfg(feature = "metrics")]
#[test]
fn a_value_that_is_recorded_many_times_at_once_is_the_same_as_one_at_a_time() {
    const VALUES: [f64; 6] = [0.5, 1.0, 2.5, 7.0, -3.0, 1e-300];
    let layout = layout();
    for is_hot in [false, true] {
        let (one, many) = (HistogramCell::new(), HistogramCell::new());
        if is_hot {
            for cell in [&one, &many] {
                cell.observe(&layout, 1.0);
                cell.make_hot(&layout);
            }
        }
        thread::scope(|scope| {
            for value in VALUES {
                let (one, many, layout) = (&one, &many, &layout);
                scope.spawn(move || {
                    (0..1_000).for_each(|_| assert!(one.observe(layout, value)));
                    (0..10).for_each(|_| assert!(many.observe_many(layout, value, 100)));
                });
            }
        });
        assert!(many.observe_many(&layout, 1.0, 0));
        assert!(!many.observe_many(&layout, f64::NAN, 3));
        assert_eq!(read(&one), read(&many));
    }
    // The sum cannot become infinite, and the count is kept.
    let cell = HistogramCell::new();
    for _ in 0..3 {
        cell.observe_many(&layout, f64::MAX, u32::MAX);
    }
    let (counts, totals, _) = read(&cell);
    assert_eq!(counts.iter().sum::<u64>(), 3 * u64::from(u32::MAX));
    assert_eq!(totals.sum, f64::MAX);
}
