//! Races metric crates against each other: `cargo run --release` in this folder.
//!
//! All lanes of a race run in one process and in turn, round after round, so
//! that a machine whose speed drifts treats them alike. The median of the rounds
//! is what counts, and its ratio to the first lane's.
//!
//! Names as arguments run those races alone: `memory`, `handles`, `labels`,
//! `growth`. Layers are raced in a program of their own, `--bin layers`, since the
//! allocator that counts bytes here would slow them.

mod handles;
mod labels;
mod memory;

use labels::Pairs;
use tachometer_rivals::{Lane, race};

/// The default bounds of tachometer's histograms.
const BOUNDS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
const STATUSES: [&str; 6] = ["200", "201", "302", "404", "500", "503"];
/// What crates that have a cell for each core are given.
const SHARDS: usize = 2;

fn main() {
    let asked: Vec<_> = std::env::args().skip(1).collect();
    let runs = |name: &str| asked.is_empty() || asked.iter().any(|asked| asked == name);
    if runs("memory") {
        memory::compare();
    }
    if runs("handles") {
        let work = "counter inc through a handle";
        both(work, handles::counters);
        let work = "histogram observe, 11 bounds, through a handle";
        both(work, handles::histograms);
    }
    if runs("labels") {
        for (series, pairs) in [
            (18, Pairs::of(&["GET", "POST", "DELETE"], &STATUSES)),
            (300, Pairs::of(&routes(50), &STATUSES)),
            (6_000, Pairs::of(&routes(1_000), &STATUSES)),
        ] {
            let work = format!("counter inc by 2 string labels, {series} series");
            both(&work, || labels::counters(&pairs));
        }
        let pairs = Pairs::of(&["GET", "POST", "DELETE"], &STATUSES);
        let work = "histogram observe by 2 string labels, 18 series";
        both(work, || labels::histograms(&pairs));
    }
    if runs("growth") {
        for side in [10, 100, 1_000] {
            let pairs = Pairs::of(&routes(side), &routes(side));
            let work = format!("counter inc by 2 string labels, {} series", side * side);
            both(&work, || labels::counters(&pairs));
        }
    }
}

/// Runs a race on one thread and on two.
fn both(work: &str, lanes: impl Fn() -> Vec<Lane>) {
    for threads in [1, 2] {
        race(work, threads, &lanes());
    }
}

fn routes(number: usize) -> Vec<&'static str> {
    (0..number)
        .map(|route| &*format!("/api/items/{route}").leak())
        .collect()
}

/// Returns a value within the bounds, another for each turn.
fn value(turn: u64) -> f64 {
    (turn % 1_000) as f64 * 0.004
}
