//! The code that the attribute `timed` calls from the functions that it times.

use std::fmt;
use std::pin::Pin;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Instant;

use pin_project_lite::pin_project;

use crate::error::Error;
use crate::metric::{Histogram, Label};
use crate::registry::Registry;

/// Times each run of a function, in a histogram of seconds.
///
/// ```
/// use tachometer::timed;
///
/// #[timed("report_seconds")]
/// fn report(lines: usize) -> String {
///     "a line\n".repeat(lines)
/// }
///
/// #[timed] // fetch_duration_seconds
/// async fn fetch(id: u32) -> Result<String, std::io::Error> {
///     Ok(format!("number {id}"))
/// }
///
/// report(3);
/// # let future = fetch(1);
/// # futures_util::FutureExt::now_or_never(future).unwrap().unwrap();
/// let metric = tachometer::Registry::global().get("report_seconds");
/// assert_eq!(metric.map(|metric| metric.value()), Some(1.0)); // a histogram's count
/// ```
///
/// Every run is counted, however it ends: with a value, with an early `return`, with `?`, in a
/// panic, or, for an async function, when its future is dropped. A future's run starts when it is
/// first polled. A function that is not async and ends in an `async` block, returned as it is or
/// by `Box::pin`, is timed like an async function; so are the functions of `async_trait`. A
/// function that returns any other future is timed until it returns that future.
///
/// It works on all functions and methods, also on generic and borrowing ones, except on a
/// `const fn`. The signature does not change, nor whether a future is `Send`.
///
/// # Options
///
/// ```
/// # use tachometer::{Registry, timed};
/// # static METRICS: std::sync::LazyLock<Registry> = std::sync::LazyLock::new(Registry::new);
/// #[timed(
///     "charge_seconds",
///     help = "Seconds to charge a card.",
///     labels(provider = "acme"),
///     registry = METRICS,
///     outcome
/// )]
/// fn charge(cents: u32) -> Result<(), String> {
///     if cents == 0 { Err("nothing to charge".to_owned()) } else { Ok(()) }
/// }
///
/// charge(500).unwrap();
/// charge(0).unwrap_err();
/// let text = METRICS.export_prometheus();
/// assert!(text.contains(r#"charge_seconds_count{provider="acme",outcome="error"} 1"#));
/// ```
///
/// - The name of the metric, first. Without one it is that of the function followed by
///   `_duration_seconds`.
/// - `help = ".."`: the metric's help text.
/// - `labels(name = "value", ..)`: labels with fixed values.
/// - `registry = ..`: an expression that is a [`Registry`] or derefs to one, such as
///   `self.registry`. The default is the [global](Registry::global) one. It is evaluated in each
///   run, before the body.
/// - `outcome`: adds the label `outcome`: `ok`, `error` (an `Err`), `panic` or `cancelled`. The
///   body becomes a closure, so a panic in a `#[track_caller]` function reports a line of the
///   function instead of its caller.
/// - `crate = ..`: the path of this crate, if it has another name.
///
/// # Cost
///
/// A run reads the clock twice and makes one observation. The metric is looked up in the
/// registry when the first run ends, and cached. Runs with another registry than the first one
/// look it up each time. The first registry is never dropped.
///
/// If something else has the metric's name, the function runs as usual but is not timed. There
/// is one warning, and `tachometer_timed_refused_total` counts the runs.
///
/// # Errors
///
/// Names that are invalid in Prometheus, reserved labels and unknown options are compile errors.
pub use tachometer_macros::timed;

/// A timed function: its metric, which is registered when the first run ends.
pub struct Timed {
    name: &'static str,
    help: &'static str,
    labels: &'static [(&'static str, &'static str)],
    cache: OnceLock<CachedSeries>,
    has_warned: AtomicBool,
}

/// The histograms of the first run's registry.
struct CachedSeries {
    registry: Registry,
    by_outcome: SeriesByOutcome,
}

/// A histogram for each outcome, created when the first run ends so, or an error if the registry
/// holds something else under the name.
#[derive(Debug, Default)]
struct SeriesByOutcome([OnceLock<Result<Histogram, Error>>; 5]);

/// How a run ended: the value of the label `outcome`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// The function has no label `outcome`.
    Unlabeled,
    Ok,
    Error,
    Panic,
    Cancelled,
}

impl Outcome {
    fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Unlabeled => None,
            Self::Ok => Some("ok"),
            Self::Error => Some("error"),
            Self::Panic => Some("panic"),
            Self::Cancelled => Some("cancelled"),
        }
    }
}

impl Timed {
    /// Sets the function's metric.
    #[must_use]
    pub const fn new(
        name: &'static str,
        help: &'static str,
        labels: &'static [(&'static str, &'static str)],
    ) -> Self {
        Self {
            name,
            help,
            labels,
            cache: OnceLock::new(),
            has_warned: AtomicBool::new(false),
        }
    }

    /// Starts a run, which is recorded when it is dropped.
    #[inline]
    pub fn start<'a>(&'static self, registry: &'a Registry) -> Run<'a> {
        self.run(registry, Outcome::Unlabeled)
    }

    /// Starts a run of a function that has the label `outcome`. It is `panic` unless it is set.
    #[inline]
    pub fn start_with_outcome<'a>(&'static self, registry: &'a Registry) -> Run<'a> {
        self.run(registry, Outcome::Panic)
    }

    #[inline]
    fn run<'a>(&'static self, registry: &'a Registry, outcome: Outcome) -> Run<'a> {
        Run {
            timed: self,
            registry,
            started: Instant::now(),
            outcome,
        }
    }

