//! Sums at the receiver after failures, by temporality.

use std::collections::HashMap;
use std::time::Duration;

use fastrand::Rng;
use tachometer::Registry;
use tachometer::push::Temporality;
use tokio::runtime::Builder;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::sleep;

use super::receiver::Answer::{Accept, Hang, Partial, Reset, RetryAfter, Slow, Status};
use super::receiver::{Answer, Receiver};

const EXPORTS: u64 = 200;

/// An answer that says whether the request was accepted.
fn random_answer(random: &mut Rng) -> Answer {
    match random.u8(..12) {
        0 => Status(400),
        1 => Status(503),
        2 => RetryAfter(429, "7"),
        3 => RetryAfter(503, "100"),
        4 => Hang,
        5 => Reset { is_accepted: false },
        7 => Partial(1),
        8 => Slow(Duration::from_secs(5)),
        _ => Accept,
    }
}

/// What was recorded, and a registry that it was recorded in.
struct Truth {
    registry: Registry,
    jobs: HashMap<u8, u64>,
    observations: u64,
    sum: f64,
}

impl Truth {
    fn new() -> Self {
        let registry = Registry::new();
        registry
            .counter_family("jobs_total", "Jobs.", ["id"])
            .unwrap();
        registry.histogram("size", "Sizes.").unwrap();
        Self {
            registry,
            jobs: HashMap::new(),
            observations: 0,
            sum: 0.0,
        }
    }

    fn record(&mut self, random: &mut Rng) {
        let jobs = self
            .registry
            .counter_family("jobs_total", "", ["id"])
            .unwrap();
        let size = self.registry.histogram("size", "").unwrap();
        for _ in 0..random.u8(..10) {
            let id = random.u8(..20);
            jobs.with([&*id.to_string()]).inc();
            *self.jobs.entry(id).or_default() += 1;
            let value = f64::from(random.u8(..100));
            size.observe(value);
            self.sum += value;
            self.observations += 1;
        }
    }

    fn assert_equal(&self, receiver: &Receiver) {
        let jobs: u64 = self.jobs.values().sum();
        assert_eq!(receiver.total("jobs_total"), jobs as f64);
        assert_eq!(receiver.observations("size"), self.observations);
        assert_eq!(receiver.total("size"), self.sum);
    }
}

/// Exports by the timer while the receiver gives random answers, and then a last time.
async fn run(
    temporality: Temporality,
    seed: u64,
    mut answer: impl FnMut(&mut Rng) -> Answer,
) -> (Truth, Receiver) {
    let mut random = Rng::with_seed(seed);
    let mut truth = Truth::new();
    let receiver = Receiver::new((0..EXPORTS).map(|_| answer(&mut random)));
    let otlp = receiver.otlp(&truth.registry).temporality(temporality);
    let exporter = otlp.start().unwrap();
    while receiver.count() < usize::try_from(EXPORTS).unwrap() {
        truth.record(&mut random);
        sleep(Duration::from_secs(random.u64(1..40))).await;
    }
    truth.record(&mut random);
    assert_eq!(exporter.shutdown(Duration::from_secs(60)).await, Ok(()));
    (truth, receiver)
}

#[tokio::test(start_paused = true)]
async fn cumulative_sums_are_exact_after_any_failures() {
    for seed in 0..5 {
        let (truth, receiver) = run(Temporality::Cumulative, seed, random_answer).await;
        truth.assert_equal(&receiver);
        // Even if requests are accepted that get no response.
        let answer = |random: &mut Rng| match random_answer(random) {
            Reset { .. } => Reset { is_accepted: true },
            answer => answer,
        };
        let (truth, receiver) = run(Temporality::Cumulative, seed, answer).await;
        truth.assert_equal(&receiver);
    }
}

#[tokio::test(start_paused = true)]
async fn delta_sums_are_exact_after_any_failures() {
    for seed in 0..5 {
        let (truth, receiver) = run(Temporality::Delta, seed, random_answer).await;
        truth.assert_equal(&receiver);
    }
}

#[tokio::test(start_paused = true)]
async fn intervals_of_deltas_adjoin_and_none_is_left_out() {
    let (_, receiver) = run(Temporality::Delta, 9, random_answer).await;
    let mut ends = HashMap::new();
    let mut points = 0;
    for point in receiver.points("jobs_total") {
        assert!(point.start_nanos < point.time_nanos);
        if let Some(end) = ends.insert(point.attributes, point.time_nanos) {
            assert_eq!(point.start_nanos, end);
            points += 1;
        }
    }
    assert!(points > 100, "{points}");
}

/// The one case in which a delta is counted twice: a request that was accepted, and whose response
/// was lost.
#[tokio::test(start_paused = true)]
async fn a_delta_whose_response_is_lost_counts_twice() {
    let registry = Registry::new();
    let jobs = registry.counter("jobs_total", "Jobs.").unwrap();
    let lost = || Reset { is_accepted: true };
    for (temporality, total) in [(Temporality::Cumulative, 5.0), (Temporality::Delta, 10.0)] {
        jobs.reset();
        let receiver = Receiver::new([lost()]);
        let otlp = receiver.otlp(&registry).temporality(temporality);
        let exporter = otlp.interval(Duration::MAX).start().unwrap();
        jobs.inc_by(5);
        assert_eq!(exporter.flush().await, Ok(()));
        assert_eq!(receiver.count(), 2);
        assert_eq!(receiver.total("jobs_total"), total);
    }
}

/// Threads record while others flush.
#[test]
fn sums_are_exact_while_threads_record() {
    const THREADS: u32 = 4;
    const JOBS: u32 = 20_000;
    for temporality in [Temporality::Cumulative, Temporality::Delta] {
        let registry = Registry::new();
        let jobs = registry.counter("jobs_total", "Jobs.").unwrap();
        let size = registry.histogram("size", "Sizes.").unwrap();
        let receiver = Receiver::default();
        let runtime = Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let otlp = receiver.otlp(&registry).temporality(temporality);
            let exporter = otlp.interval(Duration::from_millis(3)).start().unwrap();
            let record = || {
                let (jobs, size) = (jobs.clone(), size.clone());
                move || {
                    for value in 0..JOBS {
                        jobs.inc();
                        size.observe(f64::from(value % 100));
                    }
                }
            };
            let threads: Vec<_> = (0..THREADS).map(|_| spawn_blocking(record())).collect();
            while !threads.iter().all(JoinHandle::is_finished) {
                assert_eq!(exporter.flush().await, Ok(()));
            }
            assert_eq!(exporter.shutdown(Duration::from_secs(60)).await, Ok(()));
        });
        let total = THREADS * JOBS;
        assert_eq!(receiver.total("jobs_total"), f64::from(total));
        assert_eq!(receiver.observations("size"), u64::from(total));
        assert_eq!(receiver.total("size"), f64::from(total) * 49.5);
    }
}
