//! What the attribute `timed` writes into a function; nobody else is to call it.

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
/// A run ends in whatever way: with a value, with an early `return`, with `?`, in a panic, or,
/// of an async function, when its future is dropped; so each is counted. A future's run begins
/// when it is first polled. A function that is not async and ends in an `async` block, which it
/// returns as it is or by `Box::pin`, is timed as if it were; so are those of `async_trait`. One
/// that returns any other future is timed until it returns.
///
/// It fits any function and method: generic ones and those that borrow, but not a `const fn`.
/// The signature stays as it is, and so does whether a future is `Send`.
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
/// - The name, first; without one it is the function's, and `_duration_seconds`.
/// - `help = ".."`: the metric's help text.
/// - `labels(name = "value", ..)`: labels, all of whose values are fixed.
/// - `registry = ..`: any expression that is a [`Registry`], or derefs to one, such as
///   `self.registry`; without it the [global](Registry::global) one. It is evaluated in each
///   run, before the body.
/// - `outcome`: a label by which runs are told apart, `ok`, `error` (an `Err`), `panic` or
///   `cancelled`. The body becomes a closure for it, so that where a panic tells the caller of
///   a function that is `#[track_caller]`, it tells a line of the function instead.
/// - `crate = ..`: the path of this crate, where it has another name.
///
/// # What it costs
///
/// Two readings of the clock and one observation. The metric is found in the registry when
/// the function first ends, and not again, unless a later run has another registry: then in
/// each such run. The first registry is kept for ever. Where something else has the metric's
/// name, the function runs as ever and is not timed: that is warned of once, and counted in
/// `tachometer_timed_refused_total`.
///
/// # Errors
///
/// The compiler refuses names that Prometheus does not read, labels that it keeps for itself,
/// and options that there are not.
pub use tachometer_macros::timed;

/// A function that is timed: its metric, which is found when it first runs.
pub struct Timed {
    name: &'static str,
    help: &'static str,
    labels: &'static [(&'static str, &'static str)],
    found: OnceLock<Found>,
    warned: AtomicBool,
}

/// The registry in which the metric was found, and its histograms there.
struct Found {
    registry: Registry,
    series: Series,
}

/// A histogram for each way to end, made when the first run ends so; an error where the
/// registry has something else under the name.
#[derive(Debug, Default)]
struct Series([OnceLock<Result<Histogram, Error>>; 5]);

/// How a run ends, as the label `outcome` tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// Nobody asks.
    Any,
    Ok,
    Error,
    Panic,
    Cancelled,
}

impl Outcome {
    fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Any => None,
            Self::Ok => Some("ok"),
            Self::Error => Some("error"),
            Self::Panic => Some("panic"),
            Self::Cancelled => Some("cancelled"),
        }
    }
}

impl Timed {
    /// Names the function's metric.
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
            found: OnceLock::new(),
            warned: AtomicBool::new(false),
        }
    }

    /// Begins a run, which is counted when what is returned is dropped.
    #[inline]
    pub fn start<'a>(&'static self, registry: &'a Registry) -> Run<'a> {
        self.run(registry, Outcome::Any)
    }

    /// Begins a run that is counted by how it ends: in a panic, unless something else is
    /// said.
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

    /// Lends the histogram of a run that ended so.
    #[inline]
    fn with(&self, registry: &Registry, outcome: Outcome, count: impl FnOnce(&Histogram)) {
        let found = self.found.get_or_init(|| Found {
            registry: registry.clone(),
            series: Series::default(),
        });
        // Where the registry changes from run to run, but the first is kept.
        if !found.registry.is_same(registry) {
            return match self.find(registry, outcome) {
                Ok(histogram) => count(&histogram),
                Err(error) => self.refuse(registry, &error),
            };
        }
        let own = &found.series.0[outcome as usize];
        match own.get_or_init(|| self.find(registry, outcome)) {
            Ok(histogram) => count(histogram),
            Err(error) => self.refuse(registry, error),
        }
    }

    #[cold]
    fn find(&self, registry: &Registry, outcome: Outcome) -> Result<Histogram, Error> {
        let mut labels = self.labels.to_vec();
        labels.extend(outcome.as_str().map(|outcome| ("outcome", outcome)));
        registry.histogram_with(self.name, self.help, labels)
    }

    /// Counts a run that its registry has no room for, since it has something else there.
    #[cold]
    fn refuse(&self, registry: &Registry, error: &Error) {
        // While nothing is waited for: whoever reads the warning may be timed by this, too.
        if !self.warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(%error, "a function is not timed");
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

/// A run of a function, which is counted when it is dropped.
#[must_use]
pub struct Run<'a> {
    timed: &'static Timed,
    registry: &'a Registry,
    started: Instant,
    outcome: Outcome,
}

impl Run<'_> {
    /// Ends a run that returned.
    #[inline]
    pub fn end(mut self, is_error: bool) {
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
        let took = self.started.elapsed();
        let count = |histogram: &Histogram| histogram.observe_duration(took);
        self.timed.with(self.registry, self.outcome, count);
    }
}

pin_project! {
    /// The body of an async function that is counted by how it ends.
    #[must_use = "a future does nothing until it is polled"]
    pub struct Body<'a, F> {
        #[pin]
        inner: F,
        run: Option<Run<'a>>,
    }
}

/// Watches the body of an async function.
#[inline]
pub fn body<F: Future>(run: Run<'_>, inner: F) -> Body<'_, F> {
    Body {
        inner,
        run: Some(run),
    }
}

/// Does not print the body, which may hold the function's arguments.
impl<F> fmt::Debug for Body<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").finish_non_exhaustive()
    }
}

impl<'a, F: Future> Future for Body<'a, F> {
    type Output = (Option<Run<'a>>, F::Output);

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        // A panic unwinds from here; one that drops the future elsewhere is not its own.
        let set = |run: &mut Option<Run<'_>>, outcome| {
            if let Some(run) = run {
                run.outcome = outcome;
            }
        };
        set(this.run, Outcome::Panic);
        let polled = this.inner.poll(context);
        set(this.run, Outcome::Cancelled);
        polled.map(|returned| (this.run.take(), returned))
    }
}

/// Runs a function's body. That it runs once tells the compiler that it may give away what
/// it was lent.
#[inline]
pub fn call<T>(body: impl FnOnce() -> T) -> T {
    body()
}

/// What a function returns, by which `!` has a name.
pub trait Returns {
    /// That type.
    type Returned;
}

impl<T> Returns for fn() -> T {
    type Returned = T;
}

/// What a function returned, whatever that is: an error, if it is that of a `Result`.
///
/// The methods of the reference's own type are found before those of the type itself, and
/// so tell results from all else. Their name is one that nobody else's trait has: where that is
/// there for any type, the compiler could not choose.
#[derive(Debug)]
pub struct Returned<'a, T>(pub &'a T);

/// What is found of a `Result`.
pub trait IsError {
    /// Whether it is an error.
    fn __tachometer_is_error(&self) -> bool;
}

impl<T, E> IsError for &Returned<'_, Result<T, E>> {
    fn __tachometer_is_error(&self) -> bool {
        self.0.is_err()
    }
}

/// What is found of all else.
pub trait IsNoError {
    /// It is none.
    fn __tachometer_is_error(&self) -> bool;
}

impl<T> IsNoError for Returned<'_, T> {
    fn __tachometer_is_error(&self) -> bool {
        false
    }
}

/// Without the registry, which would tell all that is in it.
impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Found").finish_non_exhaustive()
    }
}
