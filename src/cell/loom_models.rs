//! Models of the protocols of cells that more than one thread takes part in.
//!
//! loom runs each model in every order that the memory model allows, up to a number of
//! preemptions. To run the models of all modules:
//!
//! ```text
//! cargo test --manifest-path loom/Cargo.toml --target-dir target/loom --lib loom_models
//! ```

use loom::sync::Arc;
use loom::thread;

use crate::cell::counter::CounterCell;
use crate::cell::in_flight::InFlightCell;
use crate::cell::indexed_list::IndexedList;
#[cfg(feature = "llm")]
use crate::cell::recent_extreme::{Extreme, RecentExtremeCell};
use crate::cell::shards::{Numbers, set_current};
use crate::cell::sparse_counts::SparseCounts;
use crate::snapshot::Count;

/// Checks a model in every order with up to three preemptions.
pub(crate) fn check(model: impl Fn() + Sync + Send + 'static) {
    check_with_preemptions(3, model);
}

/// Checks a model in every order with up to this many preemptions, and asserts that there is
/// more than a handful of orders.
pub(crate) fn check_with_preemptions(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
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

#[test]
fn two_threads_that_claim_the_same_word_share_it() {
    check(|| {
        let counts = Arc::new(SparseCounts::default());
        let threads = [1, 2].map(|last| {
            let counts = counts.clone();
            thread::spawn(move || {
                counts.add(1, 1);
                counts.add(last, 1);
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
            assert!((0..length).all(|position| read.get(position) == Some(&(position as u64))));
            let mut was_found = false;
            for number in [2, 0, 0] {
                let found = find(&read, number);
                assert!(found.is_none_or(|found| found == number));
                assert!(!was_found || found.is_some(), "{number} disappeared");
                was_found = found.is_some() && number == 0;
            }
        });
        writer.join().unwrap();
        reader.join().unwrap();
        for number in 0..3 {
            assert_eq!(find(&list, number), Some(number));
            assert_eq!(list.get(number as usize), Some(&number));
        }
    });
}

#[test]
fn a_thread_that_takes_over_a_shard_continues_its_count() {
    check(|| {
        let state = Arc::new((Numbers::new(), CounterCell::with_slot()));
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
        let cell = Arc::new(CounterCell::with_slot());
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
fn a_reading_during_a_reset_is_never_below_zero() {
    check(|| {
        let cell = Arc::new(CounterCell::with_slot());
        set_current(0);
        cell.add(1);
        let (write, reset, read) = (cell.clone(), cell.clone(), cell.clone());
        let writer = thread::spawn(move || {
            set_current(1);
            write.add(1);
        });
        let resetter = thread::spawn(move || reset.reset());
        let reader = thread::spawn(move || {
            let whole = read.load().whole;
            assert!(whole <= 2, "{whole}");
        });
        for thread in [writer, resetter, reader] {
            thread.join().unwrap();
        }
        assert!(cell.load().whole <= 1);
    });
}

#[test]
fn what_is_added_while_a_counter_is_reset_to_what_was_seen_stays() {
    check(|| {
        let cell = Arc::new(CounterCell::with_slot());
        set_current(0);
        cell.add(1);
        let (write, reset) = (cell.clone(), cell.clone());
        let writer = thread::spawn(move || {
            set_current(1);
            write.add(1);
        });
        let resetter = thread::spawn(move || u64::from(reset.reset_if(Count::from(1))));
        writer.join().unwrap();
        let removed = resetter.join().unwrap();
        assert_eq!(cell.load().whole, 2 - removed);
    });
}

#[test]
fn two_resets_at_once_do_not_take_away_the_same_increment() {
    check(|| {
        let cell = Arc::new(CounterCell::default());
        cell.add(1);
        let (reset, reset_if) = (cell.clone(), cell.clone());
        let threads = [
            thread::spawn(move || reset.reset()),
            thread::spawn(move || {
                reset_if.reset_if(Count::from(1));
            }),
        ];
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(cell.load(), Count::default());
    });
}

#[test]
fn threads_of_one_shared_shard_lose_no_increment() {
    check(|| {
        let cell = Arc::new(CounterCell::with_slot());
        let threads = [2, 3].map(|number| {
            let cell = cell.clone();
            thread::spawn(move || {
                set_current(number);
                cell.add(1);
                cell.add(1);
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(cell.load().whole, 4);
    });
}

#[test]
fn increments_while_a_counter_takes_a_slot_are_all_counted() {
    check(|| {
        let cell = Arc::new(CounterCell::default());
        let (write, take) = (cell.clone(), cell.clone());
        let writer = thread::spawn(move || {
            set_current(0);
            write.add(1);
            write.add(1);
        });
        let taker = thread::spawn(move || {
            take.take_slot();
            let before = take.load().whole;
            assert!(take.load().whole >= before);
        });
        writer.join().unwrap();
        taker.join().unwrap();
        assert_eq!(cell.load().whole, 2);
    });
}

#[test]
fn a_slot_that_is_given_back_never_shows_its_old_numbers() {
    check(|| {
        // Its page is not freed.
        let _other = CounterCell::with_slot();
        let old = Arc::new(CounterCell::with_slot());
        let new = Arc::new(CounterCell::default());
        let (one, other) = (new.clone(), new.clone());
        let last_owner = old.clone();
        let writer = thread::spawn(move || {
            set_current(0);
            old.add(5);
            drop(old);
            one.add(1);
        });
        let owner = thread::spawn(move || {
            drop(last_owner);
            // Takes the slot of the old counter if that was dropped, or else another one.
            other.take_slot();
            let seen = other.load().whole;
            assert!(seen <= 1, "{seen}");
        });
        writer.join().unwrap();
        owner.join().unwrap();
        assert_eq!(new.load().whole, 1);
    });
}

#[test]
fn an_operation_that_finishes_on_another_thread_is_never_seen_to_finish_before_it_starts() {
    check(|| {
        let cell = Arc::new(InFlightCell::with_slots());
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
        let cells = Arc::new([InFlightCell::with_slots(), InFlightCell::with_slots()]);
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
