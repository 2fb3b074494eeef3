//! The label `outcome`: runs by how they end.

use std::fmt;
use std::future::{pending, poll_fn, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::LazyLock;
use std::task::{Context, Poll, Waker};

use tachometer::{Registry, timed};

use crate::runs;

static OWN: LazyLock<Registry> = LazyLock::new(Registry::new);

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// What is asked for.
#[derive(Clone, Copy)]
enum Way {
    Ok,
    Error,
    Panic,
    Endless,
}

#[track_caller]
fn check(name: &str, counts: [u64; 4]) {
    let outcomes = ["ok", "error", "panic", "cancelled"];
    let found = outcomes.map(|outcome| runs(&OWN, name, Some(outcome)));
    assert_eq!(found, counts, "{name}");
}

#[timed("sync_seconds", outcome, registry = OWN)]
fn sync(way: Way) -> Result<u32, fmt::Error> {
    match way {
        Way::Ok => Ok(1),
        Way::Error => Err(fmt::Error)?,
        _ => panic!("on purpose"),
    }
}

#[timed("plain_seconds", outcome, registry = OWN)]
fn plain(way: Way) {
    if matches!(way, Way::Panic) {
        panic!("on purpose");
    }
}

#[timed("async_seconds", outcome, registry = OWN)]
async fn waits(way: Way) -> Result<u32, fmt::Error> {
    match way {
        Way::Ok => ready(Ok(1)).await,
        Way::Error => Err(fmt::Error)?,
        Way::Panic => panic!("on purpose"),
        Way::Endless => pending().await,
    }
}

/// As `async_trait` leaves a method.
#[timed("boxed_seconds", outcome, registry = OWN)]
fn boxed(way: Way) -> Boxed<Result<u32, fmt::Error>> {
    let kept = way;
    Box::pin(async move {
        match kept {
            Way::Ok => Ok(1),
            Way::Error => Err(fmt::Error),
            Way::Panic => panic!("on purpose"),
            Way::Endless => pending().await,
        }
    })
}

fn poll<F: Future>(future: F) {
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    let _ = catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(&mut context)));
}

#[test]
fn each_run_is_counted_by_how_it_ended() {
    assert_eq!(sync(Way::Ok), Ok(1));
    assert_eq!(sync(Way::Error), Err(fmt::Error));
    assert!(catch_unwind(|| sync(Way::Panic)).is_err());
    check("sync_seconds", [1, 1, 1, 0]);
    plain(Way::Ok);
    assert!(catch_unwind(|| plain(Way::Panic)).is_err());
    check("plain_seconds", [1, 0, 1, 0]);
    for way in [Way::Ok, Way::Error, Way::Panic, Way::Endless] {
        poll(waits(way));
        poll(boxed(way));
    }
    check("async_seconds", [1, 1, 1, 1]);
    check("boxed_seconds", [1, 1, 1, 1]);
}

/// A panic is one at whichever poll it comes.
#[test]
fn a_panic_at_a_later_poll_counts_as_a_panic_of_the_function() {
    #[timed("later_seconds", outcome, registry = OWN)]
    async fn waits() {
        let mut is_first = true;
        poll_fn(|_| {
            assert!(is_first, "on purpose");
            is_first = false;
            Poll::<()>::Pending
        })
        .await;
    }
    let panicked = catch_unwind(|| {
        let mut future = pin!(waits());
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
        let _ = future.as_mut().poll(&mut context);
    });
    assert!(panicked.is_err());
    check("later_seconds", [0, 0, 1, 0]);
}

/// A future that is dropped because something else panics was cancelled.
#[test]
fn a_panic_elsewhere_does_not_count_as_a_panic_of_the_function() {
    #[timed("elsewhere_seconds", outcome, registry = OWN)]
    async fn waits() {
        pending::<()>().await;
    }
    let panicked = catch_unwind(|| {
        let mut future = pin!(waits());
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
        panic!("on purpose");
    });
    assert!(panicked.is_err());
    check("elsewhere_seconds", [0, 0, 0, 1]);
}

#[test]
fn a_return_value_that_is_no_result_is_never_an_error() {
    #[timed("option_seconds", outcome, registry = OWN)]
    fn option() -> Option<u8> {
        None
    }
    #[timed("generic_seconds", outcome, registry = OWN)]
    fn generic<T>(value: T) -> T {
        value
    }
    #[timed("opaque_seconds", outcome, registry = OWN)]
    fn opaque() -> impl Iterator<Item = u8> {
        std::iter::once(1)
    }
    #[timed("opaque_result_seconds", outcome, registry = OWN)]
    fn opaque_result(fails: bool) -> Result<impl Iterator<Item = u8>, u8> {
        if fails {
            Err(1)
        } else {
            Ok(std::iter::once(1))
        }
    }
    assert_eq!(option(), None);
    assert_eq!(generic(5), 5);
    assert_eq!(opaque().count(), 1);
    assert!(opaque_result(true).is_err() && opaque_result(false).is_ok());
    for name in ["option_seconds", "generic_seconds", "opaque_seconds"] {
        check(name, [1, 0, 0, 0]);
    }
    check("opaque_result_seconds", [1, 1, 0, 0]);
}

#[test]
fn a_poll_that_is_pending_does_not_end_a_run() {
    struct Twice(bool);
    impl Future for Twice {
        type Output = ();
        fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
            if std::mem::replace(&mut self.0, true) {
                Poll::Ready(())
            } else {
                Poll::Pending
            }
        }
    }
    #[timed("twice_seconds", outcome, registry = OWN)]
    async fn twice() {
        Twice(false).await;
    }
    let mut future = pin!(twice());
    let mut context = Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut context).is_pending());
    check("twice_seconds", [0, 0, 0, 0]);
    assert!(future.as_mut().poll(&mut context).is_ready());
    check("twice_seconds", [1, 0, 0, 0]);
}

/// As a trait has it whose futures are to be `Send`.
#[timed("returned_seconds", outcome, registry = OWN)]
fn returned(way: Way) -> impl Future<Output = Result<u32, fmt::Error>> + Send {
    let kept = way;
    async move {
        let one: u32 = "1".parse().map_err(|_| fmt::Error)?;
        match kept {
            Way::Ok => Ok(one),
            Way::Error => Err(fmt::Error),
            Way::Panic => panic!("on purpose"),
            Way::Endless => pending().await,
        }
    }
}

#[timed("lent_seconds", outcome, registry = OWN)]
fn borrowing(text: &str) -> impl Future<Output = usize> {
    async { text.len() }
}

#[test]
fn a_returned_future_is_timed() {
    drop(returned(Way::Ok));
    for way in [Way::Ok, Way::Error, Way::Panic, Way::Endless] {
        poll(returned(way));
    }
    check("returned_seconds", [1, 1, 1, 1]);
    drop(borrowing("text"));
    poll(borrowing("text"));
    check("lent_seconds", [1, 0, 0, 0]);
}
