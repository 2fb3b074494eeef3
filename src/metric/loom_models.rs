//! Models of the protocols of a family: creating, reading and removing series. See
//! `cell/loom_models.rs` for how to run them.

use loom::sync::Arc;
use loom::thread;

use crate::cell::loom_models::{check, check_with_preemptions};
use crate::metric::counter::Counter;
use crate::metric::family_info::FamilyInfo;
use crate::metric::handle::AsHandle;
use crate::metric::label::Label;
use crate::metric::set::{SeriesCursor, SeriesSet};
use crate::snapshot::{Desc, Kind, Labels, Values};

type Set = Arc<SeriesSet<Counter>>;

/// Creates a family with one label.
fn family(label: Label<'_>) -> Set {
    let desc = Desc::new("c", "", Kind::Counter);
    Arc::new(SeriesSet::new(
        FamilyInfo::new(desc, Labels::default(), &[label]),
        (),
    ))
}

fn inc(set: &Set, value: &str) {
    let offsets = Labels::value_offsets(set.info().constant_labels(), set.info().label_names());
    set.with_series([value], &offsets, Counter::inc);
}

fn inc_static(set: &Set, value: &'static str) {
    let offsets = Labels::value_offsets(set.info().constant_labels(), set.info().label_names());
    set.with_static_series([value], &offsets, Counter::inc);
}

/// Returns the labels and values of the visible series, read as a scrape does.
fn read(set: &Set) -> Vec<(String, u64)> {
    let Some(block) = set.block(&mut SeriesCursor::default()) else {
        return Vec::new();
    };
    let Values::Counter(counts) = block.values else {
        panic!("a family of counters");
    };
    let labels = block.labels.iter().map(|labels| labels.as_str().to_owned());
    labels.zip(counts.iter().map(|count| count.whole)).collect()
}

#[test]
fn two_threads_that_create_the_same_series_share_it() {
    check(|| {
        let set = family(Label::unlimited("x"));
        let threads = [1, 2].map(|_| {
            let set = set.clone();
            thread::spawn(move || inc(&set, "a"))
        });
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(read(&set), [("x=\"a\"".to_owned(), 2)]);
    });
}

#[test]
fn a_series_that_is_found_by_addresses_is_the_one_that_is_found_by_text() {
    // With three preemptions it takes a minute and passes.
    check_with_preemptions(2, || {
        let set = family(Label::unlimited("x"));
        let threads = [1, 2].map(|_| {
            let set = set.clone();
            thread::spawn(move || {
                inc_static(&set, "a");
                inc_static(&set, "a");
            })
        });
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(read(&set), [("x=\"a\"".to_owned(), 4)]);
    });
}

#[test]
fn a_scrape_sees_a_complete_new_series_or_none() {
    check(|| {
        let set = family(Label::unlimited("x"));
        let (write, scrape) = (set.clone(), set.clone());
        let writer = thread::spawn(move || {
            inc(&write, "a");
            inc(&write, "b");
        });
        let reader = thread::spawn(move || {
            let mut last = 0;
            for _ in 0..2 {
                let visible = read(&scrape);
                assert!(visible.len() >= last, "a series disappeared");
                last = visible.len();
                for ((labels, count), name) in visible.iter().zip(["a", "b"]) {
                    assert_eq!(*labels, format!("x=\"{name}\""));
                    assert!(*count <= 1);
                }
            }
        });
        writer.join().unwrap();
        reader.join().unwrap();
        assert_eq!(read(&set).len(), 2);
    });
}

#[test]
fn a_series_that_is_used_while_it_is_removed_loses_no_value() {
    check_with_preemptions(2, || {
        let set = family(Label::unlimited("x"));
        inc(&set, "a");
        let kept = set.find(&["a"]).unwrap();
        let (by_name, removing) = (set.clone(), set.clone());
        let threads = [
            thread::spawn(move || kept.inc()),
            thread::spawn(move || inc(&by_name, "a")),
            thread::spawn(move || {
                removing.remove(&["a"]);
            }),
        ];
        for thread in threads {
            thread.join().unwrap();
        }
        // Each increment was either counted or removed.
        let before = read(&set).first().map_or(0, |(_, count)| *count);
        assert!(before <= 3, "{before}");
        inc(&set, "a");
        assert_eq!(read(&set), [("x=\"a\"".to_owned(), before + 1)]);
    });
}

