//! Promise 9: the memory of a series depends on how often it is recorded, not on the number of
//! threads, nor on how many threads there ever were.
//!
//! A separate test program, since the allocator counts for the whole process, and since the rate
//! of busy series belongs to the process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::alloc::System;
use std::sync::{Barrier, Mutex, PoisonError};
use std::thread;

use cap::Cap;
use tachometer::testing::set_busy_rate;
use tachometer::{Buckets, Counter, Family, Histogram, Registry};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);
/// One test at a time, since each counts what all of them allocate.
static ALONE: Mutex<()> = Mutex::new(());

const PAIRS: usize = 500;
const BOUNDS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

/// A counter and a histogram for each of [`PAIRS`] label values.
struct Pairs {
    counters: Family<Counter, 3>,
    histograms: Family<Histogram, 3>,
    tenants: Vec<String>,
}

impl Pairs {
    fn new(registry: &Registry, buckets: Buckets) -> Self {
        let labels = ["method", "tenant", "status"];
        let counters = registry.counter_family("requests_total", "", labels);
        let histograms =
            registry.histogram_family_with_buckets("request_seconds", "", labels, buckets);
        Self {
            counters: counters.unwrap(),
            histograms: histograms.unwrap(),
            tenants: (0..PAIRS)
                .map(|tenant| format!("tenant-{tenant}"))
                .collect(),
        }
    }

    /// Records in each pair, in values over one decade.
    fn record(&self, times: u32) {
        for turn in 0..times {
            for tenant in &self.tenants {
                let values = ["GET", tenant, "200"];
                self.counters.with_ref(values, Counter::inc);
                let value = 0.01 * 1.1_f64.powi(i32::try_from(turn % 24).unwrap());
                self.histograms
                    .with_ref(values, |seconds| seconds.observe(value));
            }
        }
    }

    /// Asserts that every pair was recorded in this often.
    fn assert_counts(&self, count: u32) {
        for tenant in &self.tenants {
            let values = ["GET", tenant, "200"];
            assert_eq!(self.counters.with(values).get(), f64::from(count));
            let stats = self.histograms.with(values).stats();
            assert_eq!(stats.count, u64::from(count));
        }
    }
}

/// Returns the live bytes for each pair after this many threads at once have recorded in all
/// pairs.
fn bytes_of_a_pair(threads: u32, times: u32, buckets: Buckets) -> usize {
    let registry = Registry::new();
    let before = ALLOCATOR.allocated();
    let pairs = Pairs::new(&registry, buckets);
    let end = Barrier::new(usize::try_from(threads).unwrap());
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                pairs.record(times);
                // All threads exist at the same time, so each has a number of its own.
                end.wait();
            });
        }
    });
    let bytes = ALLOCATOR.allocated() - before;
    pairs.assert_counts(threads * times);
    bytes / PAIRS
}

fn buckets() -> Buckets {
    Buckets::new(&BOUNDS).unwrap()
}

#[test]
fn a_series_that_is_recorded_rarely_takes_the_same_memory_with_64_threads_as_with_one() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    set_busy_rate(50_000);
    for buckets in [buckets(), buckets().native()] {
        let one = bytes_of_a_pair(1, 24, buckets.clone());
        let many = bytes_of_a_pair(64, 24, buckets);
        assert!(many <= one + one / 20, "{one} bytes became {many}");
    }
}

#[test]
fn a_busy_series_takes_a_bounded_memory_with_64_threads() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for (buckets, most) in [(buckets(), 2_500), (buckets().native(), 6_000)] {
        set_busy_rate(50_000);
        let cold = bytes_of_a_pair(1, 24, buckets.clone());
        set_busy_rate(0);
        // About twelve samples for each series, so practically all of them become busy.
        let hot = bytes_of_a_pair(64, 2 * 24, buckets);
        assert!(
            hot > cold + most / 2,
            "the series are not busy: {hot} bytes"
        );
        assert!(hot <= cold + most, "{cold} bytes became {hot}");
    }
}

/// Promise 2: a record of a busy series allocates once for each thread and page.
#[test]
fn a_busy_series_allocates_once_for_each_thread_and_then_never_again() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    set_busy_rate(0);
    let registry = Registry::new();
    let counter = registry.counter("jobs_total", "").unwrap();
    let seconds = registry.histogram("job_seconds", "").unwrap();
    let record = |times: u32| {
        let before = ALLOCATOR.total_allocated();
        for _ in 0..times {
            counter.inc();
            seconds.observe(0.5);
        }
        ALLOCATOR.total_allocated() - before
    };
    // The least of several measurements, since the threads of the test harness allocate too.
    let least = || (0..5).map(|_| record(20_000)).min();
    // Both become busy.
    record(5_000);
    assert_eq!(least(), Some(0));
    thread::scope(|scope| {
        let thread = scope.spawn(|| {
            // The lease of a number, and the words of at most two pages.
            let first = record(1);
            assert!((4_096..12_288).contains(&first), "{first} bytes");
            assert_eq!(least(), Some(0));
        });
        thread.join().unwrap();
    });
}

#[test]
fn a_hundred_thousand_short_lived_threads_lose_nothing_and_take_no_memory() {
    const WAVES: u32 = 400;
    const WAVE: u32 = 250;

    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    set_busy_rate(0);
    let registry = Registry::new();
    let counter = registry.counter("jobs_total", "").unwrap();
    let seconds = registry.histogram("job_seconds", "").unwrap();
    let mut live = Vec::new();
    for wave in 1..=WAVES {
        thread::scope(|scope| {
            for _ in 0..WAVE {
                scope.spawn(|| {
                    for _ in 0..4 {
                        counter.inc();
                        seconds.observe(0.5);
                    }
                });
            }
        });
        if wave % 100 == 0 {
            live.push(ALLOCATOR.allocated());
        }
    }
    let expected = f64::from(WAVES * WAVE * 4);
    assert_eq!(counter.get(), expected);
    let stats = seconds.stats();
    assert_eq!(stats.count, u64::from(WAVES * WAVE * 4));
    assert_eq!(stats.sum, expected / 2.0);
    assert!(live[3] <= live[0] + 16_384, "{live:?}");
}

#[test]
fn runtimes_that_come_and_go_lose_nothing() {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    set_busy_rate(0);
    let registry = Registry::new();
    let counter = registry.counter("jobs_total", "").unwrap();
    let mut live = Vec::new();
    for runtime in 1..=60 {
        let workers = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(4)
            .build()
            .unwrap();
        workers.block_on(async {
            let tasks = (0..40).map(|_| {
                let counter = counter.clone();
                tokio::spawn(async move {
                    for _ in 0..50 {
                        counter.inc();
                        tokio::task::yield_now().await;
                    }
                })
            });
            for task in tasks.collect::<Vec<_>>() {
                task.await.unwrap();
            }
        });
        drop(workers);
        assert_eq!(counter.get(), f64::from(runtime * 40 * 50));
        live.push(ALLOCATOR.allocated());
    }
    assert!(live[59] <= live[19] + 65_536, "{live:?}");
}
