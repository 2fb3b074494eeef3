//! Models of the protocols of cells that more than one thread takes part in.
//!
//! loom runs each model in every order that the memory model allows, up to a number of
//! preemptions. To run the models of all modules:
//!
//! ```text
//! RUSTFLAGS="--cfg tachometer_loom" cargo test --profile models --lib loom_models
//! ```

use loom::sync::Arc;
use loom::thread;

use crate::cell::atomic_totals::AtomicTotals;
use crate::cell::counter::CounterCell;
use crate::cell::dense_counts::DenseCounts;
use crate::cell::in_flight::InFlightCell;
use crate::cell::indexed_list::IndexedList;
#[cfg(feature = "llm")]
use crate::cell::recent_extreme::{Extreme, RecentExtremeCell};
use crate::cell::sparse_counts::SparseCounts;
use crate::cell::sync::Ordering;
use crate::cell::thread_number::{Pool, set_current};
use crate::snapshot::Totals;

/// Checks a model in every order with up to three preemptions.
pub(crate) fn check(model: impl Fn() + Sync + Send + 'static) {
    check_with_preemptions(3, model);
}

/// Checks a model in every order with up to this many preemptions, and asserts that there is
/// more than a handful of orders.
fn check_with_preemptions(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    let runs = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counter = std::sync::Arc::clone(&runs);
    builder.check(move || {
        counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        model();
    });
    let runs = runs.load(std::sync::atomic::Ordering::Relaxed);
    println!("{runs} executions");
    assert!(runs > 10, "only {runs} executions");
}

/// Totals and counts that one thread writes, as in a shard. The thread observes 2, then 1.
#[derive(Debug)]
struct SingleWriter {
    totals: AtomicTotals,
    counts: DenseCounts,
}

impl SingleWriter {
    fn new() -> Self {
        let counts = DenseCounts::new(2);
        counts.allocate(0);
        Self {
            totals: AtomicTotals::new(),
            counts,
        }
    }

    fn observe(&self, segment: usize, value: f64) {
        let count = self.counts.get(segment).unwrap();
        count.store(count.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
        self.totals.add_exclusive(value);
    }

    /// Reads once, and checks the numbers if the reading is consistent.
    fn check(&self) {
        let mut count = 0;
        let consistent = self.totals.try_read(&mut || {
            count = self.counts.read(&mut [0; 2]);
            count
        });
        if let Some(totals) = consistent {
            let Totals { sum, min, max } = totals;
            match count {
                0 => assert_eq!(sum, 0.0),
                1 => assert_eq!((sum, min, max), (2.0, 2.0, 2.0)),
                _ => assert_eq!((sum, min, max), (3.0, 1.0, 2.0)),
            }
        }
    }
}

#[test]
fn what_one_thread_observes_is_read_consistently() {
    check(|| {
        let cell = Arc::new(SingleWriter::new());
        let (write, read) = (cell.clone(), cell.clone());
        let writer = thread::spawn(move || {
            write.observe(0, 2.0);
            write.observe(1, 1.0);
        });
        let reader = thread::spawn(move || read.check());
        writer.join().unwrap();
        reader.join().unwrap();
        cell.check();
    });
}

#[test]
fn two_readers_do_not_disturb_each_other() {
    check(|| {
        let cell = Arc::new(SingleWriter::new());
        let (write, one, other) = (cell.clone(), cell.clone(), cell.clone());
        let writer = thread::spawn(move || write.observe(0, 2.0));
        let one = thread::spawn(move || one.check());
        let other = thread::spawn(move || other.check());
        for thread in [writer, one, other] {
            thread.join().unwrap();
        }
    });
}

/// Totals and counts that threads share. All values are 2.
#[derive(Debug)]
struct ManyWriters {
    totals: AtomicTotals,
    counts: SparseCounts,
}

impl ManyWriters {
    fn new() -> Self {
        Self {
            totals: AtomicTotals::new(),
            counts: SparseCounts::default(),
        }
    }

    fn observe(&self, key: u32) {
        self.counts.add(key);
        self.totals.add(2.0);
    }

