//! Many threads at once: no count is lost, and every scrape is consistent.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tachometer::snapshot::Values;
use tachometer::testing::set_busy_rate;
use tachometer::{Label, Registry};

use crate::support::read::{series, sum, to_f64};

const THREADS: u32 = 8;

#[test]
fn increments_from_many_threads_add_up() {
    set_busy_rate(0);
    let registry = Registry::new();
    let counter = registry.counter("concurrent_counter", "").unwrap();
    let gauge = registry.gauge("concurrent_gauge", "").unwrap();
    let histogram = registry.histogram("concurrent_histogram", "").unwrap();
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                for turn in 0..10_000 {
                    counter.inc();
                    counter.inc_by(0.5);
                    gauge.inc_by(2);
                    gauge.dec();
                    histogram.observe(f64::from(turn % 16));
                }
            });
        }
    });
    let turns = f64::from(THREADS * 10_000);
    assert_eq!(counter.get(), turns * 1.5);
    assert_eq!(gauge.get(), turns);
    let stats = histogram.stats();
    assert_eq!(to_f64(stats.count), turns);
    assert_eq!((stats.sum, stats.min, stats.max), (turns * 7.5, 0.0, 15.0));
}

#[test]
fn threads_that_make_the_same_metrics_and_series_at_once_share_them() {
    let registry = Registry::new();
    let go = std::sync::Barrier::new(THREADS as usize);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                go.wait();
                for name in 0..50 {
                    let name = format!("metric_{name}");
                    let family = registry.counter_family(&name, "", ["x", "y"]).unwrap();
                    for value in 0..40 {
                        family.with([&value.to_string(), "y"]).inc();
                    }
                }
            });
        }
    });
    assert_eq!(registry.metrics().len(), 50);
    assert_eq!(series(&registry), 50 * 40);
    for metric in registry.metrics() {
        assert_eq!(metric.value(), f64::from(THREADS * 40));
    }
}

#[test]
fn a_scrape_is_consistent_while_series_are_added() {
    let registry = Registry::new();
    let label = Label::unlimited("n");
    let family = registry.histogram_family("h", "", [label]).unwrap();
    let adding = AtomicBool::new(true);
    thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 0..3_000 {
                family.with([&number.to_string()]).observe(0.25);
                family.with(["0"]).observe(0.25);
            }
            adding.store(false, Ordering::Relaxed);
        });
        let mut last = 0;
        while adding.load(Ordering::Relaxed) {
            let mut seen = 0;
            for block in registry.gather() {
                let Values::Histogram(histograms) = &block.values else {
                    // Self-metrics of the registry.
                    continue;
                };
                assert_eq!(histograms.iter().count(), block.labels.len());
                for histogram in histograms.iter() {
                    let buckets: Vec<_> = histogram.cumulative().map(|(_, n)| n).collect();
                    assert!(buckets.is_sorted());
                    assert_eq!(buckets.last(), Some(&histogram.count()));
                    seen += 1;
                }
            }
            assert!(seen >= last, "series went away: {seen} after {last}");
            last = seen;
        }
        writer.join().unwrap();
    });
    assert_eq!(sum(&registry, "h", &[]), 6_000.0);
}

#[test]
fn a_metric_used_during_thread_teardown_counts() {
    struct Last(tachometer::Counter, tachometer::Histogram);

    impl Drop for Last {
        fn drop(&mut self) {
            self.0.inc();
            self.1.observe(0.5);
        }
    }

    thread_local! {
        static LAST: std::cell::RefCell<Option<Last>> = const { std::cell::RefCell::new(None) };
    }

    set_busy_rate(0);
    let registry = Registry::new();
    let counter = registry.counter("c", "").unwrap();
    let histogram = registry.histogram("h", "").unwrap();
    for before in [0, 10_000] {
        counter.reset();
        histogram.reset();
        for _ in 0..10 {
            let (counter, histogram) = (counter.clone(), histogram.clone());
            thread::spawn(move || {
                let used = || {
                    for _ in 0..before {
                        counter.inc();
                        histogram.observe(0.5);
                    }
                };
                // So that either is torn down first: this, or the thread's lease.
                used();
                let last = Last(counter.clone(), histogram.clone());
                LAST.with(|slot| *slot.borrow_mut() = Some(last));
                used();
            })
            .join()
            .unwrap();
        }
        let expected = f64::from(10 * (2 * before + 1));
        assert_eq!(counter.get(), expected);
        assert_eq!(to_f64(histogram.stats().count), expected);
        assert_eq!(histogram.stats().sum, expected / 2.0);
    }
}

#[test]
fn more_threads_than_shards_lose_nothing() {
    set_busy_rate(0);
    let registry = Registry::new();
    let counter = registry.counter("c", "").unwrap();
    let histogram = registry.histogram("h", "").unwrap();
    let mut threads = 0;
    for at_once in [1, 64, 3, 64] {
        thread::scope(|scope| {
            for _ in 0..at_once {
                threads += 1;
                scope.spawn(|| {
                    for turn in 0..2_000 {
                        counter.inc();
                        histogram.observe(f64::from(turn % 8));
                    }
                });
            }
        });
        let expected = f64::from(threads * 2_000);
        assert_eq!(counter.get(), expected);
        assert_eq!(to_f64(histogram.stats().count), expected);
        assert_eq!(histogram.stats().sum, expected * 3.5);
    }
}

/// All threads keep their numbers until the last one has recorded, so most of them share shards.
#[test]
fn hundreds_of_threads_at_once_lose_nothing_before_or_after_a_reset() {
    const MANY: u32 = 256;
    const TURNS: u32 = 500;

    set_busy_rate(0);
    let registry = Registry::new();
    let counter = registry.counter("c", "").unwrap();
    let gauge = registry.gauge("g", "").unwrap();
    let histogram = registry.histogram("h", "").unwrap();
    let family = registry.counter_family("f", "", ["n"]).unwrap();
    let go = std::sync::Barrier::new(MANY as usize);
    for _ in 0..2 {
        thread::scope(|scope| {
            for thread in 0..MANY {
                let (counter, gauge, histogram) = (&counter, &gauge, &histogram);
                let (family, go) = (&family, &go);
                scope.spawn(move || {
                    go.wait();
                    for turn in 0..TURNS {
                        counter.inc();
                        counter.inc_by(0.5);
                        gauge.inc_by(3);
                        gauge.dec_by(1.5);
                        histogram.observe(f64::from(turn % 4) + 0.5);
                        family.with([&(thread % 8).to_string()]).inc_by(0.25);
                    }
                    go.wait();
                });
            }
        });
        let turns = f64::from(MANY * TURNS);
        assert_eq!(counter.get(), turns * 1.5);
        assert_eq!(gauge.get(), turns * 1.5);
        let stats = histogram.stats();
        assert_eq!(to_f64(stats.count), turns);
        assert_eq!((stats.sum, stats.min, stats.max), (turns * 2.0, 0.5, 3.5));
        assert_eq!(sum(&registry, "f", &[]), turns / 4.0);
        assert_eq!(sum(&registry, "f", &[("n", "7")]), turns / 32.0);

        registry.reset_all();
        assert_eq!((counter.get(), gauge.get()), (0.0, 0.0));
        assert_eq!((histogram.stats().count, histogram.stats().sum), (0, 0.0));
        assert_eq!(sum(&registry, "f", &[]), 0.0);
    }
}
