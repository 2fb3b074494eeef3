//! Random metrics, as a library that misbehaves may record them.

use std::process::Command;

use fastrand::Rng;
use metrics::{Label, counter, describe_counter, describe_gauge, gauge, histogram};
use tachometer::bridge::MetricsRecorder;
use tachometer::{Metric, Registry};

use super::record_with;
use crate::support::compare_exports::check_all;
use crate::support::program;
use crate::support::read::sum;

const SEEDS: u64 = 40;
const TURNS: usize = 400;
/// What texts are made of.
const PIECES: [&str; 24] = [
    "a", "b", "_", "__", ":", ".", "-", " ", "\"", "\\", "\n", "{", "}", "=", ",", "#", "ü", "😱",
    "le", "quantile", "_total", "_count", "0", "\r",
];

fn text(random: &mut Rng, max: usize) -> String {
    let pieces = (0..random.usize(..=max)).map(|_| PIECES[random.usize(..PIECES.len())]);
    pieces.collect::<Vec<_>>().concat()
}

fn labels(random: &mut Rng) -> Vec<Label> {
    let labels = (0..random.usize(..4)).map(|_| Label::new(text(random, 2), text(random, 3)));
    labels.collect()
}

#[test]
fn random_names_labels_and_texts_are_exported_without_a_loss() {
    for seed in 0..SEEDS {
        let mut random = Rng::with_seed(seed);
        let mut registry = Registry::new();
        if seed % 3 == 1 {
            let constant = [("a", "1"), ("b_", "2")];
            registry = registry.with_labels(constant).unwrap();
        }
        if seed % 3 == 2 {
            registry = registry.with_prefix("lib_").unwrap();
        }
        let recorder = MetricsRecorder::new().registry(&registry);
        let recorder = recorder.label_limit(20).unit_suffixes(seed % 2 == 1);
        let names: Vec<_> = (0..12).map(|_| text(&mut random, 3)).collect();
        let mut calls = 0.0;
        record_with(&recorder, || {
            for _ in 0..TURNS {
                let name = names[random.usize(..names.len())].clone();
                let labels = labels(&mut random);
                let kind = random.usize(..5);
                match kind {
                    0 => counter!(name, labels).increment(1),
                    1 => gauge!(name, labels).increment(1.0),
                    2 => histogram!(name, labels).record(1.0),
                    3 => describe_counter!(name, metrics::Unit::Bytes, text(&mut random, 9)),
                    _ => describe_gauge!(name, metrics::Unit::Percent, text(&mut random, 9)),
                }
                calls += if kind < 3 { 1.0 } else { 0.0 };
            }
        });
        check_all(&registry);
        check_with_promtool(&registry);
        let source = [("collector", "metrics")];
        let refused = sum(&registry, "tachometer_series_refused_total", &source);
        let exported: f64 = registry.metrics().iter().map(Metric::value).sum();
        assert_eq!(exported + refused, calls, "{seed}");
        // Of the three kinds under one name, one is accepted.
        assert!(exported > calls / 6.0, "{seed}: {exported}");
    }
}

/// Checks the text of a registry with promtool, if it is installed. Its advice on names does not
/// matter.
fn check_with_promtool(registry: &Registry) {
    if !program::promtool() {
        return;
    }
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]);
    let output = program::output(&mut promtool, &registry.export_prometheus());
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_ne!(output.status.code(), Some(1), "{errors}");
}