    fn read(&self) -> Option<(f64, u64)> {
        let mut count = 0;
        let totals = self.totals.try_read(&mut || {
            count = 0;
            self.counts.for_each(|_, cell| count += cell);
            count
        })?;
        Some((totals.sum, count))
    }
}

#[test]
fn what_two_threads_observe_together_is_read_consistently() {
    // With three preemptions it takes five minutes and passes.
    check_with_preemptions(2, || {
        let shared = Arc::new(ManyWriters::new());
        let (one, other, read) = (shared.clone(), shared.clone(), shared.clone());
        let one = thread::spawn(move || one.observe(1));
        let other = thread::spawn(move || other.observe(1));
        let reader = thread::spawn(move || {
            if let Some((sum, count)) = read.read() {
                assert_eq!(sum, 2.0 * count as f64);
            }
        });
        for thread in [one, other, reader] {
            thread.join().unwrap();
        }
        assert_eq!(shared.read(), Some((4.0, 2)));
    });
}

#[test]
fn a_reset_that_races_with_an_observation_leaves_count_and_buckets_equal() {
    check(|| {
        let shared = Arc::new(ManyWriters::new());
        shared.observe(1);
        let (write, reset) = (shared.clone(), shared.clone());
        let writer = thread::spawn(move || write.observe(1));
        let resetter = thread::spawn(move || {
            let counts = &reset.counts;
            reset.totals.reset(|| counts.reset().map(|(_, n)| n).sum());
        });
        writer.join().unwrap();
        resetter.join().unwrap();
        let (_, count) = shared.read().expect("count and buckets are equal");
        assert!(count <= 1);
    });
}

#[test]
fn two_threads_that_claim_the_same_word_share_it() {
    check(|| {
        let counts = Arc::new(SparseCounts::default());
        let threads = [1, 2].map(|last| {
            let counts = counts.clone();
            thread::spawn(move || {
                counts.add(1);
                counts.add(last);
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        let mut counted = Vec::new();
        counts.for_each(|key, count| counted.push((key, count)));
        counted.sort_unstable();
        assert_eq!(counted, [(1, 3), (2, 1)]);
    });
}

#[test]
fn an_entry_that_is_found_is_the_right_one_and_complete_while_the_index_grows() {
    check(|| {
        let list = Arc::new(IndexedList::new());
        let (write, read) = (list.clone(), list.clone());
        let writer = thread::spawn(move || {
            for number in 0..3_u64 {
                write.insert(number << 32, number);
            }
        });
        let find = |list: &IndexedList<u64>, number: u64| {
            let found = list.find(number << 32, |found| *found == number);
            found.copied()
        };
        let reader = thread::spawn(move || {
            let length = read.len();
            assert!((0..length).all(|position| read.get(position).is_some()));
            for number in [2, 0] {
                assert!(find(&read, number).is_none_or(|found| found == number));
            }
        });
        writer.join().unwrap();
        reader.join().unwrap();
        for number in 0..3 {
            assert_eq!(find(&list, number), Some(number));
        }
    });
}

#[test]
fn a_thread_that_takes_over_a_shard_continues_its_count() {
    check(|| {
        let state = Arc::new((Pool::new(), CounterCell::sharded()));
        let threads = [1, 2].map(|amount| {
            let state = state.clone();
            thread::spawn(move || {
                let number = state.0.acquire();
                set_current(number);
                state.1.add(amount);
                state.0.release(number);
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(state.1.load().whole, 3);
    });
}

#[test]
fn a_counter_that_is_reset_loses_no_later_increment_and_never_drops_below_zero() {
    check(|| {
        let cell = Arc::new(CounterCell::sharded());
        let (write, reset) = (cell.clone(), cell.clone());
        let writer = thread::spawn(move || {
            set_current(0);
            write.add(1);
            write.add(1);
        });
        let resetter = thread::spawn(move || {
            reset.reset();
            assert!(reset.load().whole <= 2);
        });
        writer.join().unwrap();
        resetter.join().unwrap();
        let remaining = cell.load().whole;
        assert!(remaining <= 2, "{remaining}");
        set_current(1);
        cell.add(1);
        assert_eq!(cell.load().whole, remaining + 1);
    });
}

#[test]
fn an_operation_that_finishes_on_another_thread_is_never_seen_to_finish_before_it_starts() {
    check(|| {
        let cell = Arc::new(InFlightCell::sharded());
        let (start, reader) = (cell.clone(), cell.clone());
        let entering = thread::spawn(move || {
            set_current(0);
            start.start();
            // Like a task that moves to another thread.
            thread::spawn(move || {
                set_current(1);
                start.finish();
            })
            .join()
            .unwrap();
        });
        let reading = thread::spawn(move || {
            let in_flight = reader.load();
            assert!(in_flight <= 1, "{in_flight}");
        });
        entering.join().unwrap();
        reading.join().unwrap();
        assert_eq!(cell.load(), 0);
    });
}

#[test]
fn an_operation_that_moves_to_another_cell_is_always_seen_in_one() {
    check(|| {
        let cells = Arc::new([InFlightCell::sharded(), InFlightCell::sharded()]);
        set_current(0);
        cells[0].start();
        let (mover, reader) = (cells.clone(), cells.clone());
        let moving = thread::spawn(move || {
            set_current(1);
            mover[0].move_to(&mover[1]);
        });
        let reading = thread::spawn(move || {
            let in_flight = reader[0].load() + reader[1].load();
            assert!(in_flight == 1 || in_flight == 2, "{in_flight}");
        });
        moving.join().unwrap();
        reading.join().unwrap();
        assert_eq!((cells[0].load(), cells[1].load()), (0, 1));
    });
}

#[test]
#[cfg(feature = "llm")]
fn the_lowest_of_recent_numbers_is_kept() {
    check(|| {
        let cell = Arc::new(RecentExtremeCell::new(Extreme::Lowest));
        // All replace a number of an earlier cycle.
        cell.record(0.0, 0);
        let now = 65_000;
        let others = [1.0, 3.0].map(|value| {
            let cell = Arc::clone(&cell);
            thread::spawn(move || cell.record(value, now))
        });
        cell.record(2.0, now);
        let lowest = cell.load(now);
        assert!(matches!(lowest, Some(1.0 | 2.0)), "{lowest:?}");
        for other in others {
            other.join().unwrap();
        }
        assert_eq!(cell.load(now), Some(1.0));
    });
}
