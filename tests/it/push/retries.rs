//! Which requests are sent again, and when. The clock is paused.

use std::collections::HashSet;
use std::time::Duration;

use tachometer::push::Otlp;
use tachometer::{Error, Registry};
use tokio::time::{Instant, sleep};

use super::receiver::Answer::{Accept, Hang, Panic, Partial, Reset, RetryAfter, Slow, Status};
use super::receiver::{Answer, Receiver};

const SECOND: Duration = Duration::from_secs(1);

fn registry() -> Registry {
    let registry = Registry::new();
    registry.counter("jobs_total", "Jobs.").unwrap().inc();
    registry
}

/// Flushes once. Returns the result, the number of requests and the duration.
async fn flush(
    answers: impl IntoIterator<Item = Answer>,
    settings: fn(Otlp) -> Otlp,
) -> (Result<(), Error>, usize, Duration) {
    let receiver = Receiver::new(answers);
    let otlp = settings(receiver.otlp(&registry()));
    let exporter = otlp.interval(Duration::MAX).start().unwrap();
    let start = Instant::now();
    let result = exporter.flush().await;
    (result, receiver.count(), start.elapsed())
}

/// Returns the times between requests.
fn delays(receiver: &Receiver) -> Vec<Duration> {
    let requests = receiver.requests();
    let pairs = requests.windows(2);
    pairs.map(|pair| pair[1].at - pair[0].at).collect()
}

