//! Runs the candidates of a comparison in turn, and prints medians and ratios.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

const ROUNDS: usize = 21;
/// About how long one candidate runs per round.
const STINT: Duration = Duration::from_millis(20);

/// One way to do the work of a comparison.
pub struct Candidate {
    name: &'static str,
    /// Does the work a number of times. The loop is inside, so that it contains no call through a
    /// pointer.
    run: Box<dyn Fn(u64) + Send + Sync>,
    /// Runs after each round, without being timed.
    after: Box<dyn Fn()>,
}

impl Candidate {
    pub fn new(name: &'static str, work: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self {
            name,
            run: Box::new(move |iterations| (0..iterations).for_each(&work)),
            after: Box::new(|| ()),
        }
    }

    /// Creates a candidate whose closure contains the loop, with state per thread.
    pub fn looped(name: &'static str, run: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self {
            name,
            run: Box::new(run),
            after: Box::new(|| ()),
        }
    }

    pub fn after(self, after: impl Fn() + 'static) -> Self {
        let after = Box::new(after);
        Self { after, ..self }
    }

    /// Returns the time that `threads` threads take for `iterations` iterations each.
    fn time(&self, threads: usize, iterations: u64) -> Duration {
        let start = Barrier::new(threads);
        let run = &self.run;
        let cores = core_affinity::get_core_ids().unwrap_or_default();
        let cores = &cores;
        let stint = |thread: usize| {
            // Each thread has its own processor. Otherwise two may run on one at times.
            if let Some(core) = cores.get(thread) {
                core_affinity::set_for_current(*core);
            }
            start.wait();
            let begun = Instant::now();
            run(iterations);
            begun.elapsed()
        };
        let time = thread::scope(|scope| {
            let stint = &stint;
            let running = (0..threads).map(|thread| scope.spawn(move || stint(thread)));
            let running: Vec<_> = running.collect();
            let times = running.into_iter().map(|one| one.join().expect("no panic"));
            times.max().unwrap_or_default()
        });
        (self.after)();
        time
    }

    /// Returns the number of iterations that fill about one round.
    fn iterations(&self, threads: usize) -> u64 {
        let mut iterations = 1;
        while self.time(threads, iterations) < STINT {
            iterations *= 2;
        }
        iterations
    }
}

/// Runs a comparison, and prints the median of each candidate, in nanoseconds of wall time per
/// operation over all threads, and its ratio to the first candidate.
pub fn compare(name: &str, threads: usize, candidates: &[Candidate]) {
    let iterations: Vec<_> = candidates
        .iter()
        .map(|candidate| candidate.iterations(threads))
        .collect();
    let mut rounds = vec![Vec::with_capacity(ROUNDS); candidates.len()];
    for _ in 0..ROUNDS {
        for ((candidate, &iterations), times) in candidates.iter().zip(&iterations).zip(&mut rounds)
        {
            let operations = iterations as f64 * threads as f64;
            times.push(candidate.time(threads, iterations).as_nanos() as f64 / operations);
        }
    }
    println!("\n{name}, {threads} thread(s)\n");
    println!("| candidate | ns an operation | ratio |\n| --- | --- | --- |");
    let medians: Vec<_> = rounds.iter_mut().map(|times| median(times)).collect();
    for (candidate, time) in candidates.iter().zip(&medians) {
        println!(
            "| {} | {time:.2} | {:.2} |",
            candidate.name,
            time / medians[0]
        );
    }
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
