//! The names of labels, and what the cache of handles has.

use std::time::Duration;

use ::metrics::{Label, counter, with_local_recorder};

use super::*;
use crate::bridge::metrics_recorder::exported_labels::ExportedLabels;
use crate::metric::Names;
use crate::snapshot::Labels;

fn scrape(registry: &Registry) {
    let (reader, delivery) = registry.reader_for_delivery();
    reader.for_each(drop);
    delivery.complete();
}

#[test]
fn handles_to_expired_series_leave_the_cache_and_used_ones_stay() {
    let registry = Registry::new();
    let recorder = MetricsRecorder::new().registry(&registry);
    let recorder = recorder.expire_after(Duration::ZERO);
    let kept = with_local_recorder(&recorder, || {
        for user in 0..100 {
            counter!("c", "user" => user.to_string()).increment(1);
        }
        counter!("kept")
    });
    assert_eq!(recorder.counters.cached(), 101);
    for turn in 0..4 {
        kept.increment(1);
        scrape(&registry);
        let cached = recorder.counters.cached();
        // The first scrape sees the values, the second one lets the series expire.
        assert_eq!(cached, if turn < 2 { 101 } else { 1 }, "{turn}");
    }
    assert_eq!(registry.get("kept").unwrap().value(), 4.0);
}

#[test]
fn replaced_series_and_keys_without_a_bound_are_not_cached() {
    let registry = Registry::new();
    let recorder = MetricsRecorder::new().registry(&registry).label_limit(5);
    let label = |name: String, value: String| Label::new(name, value);
    with_local_recorder(&recorder, || {
        for turn in 0..1_000 {
            let turn = turn.to_string();
            // Over the limit.
            counter!("c", "user" => turn.clone()).increment(1);
            // Any number of keys with the same labels.
            let repeated = [
                label("a".into(), turn.clone()),
                label("a".into(), "1".into()),
            ];
            counter!("repeated", repeated.to_vec()).increment(1);
            let empty = [
                label(turn.clone(), String::new()),
                label("a".into(), "1".into()),
            ];
            counter!("empty", empty.to_vec()).increment(1);
            let same = [
                label("-".repeat(turn.len() + 2), "1".into()),
                label(turn, String::new()),
            ];
            counter!("same", same.to_vec()).increment(1);
        }
    });
    assert_eq!(recorder.counters.cached(), 5 + 32 + 32);
    for name in ["c", "repeated", "empty", "same"] {
        assert_eq!(registry.get(name).unwrap().value(), 1_000.0, "{name}");
    }
}

#[test]
fn exported_names_are_valid_and_differ_whatever_the_names_in_the_facade() {
    const PIECES: [&str; 10] = [
        "a",
        "_",
        "__",
        ".",
        "-",
        "le",
        "quantile",
        "exported_",
        "1",
        "ü",
    ];
    let constant = Labels::new([("a", "1"), ("exported_le", "1"), ("a.a", "1")]);
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..5_000 {
        let mut name = || {
            let pieces = (0..random.usize(..4)).map(|_| PIECES[random.usize(..10)]);
            pieces.collect::<Vec<_>>().concat()
        };
        let names = [(); 5].map(|()| name());
        let labels = names.each_ref().map(|name| Label::new(name.clone(), "x"));
        let key = Key::from_parts("m", labels.to_vec());
        let exported = ExportedLabels::new(&key, &constant);
        let exported = exported.pairs();
        let mut all: Vec<_> = exported.iter().map(|(name, _)| *name).collect();
        assert_eq!(Names::Classic.check_labels("m", &all), Ok(()), "{names:?}");
        assert!(all.is_sorted(), "{names:?}");
        all.extend(["a", "exported_le", "a.a"]);
        assert_eq!(Names::Utf8.check_labels("m", &all), Ok(()), "{names:?}");
        // Names that are fine stay.
        for name in &names {
            let is_fine = Names::Classic.check_labels("m", &[name]).is_ok();
            let is_constant = ["a", "exported_le", "a_a"].contains(&&**name);
            assert_eq!(
                all.contains(&&**name),
                is_fine && !is_constant || all[all.len() - 3..].contains(&&**name),
                "{name:?} of {names:?}"
            );
        }
    }
}