    /// Lends the histogram of runs that ended with this outcome.
    #[inline]
    fn with_histogram(
        &self,
        registry: &Registry,
        outcome: Outcome,
        record: impl FnOnce(&Histogram),
    ) {
        let cache = self.cache.get_or_init(|| CachedSeries {
            registry: registry.clone(),
            by_outcome: SeriesByOutcome::default(),
        });
        // Only the first run's registry is cached.
        if !cache.registry.is_same(registry) {
            return match self.register(registry, outcome) {
                Ok(histogram) => record(&histogram),
                Err(error) => self.count_refused(registry, &error),
            };
        }
        let series = &cache.by_outcome.0[outcome as usize];
        match series.get_or_init(|| self.register(registry, outcome)) {
            Ok(histogram) => record(histogram),
            Err(error) => self.count_refused(registry, error),
        }
    }

    #[cold]
    fn register(&self, registry: &Registry, outcome: Outcome) -> Result<Histogram, Error> {
        let mut labels = self.labels.to_vec();
        labels.extend(outcome.as_str().map(|outcome| ("outcome", outcome)));
        registry.histogram_with(self.name, self.help, labels)
    }

    /// Counts a run that is not recorded, because the registry holds something else under the
    /// name.
    #[cold]
    fn count_refused(&self, registry: &Registry, error: &Error) {
        // No lock is held here: the subscriber that gets the warning may be timed, too.
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            let error = error.clone().map_remedy(|_| {
                "name another metric in `#[timed(\"..\")]`, or use another registry with \
                 `#[timed(registry = ..)]`"
                    .to_owned()
            });
            tracing::warn!(%error, "a function is not timed: its metric cannot be registered");
        }
        let family = registry.counter_family(
            "tachometer_timed_refused_total",
            "Runs of a function that were not timed because another metric has its name.",
            [Label::unlimited("metric")],
        );
        if let Ok(family) = family {
            family.with([self.name]).inc();
        }
    }
}

/// A run of a function, which is recorded when it is dropped.
#[must_use]
pub struct Run<'a> {
    timed: &'static Timed,
    registry: &'a Registry,
    started: Instant,
    outcome: Outcome,
}

impl Run<'_> {
    /// Finishes a run that returned.
    #[inline]
    pub fn finish(mut self, is_error: bool) {
        self.outcome = if is_error {
            Outcome::Error
        } else {
            Outcome::Ok
        };
    }
}

impl fmt::Debug for Timed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Timed").field(&self.name).finish()
    }
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Run").field(&self.timed.name).finish()
    }
}

impl Drop for Run<'_> {
    #[inline]
    fn drop(&mut self) {
        let elapsed = self.started.elapsed();
        let record = |histogram: &Histogram| histogram.observe_duration(elapsed);
        self.timed
            .with_histogram(self.registry, self.outcome, record);
    }
}

pin_project! {
    /// The body of an async function that has the label `outcome`.
    #[must_use = "a future does nothing until it is polled"]
    pub struct TimedBody<'a, F> {
        #[pin]
        inner: F,
        run: Option<Run<'a>>,
    }
}

/// Wraps the body of an async function that has the label `outcome`.
#[inline]
pub fn timed_body<F: Future>(run: Run<'_>, inner: F) -> TimedBody<'_, F> {
    TimedBody {
        inner,
        run: Some(run),
    }
}

/// Does not print the body, which may hold the function's arguments.
impl<F> fmt::Debug for TimedBody<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TimedBody").finish_non_exhaustive()
    }
}

impl<'a, F: Future> Future for TimedBody<'a, F> {
    type Output = (Option<Run<'a>>, F::Output);

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // Only a panic of the inner future unwinds from here. A future that is dropped between
        // polls was cancelled, even if another panic drops it.
        let set_outcome = |run: &mut Option<Run<'_>>, outcome| {
            if let Some(run) = run {
                run.outcome = outcome;
            }
        };
        set_outcome(this.run, Outcome::Panic);
        let polled = this.inner.poll(context);
        set_outcome(this.run, Outcome::Cancelled);
        polled.map(|returned| (this.run.take(), returned))
    }
}

/// Runs a function's body. It takes a `FnOnce`, so that the body may move its captures.
#[inline]
pub fn call_once<T>(body: impl FnOnce() -> T) -> T {
    body()
}

/// Names the return type of a function, which is the only way to name `!`.
pub trait HasReturnType {
    /// The return type of the function.
    type Output;
}

impl<T> HasReturnType for fn() -> T {
    type Output = T;
}

/// The return value of a function, of any type.
///
/// Method resolution finds the methods of `&ReturnValue` before those of `ReturnValue`, so
/// [`IsError`] applies to every `Result`, and [`IsNoError`] to all other types. The method has a
/// name that no other trait uses: if a trait had it for every type, the call would be ambiguous.
#[derive(Debug)]
pub struct ReturnValue<'a, T>(pub &'a T);

/// Implemented for a `Result`.
pub trait IsError {
    /// Returns true if it is an `Err`.
    fn __tachometer_is_error(&self) -> bool;
}

impl<T, E> IsError for &ReturnValue<'_, Result<T, E>> {
    fn __tachometer_is_error(&self) -> bool {
        self.0.is_err()
    }
}

/// Implemented for all other types.
pub trait IsNoError {
    /// Returns false.
    fn __tachometer_is_error(&self) -> bool;
}

impl<T> IsNoError for ReturnValue<'_, T> {
    fn __tachometer_is_error(&self) -> bool {
        false
    }
}

/// Does not print the registry, whose `Debug` prints all of its metrics.
impl fmt::Debug for CachedSeries {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedSeries").finish_non_exhaustive()
    }
}