#[tokio::test(start_paused = true)]
async fn requests_with_a_retryable_status_are_sent_again_and_no_others() {
    for status in [429, 502, 503, 504] {
        let (result, requests, _) = flush([Status(status), Status(status)], |otlp| otlp).await;
        assert!(result.is_ok(), "{status}");
        assert_eq!(requests, 3, "{status}");
    }
    for status in [
        300, 301, 307, 400, 401, 403, 404, 408, 413, 415, 500, 501, 505, 599,
    ] {
        let (result, requests, duration) = flush([Status(status)], |otlp| otlp).await;
        let error = result.unwrap_err();
        assert!(error.is_failed_push());
        let text = error.to_string();
        assert!(text.contains(&format!("(status {status}")), "{text}");
        assert_eq!((requests, duration), (1, Duration::ZERO), "{status}");
    }
    for status in [200, 202, 204] {
        let (result, requests, _) = flush([Status(status)], |otlp| otlp).await;
        assert_eq!((result, requests), (Ok(()), 1), "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_without_a_response_is_sent_again() {
    for (answer, min, max) in [
        (Reset { is_accepted: false }, 0, 1),
        (Reset { is_accepted: true }, 0, 1),
        (Panic, 0, 1),
        // The timeout of a request.
        (Hang, 10, 11),
        (Slow(11 * SECOND), 10, 11),
    ] {
        let text = format!("{answer:?}");
        let (result, requests, duration) = flush([answer], |otlp| otlp).await;
        assert_eq!((result, requests), (Ok(()), 2), "{text}");
        let range = min * SECOND..=max * SECOND;
        assert!(range.contains(&duration), "{text}: {duration:?}");
    }
    let (result, requests, duration) = flush([Slow(9 * SECOND)], |otlp| otlp).await;
    assert_eq!((result, requests, duration), (Ok(()), 1, 9 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn a_partial_success_is_not_sent_again() {
    let (result, requests, _) = flush([Partial(3)], |otlp| otlp).await;
    let text = result.unwrap_err().to_string();
    assert!(text.contains("rejected 3 points"), "{text}");
    assert_eq!(requests, 1);
    let (result, requests, _) = flush([Partial(0)], |otlp| otlp).await;
    assert_eq!((result, requests), (Ok(()), 1), "only a warning");
}

#[tokio::test(start_paused = true)]
async fn a_retry_waits_as_long_as_the_receiver_asks_for() {
    for status in [429, 503] {
        let (result, requests, duration) = flush([RetryAfter(status, "7")], |otlp| otlp).await;
        assert_eq!((result, requests), (Ok(()), 2));
        let range = 7 * SECOND..=8 * SECOND;
        assert!(range.contains(&duration), "{duration:?}");
    }
    // A receiver that asks for more time than there is, also with a date.
    for value in [
        "31",
        "18446744073709551615",
        "Fri, 31 Dec 9999 23:59:59 GMT",
    ] {
        let (result, requests, duration) = flush([RetryAfter(503, value)], |otlp| otlp).await;
        let text = result.unwrap_err().to_string();
        assert!(text.contains("was not ready (status 503"), "{text}");
        assert_eq!((requests, duration), (1, Duration::ZERO), "{value}");
    }
    // What is no delay does not count.
    let (result, _, duration) = flush([RetryAfter(503, "later")], |otlp| otlp).await;
    assert!(result.is_ok() && duration <= SECOND);
}

#[tokio::test(start_paused = true)]
async fn delays_are_random_and_grow_until_the_time_limit() {
    let mut first = HashSet::new();
    for _ in 0..20 {
        let receiver = Receiver::always(Status(503));
        let exporter = receiver.otlp(&registry()).start().unwrap();
        let start = Instant::now();
        assert!(exporter.flush().await.is_err());
        assert!(start.elapsed() <= 30 * SECOND, "{:?}", start.elapsed());
        let delays = delays(&receiver);
        assert!(delays.len() >= 3, "{delays:?}");
        // Timers have a resolution of a millisecond.
        let limits = [1, 2, 4, 8, 16].map(|limit| limit * SECOND + SECOND / 500);
        assert!(
            delays
                .iter()
                .zip(limits)
                .all(|(delay, limit)| *delay <= limit),
            "{delays:?}"
        );
        first.extend(delays.first().copied());
    }
    assert!(first.len() > 10, "{first:?}");
}

#[tokio::test(start_paused = true)]
async fn an_export_ends_at_its_time_limit() {
    let short = |otlp: Otlp| otlp.timeout(Duration::ZERO).export_timeout(5 * SECOND);
    let (result, requests, duration) = flush([Hang], short).await;
    let text = result.unwrap_err().to_string();
    assert!(text.contains("no response within the time limit"), "{text}");
    assert_eq!((requests, duration), (1, 5 * SECOND));
    // Without any limit.
    let unlimited = |otlp: Otlp| otlp.timeout(Duration::ZERO).export_timeout(Duration::ZERO);
    let (result, requests, duration) = flush([Slow(1_000 * SECOND)], unlimited).await;
    assert_eq!((result, requests, duration), (Ok(()), 1, 1_000 * SECOND));
}

#[tokio::test(start_paused = true)]
async fn no_retry_of_the_timer_starts_after_the_interval() {
    let receiver = Receiver::always(Status(503));
    let otlp = receiver.otlp(&registry()).interval(5 * SECOND);
    let _exporter = otlp.start().unwrap();
    sleep(60 * SECOND).await;
    let times: HashSet<_> = receiver.requests().iter().map(|r| r.at).collect();
    let first = receiver.requests()[0].at;
    // Each export starts in time.
    for number in 0..10 {
        assert!(times.contains(&(first + number * 5 * SECOND)), "{number}");
    }
}

#[tokio::test(start_paused = true)]
async fn exports_start_at_a_random_phase_and_then_at_each_interval() {
    let mut phases = HashSet::new();
    for _ in 0..20 {
        let receiver = Receiver::default();
        let start = Instant::now();
        let exporter = receiver.otlp(&registry()).start().unwrap();
        sleep(600 * SECOND + SECOND / 2).await;
        drop(exporter);
        let requests = receiver.requests();
        let phase = requests[0].at - start;
        assert!(phase <= 60 * SECOND, "{phase:?}");
        phases.insert(phase);
        assert!((10..=11).contains(&requests.len()), "{}", requests.len());
        assert!(delays(&receiver).iter().all(|delay| *delay == 60 * SECOND));
    }
    assert!(phases.len() > 15, "{phases:?}");
}

#[tokio::test(start_paused = true)]
async fn exports_after_a_slow_one_keep_their_phase() {
    let receiver = Receiver::new([Slow(150 * SECOND)]);
    let otlp = receiver.otlp(&registry());
    let unlimited = otlp.timeout(Duration::ZERO).export_timeout(Duration::ZERO);
    let _exporter = unlimited.start().unwrap();
    sleep(400 * SECOND).await;
    let delays = delays(&receiver);
    // The next one is late, and those after it have the phase of the first.
    let expected = [150, 30, 60].map(|seconds| seconds * SECOND);
    assert_eq!(delays[..3], expected, "{delays:?}");
}

/// A registry for three requests.
fn large_registry() -> Registry {
    let registry = Registry::new();
    let family = registry.counter_family("jobs_total", "Jobs.", ["id"]);
    let family = family.unwrap().limit(30_000);
    for id in 0..25_000 {
        family.with([&*id.to_string()]).inc();
    }
    registry
}

#[tokio::test(start_paused = true)]
async fn after_a_rejected_request_the_others_are_sent_and_after_a_failed_one_they_are_not() {
    let registry = large_registry();
    let receiver = Receiver::new([Accept, Status(400)]);
    let exporter = receiver.otlp(&registry).start().unwrap();
    let error = exporter.flush().await.unwrap_err();
    assert!(
        error.to_string().contains("rejected a request (status 400"),
        "{error}"
    );
    assert_eq!(receiver.count(), 3);
    let first = receiver.requests()[0].message.points.len();
    assert!((9_900..=10_000).contains(&first), "{first}");

    let receiver = Receiver::new([Accept, RetryAfter(503, "60")]);
    let otlp = receiver.otlp(&registry).interval(Duration::MAX);
    let exporter = otlp.start().unwrap();
    let error = exporter.flush().await.unwrap_err();
    assert!(error.to_string().contains("was not ready"), "{error}");
    assert_eq!(receiver.count(), 2);
    // The next one sends everything.
    sleep(30 * SECOND).await;
    assert_eq!(exporter.flush().await, Ok(()));
    assert_eq!(receiver.count(), 5);
    assert_eq!(receiver.total("jobs_total"), 25_000.0);
}
