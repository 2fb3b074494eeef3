//! Flushes and shutdowns, on runtimes of both kinds.

use std::pin::pin;
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tachometer::push::{Otlp, OtlpExporter};
use tachometer::{Counter, Registry};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, sleep};

use super::receiver::Answer::{Hang, RetryAfter, Slow, Status};
use super::receiver::Receiver;
use crate::support::wait::until;

const SECOND: Duration = Duration::from_secs(1);

fn registry() -> (Registry, Counter) {
    let registry = Registry::new();
    let jobs = registry.counter("jobs_total", "Jobs.").unwrap();
    (registry, jobs)
}

/// Waits until the first export by the timer has sent its request.
async fn first_request(receiver: &Receiver) {
    while receiver.count() == 0 {
        sleep(SECOND / 10).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_flush_exports_everything_that_was_recorded_before_it() {
    let (registry, jobs) = registry();
    let receiver = Receiver::always(Slow(SECOND));
    let exporter = receiver
        .otlp(&registry)
        .interval(Duration::MAX)
        .start()
        .unwrap();
    for total in 1..=5 {
        jobs.inc();
        assert_eq!(exporter.flush().await, Ok(()));
        assert_eq!(receiver.total("jobs_total"), f64::from(total));
    }
}

#[tokio::test(start_paused = true)]
async fn flushes_at_the_same_time_are_one_export_after_the_other() {
    let (registry, jobs) = registry();
    let receiver = Receiver::always(Slow(SECOND));
    let exporter = receiver
        .otlp(&registry)
        .interval(Duration::MAX)
        .start()
        .unwrap();
    let flush = |delay: u32, receiver: Receiver, exporter: OtlpExporter, jobs: Counter| async move {
        sleep(delay * SECOND / 2).await;
        jobs.inc();
        let total = jobs.get();
        assert_eq!(exporter.flush().await, Ok(()));
        assert!(receiver.total("jobs_total") >= total);
    };
    let tasks: Vec<_> = (0..100)
        .map(|i| flush(i % 3, receiver.clone(), exporter.clone(), jobs.clone()))
        .map(tokio::spawn)
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    // At 0 s, at 1 s for those of 0.5 s, and at 2 s for those of 1 s.
    let requests = receiver.requests();
    let pairs = requests.windows(2);
    let times: Vec<_> = pairs.map(|pair| pair[1].at - pair[0].at).collect();
    assert!(times.len() <= 2, "{times:?}");
    assert!(times.iter().all(|time| *time >= SECOND), "{times:?}");
}

#[tokio::test(start_paused = true)]
async fn a_flush_whose_future_is_dropped_is_exported() {
    let (registry, jobs) = registry();
    let receiver = Receiver::always(Slow(SECOND));
    let exporter = receiver
        .otlp(&registry)
        .interval(Duration::MAX)
        .start()
        .unwrap();
    jobs.inc();
    assert!(
        tokio::time::timeout(SECOND / 2, exporter.flush())
            .await
            .is_err()
    );
    sleep(SECOND).await;
    assert_eq!(receiver.total("jobs_total"), 1.0);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_exports_a_last_time_and_ends_the_exporter() {
    let (registry, jobs) = registry();
    let receiver = Receiver::always(Slow(SECOND));
    let exporter = receiver.otlp(&registry).start().unwrap();
    jobs.inc();
    let clone = exporter.clone();
    let both = tokio::spawn(async move { clone.shutdown(10 * SECOND).await });
    assert_eq!(exporter.shutdown(10 * SECOND).await, Ok(()));
    assert_eq!(both.await.unwrap(), Ok(()));
    assert_eq!(receiver.total("jobs_total"), 1.0);
    let requests = receiver.count();
    // A second one returns the result of the first. Then nothing is exported.
    jobs.inc();
    assert_eq!(exporter.shutdown(SECOND).await, Ok(()));
    let error = exporter.flush().await.unwrap_err();
    assert!(
        error.is_failed_push() && error.to_string().contains("was shut down"),
        "{error}"
    );
    sleep(1_000 * SECOND).await;
    assert_eq!(receiver.count(), requests);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_retries_until_its_deadline() {
    let (registry, jobs) = registry();
    jobs.inc();
    let receiver = Receiver::new([Status(503), Status(503), Hang]);
    let exporter = receiver
        .otlp(&registry)
        .interval(Duration::MAX)
        .start()
        .unwrap();
    let start = Instant::now();
    assert_eq!(exporter.shutdown(60 * SECOND).await, Ok(()));
    assert!(start.elapsed() >= 10 * SECOND, "{:?}", start.elapsed());
    assert_eq!((receiver.count(), receiver.total("jobs_total")), (4, 1.0));

    for answer in [Hang, Status(503), RetryAfter(503, "1")] {
        let receiver = Receiver::always(answer);
        let exporter = receiver
            .otlp(&registry)
            .interval(Duration::MAX)
            .start()
            .unwrap();
        let start = Instant::now();
        let error = exporter.shutdown(5 * SECOND).await.unwrap_err();
        assert!(start.elapsed() <= 5 * SECOND, "{:?}", start.elapsed());
        assert_eq!(exporter.shutdown(SECOND).await, Err(error));
    }
    let receiver = Receiver::default();
    let exporter = receiver.otlp(&registry).start().unwrap();
    assert!(exporter.shutdown(Duration::ZERO).await.is_err());
    let exporter = receiver.otlp(&registry).start().unwrap();
    assert_eq!(exporter.shutdown(Duration::MAX).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_ends_an_export_that_waits() {
    let (registry, jobs) = registry();
    // The delay of a retry.
    let receiver = Receiver::new([RetryAfter(503, "20")]);
    let exporter = receiver.otlp(&registry).start().unwrap();
    first_request(&receiver).await;
    jobs.inc();
    let start = Instant::now();
    assert_eq!(exporter.shutdown(5 * SECOND).await, Ok(()));
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(receiver.total("jobs_total"), 1.0);

    // A request without a response, after half of the time.
    let receiver = Receiver::new([Hang]);
    let exporter = receiver.otlp(&registry).start().unwrap();
    first_request(&receiver).await;
    let start = Instant::now();
    assert_eq!(exporter.shutdown(4 * SECOND).await, Ok(()));
    assert_eq!(start.elapsed(), 2 * SECOND);
    assert_eq!(receiver.total("jobs_total"), 1.0);

    // A flush that is retried. It gets the result of the last export.
    let receiver = Receiver::new([RetryAfter(503, "20")]);
    let exporter = receiver
        .otlp(&registry)
        .interval(Duration::MAX)
        .start()
        .unwrap();
    let clone = exporter.clone();
    let flush = tokio::spawn(async move { clone.flush().await });
    first_request(&receiver).await;
    assert_eq!(exporter.shutdown(4 * SECOND).await, Ok(()));
    assert_eq!(flush.await.unwrap(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn the_last_handle_ends_the_exporter_without_an_export() {
    let (registry, jobs) = registry();
    let receiver = Receiver::default();
    let exporter = receiver
        .otlp(&registry)
        .interval(Duration::MAX)
        .start()
        .unwrap();
    let clone = exporter.clone();
    jobs.inc();
    drop(exporter);
    assert_eq!(clone.flush().await, Ok(()));
    jobs.inc();
    drop(clone);
    sleep(SECOND).await;
    assert_eq!(receiver.total("jobs_total"), 1.0);
    // In the middle of an export.
    let receiver = Receiver::always(RetryAfter(503, "1"));
    let exporter = receiver.otlp(&registry).start().unwrap();
    first_request(&receiver).await;
    drop(exporter);
    sleep(100 * SECOND).await;
    assert_eq!(receiver.count(), 1);
}

fn runtimes() -> [Runtime; 2] {
    [Builder::new_current_thread(), Builder::new_multi_thread()]
        .map(|mut builder| builder.enable_all().build().unwrap())
}

/// A collector that waits for the tasks of the runtime.
#[test]
fn flush_and_shutdown_block_no_thread_of_the_runtime() {
    for runtime in runtimes() {
        let (registry, jobs) = registry();
        let (go, gone) = mpsc::channel();
        let gone = Arc::new(Mutex::new(gone));
        let waits = move || {
            let _ = gone.lock().unwrap().recv();
            1.0
        };
        registry.gauge_fn("slow", "Slow.", waits).unwrap();
        let receiver = Receiver::default();
        runtime.block_on(async {
            let otlp = receiver.otlp(&registry).interval(Duration::MAX);
            let exporter = otlp.start().unwrap();
            jobs.inc();
            let clone = exporter.clone();
            let flush = tokio::spawn(async move { clone.flush().await });
            // The runtime goes on meanwhile.
            tokio::spawn(async move { go.send(()).unwrap() });
            assert_eq!(flush.await.unwrap(), Ok(()));
            assert_eq!(receiver.total("jobs_total"), 1.0);
            jobs.inc();
            // The collector now returns at once.
            assert_eq!(exporter.shutdown(10 * SECOND).await, Ok(()));
            assert_eq!(receiver.total("jobs_total"), 2.0);
        });
    }
}

#[test]
fn a_flush_can_be_awaited_outside_of_the_runtime_of_the_exporter() {
    let [waiting, multi_thread] = runtimes();
    let (registry, jobs) = registry();
    let receiver = Receiver::default();
    let exporter = multi_thread.block_on(async { receiver.otlp(&registry).start().unwrap() });
    jobs.inc();
    assert_eq!(waiting.block_on(exporter.flush()), Ok(()));
    assert_eq!(waiting.block_on(exporter.shutdown(10 * SECOND)), Ok(()));
    assert_eq!(receiver.total("jobs_total"), 1.0);
}

#[test]
fn calls_after_the_runtime_has_shut_down_are_errors() {
    for runtime in runtimes() {
        let (registry, _) = registry();
        let exporter =
            runtime.block_on(async { Receiver::default().otlp(&registry).start().unwrap() });
        drop(runtime);
        let [waiting, _] = runtimes();
        for result in [
            waiting.block_on(exporter.flush()),
            waiting.block_on(exporter.shutdown(SECOND)),
        ] {
            let error = result.unwrap_err();
            assert!(error.is_failed_push());
            assert!(
                error.to_string().contains("`OtlpExporter::shutdown`"),
                "{error}"
            );
        }
    }
}

/// A collector that needs longer than an export may take delays the next one, and is not run twice
/// at a time.
#[tokio::test]
async fn an_export_ends_while_a_collector_runs() {
    let (registry, jobs) = registry();
    let (go, gone) = mpsc::channel::<()>();
    let gone = Arc::new(Mutex::new(gone));
    let waits = move || {
        let _ = gone.try_lock().expect("one at a time").recv();
        1.0
    };
    registry.gauge_fn("slow", "Slow.", waits).unwrap();
    let receiver = Receiver::default();
    let otlp = receiver.otlp(&registry).interval(Duration::MAX);
    let exporter = otlp
        .export_timeout(Duration::from_millis(1))
        .start()
        .unwrap();
    for _ in 0..3 {
        let error = exporter.flush().await.unwrap_err();
        assert!(
            error.to_string().contains("the time limit was over"),
            "{error}"
        );
    }
    assert_eq!(receiver.count(), 0);
    jobs.inc();
    drop(go);
    assert_eq!(exporter.shutdown(60 * SECOND).await, Ok(()));
    assert_eq!(receiver.total("jobs_total"), 1.0);
}

#[test]
fn an_exporter_that_is_disabled_needs_no_runtime_and_returns_at_once() {
    let exporter = Otlp::new()
        .endpoint("not valid")
        .enabled(false)
        .start()
        .unwrap();
    let mut context = Context::from_waker(Waker::noop());
    assert_eq!(
        pin!(exporter.flush()).poll(&mut context),
        Poll::Ready(Ok(()))
    );
    let shutdown = pin!(exporter.shutdown(SECOND)).poll(&mut context);
    assert_eq!(shutdown, Poll::Ready(Ok(())));
}

/// The timer exports without a call.
#[test]
fn the_timer_exports_on_both_kinds_of_runtimes() {
    for runtime in runtimes() {
        let (registry, jobs) = registry();
        jobs.inc();
        let receiver = Receiver::default();
        runtime.block_on(async {
            let otlp = receiver.otlp(&registry).interval(Duration::from_millis(5));
            let _exporter = otlp.start().unwrap();
            until(|| receiver.count() >= 3).await;
        });
    }
}
