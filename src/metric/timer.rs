//! Timers that record in a histogram.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use crate::metric::histogram::Histogram;

/// A timer that was [started](Histogram::start_timer) by a histogram and records the elapsed
/// time in it when it is dropped.
#[doc(alias = "stopwatch")]
#[must_use = "a timer that is dropped at once records almost no time"]
pub struct Timer {
    histogram: Option<Histogram>,
    started: Instant,
}

impl Timer {
    pub(crate) fn start(histogram: Histogram) -> Self {
        Self {
            histogram: Some(histogram),
            started: Instant::now(),
        }
    }

    /// Records the elapsed time now and returns it.
    pub fn observe(mut self) -> Duration {
        let elapsed = self.started.elapsed();
        if let Some(histogram) = self.histogram.take() {
            histogram.observe_duration(elapsed);
        }
        elapsed
    }

    /// Returns the elapsed time without recording it.
    pub fn discard(mut self) -> Duration {
        self.histogram = None;
        self.started.elapsed()
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer")
            .field("elapsed", &self.started.elapsed())
            .finish_non_exhaustive()
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(histogram) = &self.histogram {
            histogram.observe_duration(self.started.elapsed());
        }
    }
}

pin_project! {
    /// The future of [`Histogram::time_future`].
    ///
    /// An `async` block would be shorter, but would hold the inner future twice.
    #[must_use = "a future does nothing until it is polled"]
    pub(crate) struct TimedFuture<F> {
        #[pin]
        inner: F,
        histogram: Histogram,
        timer: Option<Timer>,
    }
}

impl<F> TimedFuture<F> {
    pub(crate) fn new(inner: F, histogram: Histogram) -> Self {
        Self {
            inner,
            histogram,
            timer: None,
        }
    }
}

impl<F: Future> Future for TimedFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.timer
            .get_or_insert_with(|| this.histogram.start_timer());
        let polled = this.inner.poll(context);
        if polled.is_ready() {
            *this.timer = None;
        }
        polled
    }
}

#[cfg(all(test, not(tachometer_loom)))]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::pin::pin;
    use std::task::Waker;

    use super::*;

    #[test]
    fn a_timer_records_once_however_it_ends() {
        let seconds = Histogram::new();
        let timer = seconds.start_timer();
        let took = timer.observe();
        assert_eq!(seconds.stats().sum, took.as_secs_f64());
        drop(seconds.start_timer());
        seconds.start_timer().discard();
        let panicked = catch_unwind(AssertUnwindSafe(|| {
            seconds.time(|| panic!("on purpose"));
        }));
        assert!(panicked.is_err());
        assert_eq!(seconds.stats().count, 3);
    }

    #[test]
    fn a_future_is_recorded_when_it_completes_or_is_dropped_but_not_before_its_first_poll() {
        let seconds = Histogram::new();
        let mut context = Context::from_waker(Waker::noop());
        drop(seconds.time_future(std::future::ready(())));
        assert_eq!(seconds.stats().count, 0);
        let mut ready = pin!(seconds.time_future(std::future::ready(7)));
        assert_eq!(ready.as_mut().poll(&mut context), Poll::Ready(7));
        assert_eq!(seconds.stats().count, 1);
        {
            let mut pending = pin!(seconds.time_future(std::future::pending::<()>()));
            assert!(pending.as_mut().poll(&mut context).is_pending());
            assert!(pending.as_mut().poll(&mut context).is_pending());
            assert_eq!(seconds.stats().count, 1);
        }
        assert_eq!(seconds.stats().count, 2);
    }
}
