//! The race itself: lanes in turn, medians, ratios.

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

const ROUNDS: usize = 21;
/// How long one lane runs in one round, about.
const STINT: Duration = Duration::from_millis(20);

/// One way to do the work of a race; the closure does it once.
pub struct Lane {
    name: &'static str,
    /// Does the work so many times. The loop is in here, so that nothing is
    /// called through a pointer within it.
    run: Box<dyn Fn(u64) + Send + Sync>,
    /// What is done after each stint, in its own time.
    after: Box<dyn Fn()>,
}

impl Lane {
    pub fn new(name: &'static str, work: impl Fn(u64) + Send + Sync + 'static) -> Self {
        Self {
            name,
            run: Box::new(move |turns| (0..turns).for_each(&work)),
            after: Box::new(|| ()),
        }
    }

    /// Makes a lane that does the work so many times by itself, with something that
    /// each thread has for its own.
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

    /// Returns how long `threads` threads took for `turns` turns each.
    fn time(&self, threads: usize, turns: u64) -> Duration {
        let start = Barrier::new(threads);
        let run = &self.run;
        let stint = || {
            start.wait();
            let begun = Instant::now();
            run(turns);
            begun.elapsed()
        };
        let time = thread::scope(|scope| {
            let running: Vec<_> = (0..threads).map(|_| scope.spawn(stint)).collect();
            let times = running.into_iter().map(|one| one.join().expect("no panic"));
            times.max().unwrap_or_default()
        });
        (self.after)();
        time
    }

    /// Returns how many turns take about one stint.
    fn turns(&self, threads: usize) -> u64 {
        let mut turns = 1;
        while self.time(threads, turns) < STINT {
            turns *= 2;
        }
        turns
    }
}

/// Runs a race and prints each lane's median, in nanoseconds of wall time an
/// operation over all threads, and its ratio to the first lane.
pub fn race(name: &str, threads: usize, lanes: &[Lane]) {
    let turns: Vec<_> = lanes.iter().map(|lane| lane.turns(threads)).collect();
    let mut rounds = vec![Vec::with_capacity(ROUNDS); lanes.len()];
    for _ in 0..ROUNDS {
        for ((lane, &turns), times) in lanes.iter().zip(&turns).zip(&mut rounds) {
            let operations = turns as f64 * threads as f64;
            times.push(lane.time(threads, turns).as_nanos() as f64 / operations);
        }
    }
    println!("\n{name}, {threads} thread(s)\n");
    println!("| lane | ns an operation | ratio |\n| --- | --- | --- |");
    let medians: Vec<_> = rounds.iter_mut().map(|times| median(times)).collect();
    for (lane, time) in lanes.iter().zip(&medians) {
        println!("| {} | {time:.2} | {:.2} |", lane.name, time / medians[0]);
    }
}

fn median(times: &mut [f64]) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
