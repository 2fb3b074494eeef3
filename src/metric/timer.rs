//! How long something takes, told to a histogram.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use pin_project_lite::pin_project;

use crate::metric::Histogram;

impl Histogram {
    /// Begins to take the time, in seconds, until what is returned is dropped.
    ///
    /// ```
    /// use tachometer::Histogram;
    ///
    /// fn work(seconds: &Histogram) -> Result<(), std::fmt::Error> {
    ///     let _timer = seconds.start_timer();
    ///     Err(std::fmt::Error)? // counted, as a return at the end would be
    /// }
    ///
    /// let seconds = Histogram::new();
    /// assert!(work(&seconds).is_err());
    /// assert_eq!(seconds.stats().count, 1);
    /// ```
    pub fn start_timer(&self) -> Timer {
        Timer {
            histogram: Some(self.clone()),
            started: Instant::now(),
        }
    }

    /// Runs something, counts how long it took, and returns what it returned. Where it
    /// panics, that is counted, too.
    ///
    /// ```
    /// use tachometer::Histogram;
    ///
    /// let seconds = Histogram::new();
    /// let sum: u64 = seconds.time(|| (1..=1_000).sum());
    /// assert_eq!((sum, seconds.stats().count), (500_500, 1));
    /// ```
    pub fn time<T>(&self, run: impl FnOnce() -> T) -> T {
        let _timer = self.start_timer();
        run()
    }

    /// Counts how long a future takes, from when it is first polled until it has ended, or
    /// is dropped before that. One that is never polled is not counted.
    ///
    /// ```
    /// use tachometer::Histogram;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let seconds = Histogram::new();
    /// let answer = seconds.time_future(async { 42 }).await;
    /// assert_eq!((answer, seconds.stats().count), (42, 1));
    /// # }
    /// ```
    pub fn time_future<F: Future>(&self, future: F) -> TimedFuture<F> {
        TimedFuture {
            inner: future,
            histogram: self.clone(),
            timer: None,
        }
    }
}

/// The time since it was [started](Histogram::start_timer), which its histogram gets when
/// it is dropped.
#[must_use = "a timer that is dropped at once tells next to nothing"]
pub struct Timer {
    histogram: Option<Histogram>,
    started: Instant,
}

impl Timer {
    /// Counts the time now, and returns it.
    pub fn observe(mut self) -> Duration {
        let took = self.started.elapsed();
        if let Some(histogram) = self.histogram.take() {
            histogram.observe_duration(took);
        }
        took
    }

    /// Counts nothing, and returns the time.
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
    /// A future whose time is taken, made by [`Histogram::time_future`].
    #[must_use = "a future does nothing until it is polled"]
    pub struct TimedFuture<F> {
        #[pin]
        inner: F,
        histogram: Histogram,
        timer: Option<Timer>,
    }
}

/// Does not print the inner future, which may hold a request.
impl<F> fmt::Debug for TimedFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimedFuture").finish_non_exhaustive()
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
    fn a_timer_counts_once_however_it_ends() {
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
    fn a_future_is_counted_when_it_ends_or_is_dropped_and_not_before_it_begins() {
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
