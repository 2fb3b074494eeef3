//! Exports after a receiver has asked for a delay. The clock is paused.

use std::time::Duration;

use tachometer::{Counter, Registry};
use tokio::time::{Instant, sleep};

use super::receiver::Answer::{RetryAfter, Status};
use super::receiver::Receiver;
use crate::support::read::sum;

const SECOND: Duration = Duration::from_secs(1);

fn registry() -> (Registry, Counter) {
    let registry = Registry::new();
    let jobs = registry.counter("jobs_total", "Jobs.").unwrap();
    (registry, jobs)
}

/// Waits until this many requests have arrived.
async fn requests(receiver: &Receiver, count: usize) {
    while receiver.count() < count {
        sleep(SECOND / 10).await;
    }
}

/// Returns the times between requests, in whole seconds.
#[track_caller]
fn assert_delays(receiver: &Receiver, expected: u32) {
    let requests = receiver.requests();
    for pair in requests.windows(2) {
        let delay = pair[1].at - pair[0].at;
        // A random part of a second is added.
        let expected = expected * SECOND..=(expected + 1) * SECOND;
        assert!(expected.contains(&delay), "{delay:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_flush_ends_the_delay_of_a_retry_but_not_one_that_the_receiver_asked_for() {
    let (registry, jobs) = registry();
    // The delay after the fifth is up to 16 s.
    let receiver = Receiver::new((0..5).map(|_| Status(503)));
    let exporter = receiver.otlp(&registry).start().unwrap();
    requests(&receiver, 5).await;
    jobs.inc();
    let start = Instant::now();
    assert_eq!(exporter.flush().await, Ok(()));
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(receiver.total("jobs_total"), 1.0);

    let receiver = Receiver::new([RetryAfter(503, "20")]);
    let exporter = receiver.otlp(&registry).start().unwrap();
    requests(&receiver, 1).await;
    jobs.inc();
    // Both are in one export.
    assert_eq!(
        tokio::join!(exporter.flush(), exporter.flush()),
        (Ok(()), Ok(()))
    );
    assert_eq!(receiver.total("jobs_total"), 2.0);
    assert_delays(&receiver, 20);
}

#[tokio::test(start_paused = true)]
async fn a_flush_that_cannot_be_sent_within_its_limit_is_an_error_at_once() {
    let (registry, _) = registry();
    let receiver = Receiver::new([RetryAfter(429, "60")]);
    let otlp = receiver.otlp(&registry).interval(Duration::MAX);
    let exporter = otlp.export_timeout(5 * SECOND).start().unwrap();
    let start = Instant::now();
    let text = exporter.flush().await.unwrap_err().to_string();
    assert!(text.contains("was not ready (status 429"), "{text}");
    let text = exporter.flush().await.unwrap_err().to_string();
    assert!(text.contains("asked for a delay (`Retry-After`)"), "{text}");
    assert_eq!((start.elapsed(), receiver.count()), (Duration::ZERO, 1));
    // The delay ends at the time limit of the export.
    sleep(SECOND).await;
    assert_eq!(exporter.flush().await, Ok(()));
    assert_eq!((start.elapsed(), receiver.count()), (5 * SECOND, 2));
}

#[tokio::test(start_paused = true)]
async fn no_export_of_the_timer_starts_before_the_time_that_the_receiver_asked_for() {
    for (retry_after, delay) in [("6", 6), ("20", 20)] {
        let (registry, _) = registry();
        let receiver = Receiver::always(RetryAfter(503, retry_after));
        let otlp = receiver.otlp(&registry).interval(5 * SECOND);
        let _exporter = otlp.start().unwrap();
        requests(&receiver, 9).await;
        assert_delays(&receiver, delay);
        // Each interval has an export, and each failed.
        let exports = "tachometer_otlp_exports_total";
        let failed = sum(&registry, exports, &[("result", "failed")]);
        let elapsed = receiver.requests()[8].at - receiver.requests()[0].at;
        let intervals = elapsed.as_secs_f64() / 5.0;
        assert!((failed - intervals).abs() <= 2.0, "{failed}, {intervals}");
    }
}