#[test]
fn threads_that_reach_the_limit_at_the_same_time_lose_nothing() {
    check(|| {
        let set = family(Label::open("x"));
        set.info().limits().set_limit(1);
        let threads = ["a", "b"].map(|value| {
            let set = set.clone();
            thread::spawn(move || inc(&set, value))
        });
        for thread in threads {
            thread.join().unwrap();
        }
        let visible = read(&set);
        assert_eq!(visible.len(), 2, "{visible:?}");
        assert!(
            visible.contains(&("x=\"_overflow\"".to_owned(), 1)),
            "{visible:?}"
        );
        assert_eq!(set.info().limits().overflow_count(), 1);
    });
}

#[test]
fn threads_that_reach_the_limit_with_the_same_value_share_its_series() {
    check(|| {
        let set = family(Label::open("x"));
        inc(&set, "_overflow");
        set.info().limits().set_limit(1);
        let threads = [1, 2].map(|_| {
            let set = set.clone();
            thread::spawn(move || inc(&set, "a"))
        });
        for thread in threads {
            thread.join().unwrap();
        }
        let expected = [("_overflow", 1), ("a", 2)];
        assert_eq!(read(&set), expected.map(|(x, n)| (format!("x=\"{x}\""), n)));
        assert_eq!(set.info().limits().overflow_count(), 0);
    });
}

/// Removes a series as long as nothing was recorded in it, so that no value is taken away.
fn remove_unused(set: &Set, value: &str) {
    if let Some(series) = set.find(&[value]) {
        series.handle().series().state.remove();
        set.retire_all([series]);
    }
}

/// Creates a family whose first list was replaced.
fn replaced_family(label: Label<'_>) -> Set {
    let set = family(label);
    inc(&set, "replaced");
    set.remove(&["replaced"]);
    assert!(set.is_replaced());
    set
}

/// Runs both at the same time, and returns the values afterwards.
fn run(set: &Set, threads: [fn(&Set); 2]) -> Vec<(String, u64)> {
    let threads = threads.map(|run| {
        let set = set.clone();
        thread::spawn(move || run(&set))
    });
    for thread in threads {
        thread.join().unwrap();
    }
    read(set)
}

#[test]
fn a_lookup_finds_a_series_while_the_list_is_replaced() {
    for create in [family, replaced_family] {
        check(move || {
            let set = create(Label::unlimited("x"));
            inc(&set, "a");
            inc(&set, "b");
            let visible = run(&set, [|set| inc(set, "a"), |set| remove_unused(set, "b")]);
            let a = ("x=\"a\"".to_owned(), 2);
            assert!(visible.contains(&a), "{visible:?}");
        });
    }
}

#[test]
fn a_value_that_is_recorded_in_a_retired_series_is_kept() {
    for create in [family, replaced_family] {
        check(move || {
            let set = create(Label::unlimited("x"));
            set.get_or_create(&["a"], &mut ["a"]);
            let visible = run(
                &set,
                [
                    |set| inc(set, "a"),
                    |set| {
                        remove_unused(set, "a");
                        read(set);
                    },
                ],
            );
            assert_eq!(visible, [("x=\"a\"".to_owned(), 1)]);
        });
    }
}

#[test]
fn a_series_that_is_created_while_it_is_retired_is_the_same() {
    for create in [family, replaced_family] {
        check_with_preemptions(2, move || {
            let set = create(Label::unlimited("x"));
            set.get_or_create(&["a"], &mut ["a"]);
            let visible = run(
                &set,
                [
                    |set| inc(set, "a"),
                    |set| {
                        remove_unused(set, "a");
                        inc(set, "a");
                    },
                ],
            );
            assert_eq!(visible, [("x=\"a\"".to_owned(), 2)]);
        });
    }
}

#[test]
fn the_part_of_the_limit_that_a_removal_frees_is_used_once() {
    check(|| {
        let set = family(Label::open("x"));
        set.get_or_create(&["a"], &mut ["a"]);
        set.info().limits().set_limit(1);
        let visible = run(
            &set,
            [
                |set| {
                    remove_unused(set, "a");
                    inc(set, "b");
                },
                |set| inc(set, "c"),
            ],
        );
        // "b" or "c" has the part of "a".
        let overflow = "x=\"_overflow\"";
        assert_eq!(visible.iter().map(|(_, count)| count).sum::<u64>(), 2);
        let admitted = visible.iter().filter(|(labels, _)| labels != overflow);
        assert_eq!(admitted.count(), 1, "{visible:?}");
    });
}
