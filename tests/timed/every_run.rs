//! Every run is counted, however it ends.

use std::future::pending;
use std::panic::catch_unwind;
use std::pin::pin;
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use tachometer::{Registry, timed};

use crate::runs;

static OWN: LazyLock<Registry> = LazyLock::new(Registry::new);

fn poll<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

#[timed("api_call_duration")]
fn plain() -> u32 {
    7
}

#[timed]
fn unnamed() {}

#[timed("early_seconds", registry = OWN)]
fn early(is_early: bool) -> &'static str {
    if is_early {
        return "early";
    }
    "late"
}

#[timed("question_seconds", registry = OWN)]
fn question(text: &str) -> Result<u8, std::num::ParseIntError> {
    let number = text.parse::<u8>()?;
    Ok(number)
}

#[timed("panic_seconds", registry = OWN)]
fn panics() {
    panic!("on purpose");
}

#[timed("async_seconds", registry = OWN)]
async fn waits(is_endless: bool) -> u32 {
    if is_endless {
        pending::<()>().await;
    }
    3
}

#[test]
fn a_function_is_timed_under_its_name_or_a_given_one() {
    assert_eq!(plain(), 7);
    plain();
    unnamed();
    let global = Registry::global();
    assert_eq!(runs(global, "api_call_duration", None), 2);
    assert_eq!(runs(global, "unnamed_duration_seconds", None), 1);
    let metric = global.get("unnamed_duration_seconds").unwrap();
    assert_eq!(metric.help(), "Duration of `unnamed`, in seconds.");
}

#[test]
fn early_returns_errors_and_panics_are_counted() {
    assert_eq!((early(true), early(false)), ("early", "late"));
    assert_eq!(runs(&OWN, "early_seconds", None), 2);
    assert_eq!(question("5"), Ok(5));
    assert!(question("five").is_err());
    assert_eq!(runs(&OWN, "question_seconds", None), 2);
    assert!(catch_unwind(panics).is_err());
    assert_eq!(runs(&OWN, "panic_seconds", None), 1);
}

#[test]
fn a_future_is_counted_when_it_ends_or_is_dropped_and_not_if_it_never_began() {
    assert_eq!(poll(waits(false)), Poll::Ready(3));
    assert!(poll(waits(true)).is_pending());
    drop(waits(true));
    assert_eq!(runs(&OWN, "async_seconds", None), 2);
}

#[timed(
    "told_seconds",
    help = "Seconds of telling.",
    labels(kind = "quick", r#type = "a \"b\"\n"),
    registry = OWN,
)]
fn described() {}

#[test]
fn help_and_labels_can_be_set() {
    described();
    let text = OWN.export_prometheus();
    assert!(
        text.contains("# HELP told_seconds Seconds of telling.\n"),
        "{text}"
    );
    let line = r#"told_seconds_count{kind="quick",type="a \"b\"\n"} 1"#;
    assert!(text.contains(line), "{text}");
}

#[test]
fn many_threads_count_every_run() {
    #[timed("thread_seconds", registry = OWN)]
    fn run() {}
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..2_500).for_each(|_| run()));
        }
    });
    assert_eq!(runs(&OWN, "thread_seconds", None), 10_000);
}
