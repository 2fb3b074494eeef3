use std::sync::atomic::AtomicBool;
use std::thread;

use super::*;
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
    let (totals, counts) = (AtomicTotals::new(), DenseCounts::new(100));
    let writing = AtomicBool::new(true);
    let consistent = thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for turn in 0..1_000_000 {
                counts.allocate(turn % 100);
                let count = counts.get(turn % 100).unwrap();
                count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
                totals.add_exclusive(2.0);
            }
            writing.store(false, Ordering::Relaxed);
        });
        let mut consistent = 0;
        while writing.load(Ordering::Relaxed) {
            let mut count = 0;
            let read = totals.try_read(&mut || {
                count = counts.read(&mut [0; 100]);
                count
            });
            if let Some(totals) = read {
                assert_eq!(totals.sum, 2.0 * count as f64);
                consistent += 1;
            }
        }
        writer.join().unwrap();
        consistent
    });
    assert!(consistent > 0);
}

#[test]
fn a_histogram_is_empty_after_a_reset_and_counts_on_with_and_without_shards() {
    for before in [1, 3 * SHARD_THRESHOLD] {
        let (cell, layout) = (HistogramCell::new(), layout());
        for _ in 0..before {
            cell.observe(&layout, -3.25);
            cell.observe(&layout, 2.25);
        }
        assert_eq!(cell.shards.get().is_some(), before > SHARD_THRESHOLD);
        cell.reset(&layout);
        let (counts, totals, native) = read(&cell);
        assert_eq!((counts, totals), (vec![0; 4], Totals::default()));
        assert_eq!(native.count(), 0);

        cell.observe(&layout, 5.0);
        let (counts, totals, native) = read(&cell);
        assert_eq!(counts, [0, 0, 0, 1]);
        assert_eq!(
            totals,
            Totals {
                sum: 5.0,
                min: 5.0,
                max: 5.0
            }
        );
        assert_eq!((native.count(), native.negative.len()), (1, 0));
    }
}

#[test]
fn values_of_every_sign_and_magnitude_are_in_different_buckets() {
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
    for _ in 0..2 * SHARD_THRESHOLD {
        for value in values {
            cell.observe(&layout, value);
        }
    }
    let (_, totals, native) = read(&cell);
    assert_eq!((totals.min, totals.max), (-1e300, f64::MAX));
    assert_eq!(native.zero_count, 3 * 2 * SHARD_THRESHOLD);
    assert_eq!((native.negative.len(), native.positive.len()), (3, 4));
    assert_eq!(native.count(), 10 * 2 * SHARD_THRESHOLD);
    assert!(native.positive.is_sorted() && native.negative.is_sorted());
}
