//! Compares metric crates: `cargo run --release` in this directory.
//!
//! All candidates of a comparison run in one process, in turn, so that a drift of the machine's
//! speed affects all of them. The result is the median of the rounds, and its ratio to the first
//! candidate.
//!
//! The arguments `memory`, `handles`, `labels` and `growth` select comparisons. Layers are compared
//! by a separate program, `--bin layers`, since the counting allocator of this one would slow them.

mod handles;
mod labels;
mod memory;

use labels::Pairs;
use tachometer_rivals::{Candidate, compare};

/// The default bucket bounds of tachometer.
const BOUNDS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
const STATUSES: [&str; 6] = ["200", "201", "302", "404", "500", "503"];
/// The number of cells for crates that have one per core.
const SHARDS: usize = 2;

fn main() {
    // The series of a comparison are busy from the start, and not only after two seconds.
    tachometer::testing::set_busy_rate(0);
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
            (18, Pairs::new(&["GET", "POST", "DELETE"], &STATUSES)),
            (300, Pairs::new(&routes(50), &STATUSES)),
            (6_000, Pairs::new(&routes(1_000), &STATUSES)),
        ] {
            let work = format!("counter inc by 2 string labels, {series} series");
            both(&work, || labels::counters(&pairs));
        }
        let pairs = Pairs::new(&["GET", "POST", "DELETE"], &STATUSES);
        let work = "histogram observe by 2 string labels, 18 series";
        both(work, || labels::histograms(&pairs));
    }
    if runs("growth") {
        for side in [10, 100, 1_000] {
            let pairs = Pairs::new(&routes(side), &routes(side));
            let work = format!("counter inc by 2 string labels, {} series", side * side);
            both(&work, || labels::counters(&pairs));
        }
    }
}

/// Runs a comparison on one thread and on two.
fn both(work: &str, candidates: impl Fn() -> Vec<Candidate>) {
    for threads in [1, 2] {
        compare(work, threads, &candidates());
    }
}

fn routes(number: usize) -> Vec<&'static str> {
    (0..number)
        .map(|route| &*format!("/api/items/{route}").leak())
        .collect()
}

/// Returns a different value within the bounds for each iteration.
fn value(iteration: u64) -> f64 {
    (iteration % 1_000) as f64 * 0.004
}
