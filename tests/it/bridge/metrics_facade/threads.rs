//! Many threads register, describe and record at the same time.

use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ScopedJoinHandle};

use metrics::{counter, describe_counter, gauge, histogram, with_local_recorder};
use tachometer::Registry;
use tachometer::bridge::MetricsRecorder;

use crate::support::compare_exports::check_all;
use crate::support::read::sum;

const THREADS: u64 = 64;
const TURNS: u64 = 300;

#[test]
fn sixty_four_threads_that_register_and_record_lose_nothing() {
    let registry = Registry::new();
    let recorder = MetricsRecorder::new().registry(&registry).label_limit(40);
    let start = Barrier::new(65);
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let workers = (0..THREADS).map(|thread| {
            let (recorder, start) = (&recorder, &start);
            scope.spawn(move || {
                start.wait();
                with_local_recorder(recorder, || work(thread));
            })
        });
        let workers: Vec<_> = workers.collect();
        let (registry, is_done, start) = (&registry, &is_done, &start);
        scope.spawn(move || {
            start.wait();
            while !is_done.load(Ordering::Relaxed) {
                let text = registry.export_prometheus();
                tachometer::testing::Exposition::parse(&text).unwrap();
            }
        });
        let results: Vec<_> = workers.into_iter().map(ScopedJoinHandle::join).collect();
        is_done.store(true, Ordering::Relaxed);
        results.into_iter().for_each(Result::unwrap);
    });
    let calls = THREADS * TURNS;
    for name in 0..5 {
        let name = format!("jobs_{name}");
        assert_eq!(sum(&registry, &name, &[]), (calls / 5) as f64, "{name}");
        assert_eq!(registry.get(&name).unwrap().help(), "Jobs.");
    }
    assert_eq!(sum(&registry, "by_user", &[]), calls as f64);
    assert_eq!(registry.get("by_user").unwrap().series(), 41);
    assert_eq!(sum(&registry, "depth", &[]), 0.0);
    assert_eq!(registry.get("seconds").unwrap().value(), 3.0 * calls as f64);
    assert_eq!(
        sum(&registry, "position", &[]),
        (THREADS * TURNS - 1) as f64
    );
    check_all(&registry);
}

fn work(thread: u64) {
    for turn in 0..TURNS {
        let name = format!("jobs_{}", turn % 5);
        if turn % 7 == thread % 7 {
            describe_counter!(name.clone(), "Jobs.");
        }
        let label = format!("{}", (thread + turn) % 30);
        match turn % 3 {
            0 => counter!(name, "queue" => label).increment(1),
            1 => counter!(name, "queue" => label, "result" => "ok").increment(1),
            _ => counter!(name).increment(1),
        }
        // Most values are over the limit.
        let user = if turn < 2 {
            turn
        } else {
            thread * TURNS + turn
        };
        counter!("by_user", "user" => user.to_string()).increment(1);
        let depth = gauge!("depth", "thread" => (thread % 4).to_string());
        depth.increment(2.0);
        depth.decrement(2.0);
        histogram!("seconds", "thread" => (thread % 4).to_string()).record(0.1);
        histogram!("seconds").record_many(0.2, 2);
        counter!("position").absolute(thread * TURNS + turn);
    }
}
