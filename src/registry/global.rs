//! The global registry, and functions that use it.
//!
//! The functions are meant for start-up: where the registry returns an error, they panic with
//! the error's text.

use std::sync::LazyLock;
#[cfg(feature = "axum")]
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Error;
use crate::metric::{Buckets, Counter, Family, Gauge, Histogram, Label};
use crate::registry::Registry;

static GLOBAL: LazyLock<Registry> = LazyLock::new(Registry::new);

impl Registry {
    /// Returns the global registry of the process.
    ///
    /// It is a convenience: nothing in this crate needs it, and other registries share nothing
    /// with it. To serve both, see [`merged`](Self::merged).
    #[must_use]
    pub fn global() -> &'static Self {
        &GLOBAL
    }

    /// Warns once if the global registry has metrics and nothing reads it, while another
    /// registry is served.
    #[cfg(feature = "axum")]
    pub(crate) fn warn_if_global_is_unread() {
        static HAS_WARNED: AtomicBool = AtomicBool::new(false);
        if HAS_WARNED.load(Ordering::Relaxed) || GLOBAL.is_read() {
            return;
        }
        let first = GLOBAL.table().metrics().first().cloned();
        let Some(first) = first else {
            return;
        };
        if !HAS_WARNED.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                metric = first.desc().name(),
                "the global registry has metrics that are not served: `#[timed]` and functions \
                 such as `tachometer::counter` record there. Serve it too, with \
                 `MetricsRouter::registries([&registry, Registry::global()])`, or record in the \
                 registry that is served"
            );
        }
    }
}

/// Returns the counter called `name` in the global registry.
///
/// ```
/// let requests = tachometer::counter("requests_total", "Total number of requests");
/// requests.inc();
/// requests.inc_by(5);
/// assert_eq!(requests.get(), 6.0);
/// ```
///
/// # Panics
///
/// If the name is not valid or belongs to another kind of metric; see
/// [`Registry::counter`], which returns the error.
#[track_caller]
pub fn counter(name: &str, help: &str) -> Counter {
    unwrap_or_panic(Registry::global().counter(name, help))
}

/// Returns the counter called `name` with these labels in the global registry.
///
/// # Panics
///
/// If a name is not valid, or belongs to another kind of metric or one with other labels; see
/// [`Registry::counter_with`], which returns the error.
#[track_caller]
pub fn counter_with<'a>(
    name: &str,
    help: &str,
    labels: impl AsRef<[(&'a str, &'a str)]>,
) -> Counter {
    unwrap_or_panic(Registry::global().counter_with(name, help, labels))
}

/// Returns the gauge called `name` in the global registry.
///
/// # Panics
///
/// If the name is not valid or belongs to another kind of metric; see
/// [`Registry::gauge`], which returns the error.
#[track_caller]
pub fn gauge(name: &str, help: &str) -> Gauge {
    unwrap_or_panic(Registry::global().gauge(name, help))
}

/// Returns the gauge called `name` with these labels in the global registry.
///
/// # Panics
///
/// If a name is not valid, or belongs to another kind of metric or one with other labels; see
/// [`Registry::gauge_with`], which returns the error.
#[track_caller]
pub fn gauge_with<'a>(name: &str, help: &str, labels: impl AsRef<[(&'a str, &'a str)]>) -> Gauge {
    unwrap_or_panic(Registry::global().gauge_with(name, help, labels))
}

/// Returns the histogram called `name` in the global registry.
///
/// # Panics
///
/// If the name is not valid or belongs to another kind of metric; see
/// [`Registry::histogram`], which returns the error.
#[track_caller]
pub fn histogram(name: &str, help: &str) -> Histogram {
    unwrap_or_panic(Registry::global().histogram(name, help))
}

/// Returns the histogram called `name` with these buckets in the global registry.
///
/// # Panics
///
/// If the name is not valid, or belongs to another kind of metric or to a histogram with other
/// buckets; see [`Registry::histogram_with_buckets`], which returns the error.
#[track_caller]
pub fn histogram_with_buckets(name: &str, help: &str, buckets: Buckets) -> Histogram {
    unwrap_or_panic(Registry::global().histogram_with_buckets(name, help, buckets))
}

/// Returns the histogram called `name` with these labels in the global registry.
///
/// # Panics
///
/// If a name is not valid, or belongs to another kind of metric or one with other labels; see
/// [`Registry::histogram_with`], which returns the error.
#[track_caller]
pub fn histogram_with<'a>(
    name: &str,
    help: &str,
    labels: impl AsRef<[(&'a str, &'a str)]>,
) -> Histogram {
    unwrap_or_panic(Registry::global().histogram_with(name, help, labels))
}

/// Returns the family of counters called `name` in the global registry.
///
/// ```
/// let mails = tachometer::counter_family("mails_total", "Mails sent.", ["kind", "result"]);
/// mails.with(["welcome", "sent"]).inc();
/// ```
///
/// # Panics
///
/// If a name is not valid, or belongs to another kind of metric or one with other labels; see
/// [`Registry::counter_family`], which returns the error.
#[track_caller]
pub fn counter_family<'a, const N: usize>(
    name: &str,
    help: &str,
    labels: [impl Into<Label<'a>>; N],
) -> Family<Counter, N> {
    unwrap_or_panic(Registry::global().counter_family(name, help, labels))
}

/// Returns the family of gauges called `name` in the global registry.
///
/// # Panics
///
/// If a name is not valid, or belongs to another kind of metric or one with other labels; see
/// [`Registry::gauge_family`], which returns the error.
#[track_caller]
pub fn gauge_family<'a, const N: usize>(
    name: &str,
    help: &str,
    labels: [impl Into<Label<'a>>; N],
) -> Family<Gauge, N> {
    unwrap_or_panic(Registry::global().gauge_family(name, help, labels))
}

/// Returns the family of histograms called `name` in the global registry.
///
/// # Panics
///
/// If a name is not valid, or belongs to another kind of metric or one with other labels; see
/// [`Registry::histogram_family`], which returns the error.
#[track_caller]
pub fn histogram_family<'a, const N: usize>(
    name: &str,
    help: &str,
    labels: [impl Into<Label<'a>>; N],
) -> Family<Histogram, N> {
    unwrap_or_panic(Registry::global().histogram_family(name, help, labels))
}

/// Returns the family of histograms called `name` with these buckets in the global
/// registry.
///
/// ```
/// use tachometer::{Buckets, histogram_family_with_buckets};
///
/// let buckets = Buckets::new(&[1e3, 1e6, 1e9])?;
/// let sizes = histogram_family_with_buckets("upload_bytes", "Uploads.", ["kind"], buckets);
/// sizes.with(["image"]).observe(20_000.0);
/// # Ok::<(), tachometer::Error>(())
/// ```
///
/// # Panics
///
/// If a name is not valid, or belongs to another kind of metric or one with other labels or
/// buckets; see [`Registry::histogram_family_with_buckets`], which returns the error.
#[track_caller]
pub fn histogram_family_with_buckets<'a, const N: usize>(
    name: &str,
    help: &str,
    labels: [impl Into<Label<'a>>; N],
    buckets: Buckets,
) -> Family<Histogram, N> {
    unwrap_or_panic(Registry::global().histogram_family_with_buckets(name, help, labels, buckets))
}

#[track_caller]
fn unwrap_or_panic<M>(result: Result<M, Error>) -> M {
    match result {
        Ok(metric) => metric,
        Err(error) => panic!("{error}"),
    }
}
