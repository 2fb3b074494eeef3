//! Models of the protocols of a family: creating, reading and removing series. See
//! `cell/loom_models.rs` for how to run them.

use loom::sync::Arc;
use loom::thread;

use crate::cell::loom_models::check;
use crate::metric::counter::Counter;
use crate::metric::family_info::FamilyInfo;
use crate::metric::label::Label;
use crate::metric::set::SeriesSet;
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
    set.get_or_create(
        [value],
        &Labels::value_offsets(set.info().constant_labels(), set.info().label_names()),
    )
    .inc();
}

/// Returns the labels and values of the visible series, read as a scrape does.
fn read(set: &Set) -> Vec<(String, u64)> {
    let mut next = 0;
    let Some(block) = set.block(&mut next) else {
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
    check(|| {
        let set = family(Label::unlimited("x"));
        inc(&set, "a");
        let (by_handle, by_name, removing) = (set.clone(), set.clone(), set.clone());
        let threads = [
            thread::spawn(move || {
                // Like a handle that the caller has kept.
                by_handle.iter().for_each(|series| series.cell().add(1));
            }),
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
