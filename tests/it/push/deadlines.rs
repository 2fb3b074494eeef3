//! When a shutdown ends, and what happens to other calls meanwhile. The clock is paused.

use std::sync::{Mutex, mpsc};
use std::time::Duration;

use tachometer::{Counter, Registry};
use tokio::task::yield_now;
use tokio::time::{Instant, advance, sleep};

use super::receiver::Answer::{Hang, RetryAfter, Slow};
use super::receiver::{Answer, Receiver};

const SECOND: Duration = Duration::from_secs(1);

fn registry() -> (Registry, Counter) {
    let registry = Registry::new();
    let jobs = registry.counter("jobs_total", "Jobs.").unwrap();
    (registry, jobs)
}

async fn first_request(receiver: &Receiver) {
    while receiver.count() == 0 {
        sleep(SECOND / 10).await;
    }
}

/// Lets all tasks run until they wait for the clock or for a thread.
async fn run_tasks() {
    for _ in 0..100 {
        yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_returns_at_its_deadline_while_a_collector_hangs() {
    let registry = Registry::new();
    let (go, gone) = mpsc::channel::<()>();
    let gone = Mutex::new(gone);
    let hangs = move || {
        let _ = gone.lock().unwrap().recv();
        1.0
    };
    registry.gauge_fn("hangs", "Hangs.", hangs).unwrap();
    let receiver = Receiver::default();
    let otlp = receiver.otlp(&registry).interval(Duration::MAX);
    let exporter = otlp.start().unwrap();
    let flush = |exporter: &tachometer::push::OtlpExporter| {
        let exporter = exporter.clone();
        tokio::spawn(async move { exporter.flush().await })
    };
    let first = flush(&exporter);
    run_tasks().await;
    advance(30 * SECOND).await;
    assert!(first.await.unwrap().is_err());
    // It waits until the first one has stopped reading.
    let second = flush(&exporter);
    run_tasks().await;
    let shutdown = tokio::spawn(async move { exporter.shutdown(4 * SECOND).await });
    run_tasks().await;
    advance(2 * SECOND).await;
    run_tasks().await;
    assert!(!shutdown.is_finished());
    advance(2 * SECOND).await;
    run_tasks().await;
    assert!(shutdown.is_finished() && second.is_finished());
    for result in [shutdown.await.unwrap(), second.await.unwrap()] {
        let text = result.unwrap_err().to_string();
        assert!(text.contains("the time limit was over"), "{text}");
    }
    drop(go);
}

#[tokio::test(start_paused = true)]
async fn a_flush_during_the_last_export_is_an_error() {
    let (registry, jobs) = registry();
    let receiver = Receiver::always(Slow(SECOND));
    let otlp = receiver.otlp(&registry).interval(Duration::MAX);
    let exporter = otlp.start().unwrap();
    let clone = exporter.clone();
    let shutdown = tokio::spawn(async move { clone.shutdown(10 * SECOND).await });
    first_request(&receiver).await;
    jobs.inc();
    let clone = exporter.clone();
    let second = tokio::spawn(async move { clone.shutdown(10 * SECOND).await });
    let text = exporter.flush().await.unwrap_err().to_string();
    assert!(text.contains("call `flush` before `shutdown`"), "{text}");
    assert_eq!(shutdown.await.unwrap(), Ok(()));
    assert_eq!(second.await.unwrap(), Ok(()));
    assert_eq!((receiver.count(), receiver.total("jobs_total")), (1, 0.0));
}

/// Calls `shutdown` twice, the second time after a second. Returns the time until the end, and
/// whether the last export succeeded.
async fn shut_down_twice(
    receiver: &Receiver,
    interval: Duration,
    deadlines: [u32; 2],
) -> (Duration, bool) {
    let (registry, _) = registry();
    let exporter = receiver.otlp(&registry).interval(interval).start().unwrap();
    if interval < Duration::MAX {
        first_request(receiver).await;
    }
    let start = Instant::now();
    let [first, second] = deadlines.map(|seconds| seconds * SECOND);
    let clone = exporter.clone();
    let first = tokio::spawn(async move { clone.shutdown(first).await });
    sleep(SECOND).await;
    let result = exporter.shutdown(second).await;
    assert_eq!(first.await.unwrap(), result);
    (start.elapsed(), result.is_ok())
}

#[tokio::test(start_paused = true)]
async fn the_earliest_deadline_of_all_shutdowns_counts() {
    let last = Duration::MAX;
    // The last export is running, and ends in the middle of a request.
    for deadlines in [[60, 4], [5, 60], [5, 4]] {
        let receiver = Receiver::always(Hang);
        let end = shut_down_twice(&receiver, last, deadlines).await;
        assert_eq!(end, (5 * SECOND, false), "{deadlines:?}");
    }
    // It ends no request that can succeed.
    let receiver = Receiver::new([Slow(4 * SECOND)]);
    let end = shut_down_twice(&receiver, last, [60, 4]).await;
    assert_eq!((end, receiver.count()), ((4 * SECOND, true), 1));
    // It waits for a retry that would be too late.
    let receiver = Receiver::new([RetryAfter(503, "20")]);
    let end = shut_down_twice(&receiver, last, [60, 4]).await;
    assert_eq!((end, receiver.count()), ((SECOND, true), 2));
    // An earlier export is running. It is aborted after half of the shorter time.
    let receiver = Receiver::new([Hang]);
    let end = shut_down_twice(&receiver, 60 * SECOND, [16, 4]).await;
    assert_eq!((end, receiver.count()), ((3 * SECOND, true), 2));
}

/// Shuts an exporter down that waits for a retry.
async fn shut_down_while_waiting(deadline: Duration, answer: Answer) -> (Duration, usize) {
    let (registry, jobs) = registry();
    let receiver = Receiver::new([answer]);
    let exporter = receiver.otlp(&registry).start().unwrap();
    first_request(&receiver).await;
    let sent = receiver.requests()[0].at;
    jobs.inc();
    assert_eq!(exporter.shutdown(deadline).await, Ok(()));
    assert_eq!(receiver.total("jobs_total"), 1.0);
    (sent.elapsed(), receiver.count())
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_as_the_receiver_asks_unless_its_deadline_is_earlier() {
    let (waited, requests) = shut_down_while_waiting(60 * SECOND, RetryAfter(503, "20")).await;
    assert!((20 * SECOND..=21 * SECOND).contains(&waited), "{waited:?}");
    assert_eq!(requests, 2);
    let (waited, requests) = shut_down_while_waiting(5 * SECOND, RetryAfter(503, "20")).await;
    assert!(waited < SECOND, "{waited:?}");
    assert_eq!(requests, 2);
}
