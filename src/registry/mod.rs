//! The metrics of a service under their names, and the way to read them all.
//!
//! A [`Registry`] hands out metrics and refuses what could not be told apart in
//! a scrape. It knows no format and no HTTP: [`Registry::gather`] gives plain
//! data, a [`Block`](crate::snapshot::Block) at a time.
//!
//! What is not counted but computed, such as the size of a pool, is registered as
//! a function ([`Registry::gauge_fn`]) or as a collector of whole families
//! ([`Collect`]).
//!
//! There is a global one for convenience ([`Registry::global`] and the free
//! functions); nothing needs it, and two registries never meet.
//!
//! ```
//! use tachometer::Registry;
//!
//! let registry = Registry::new();
//! let jobs = registry.counter("jobs_total", "Jobs done.")?;
//! jobs.inc();
//!
//! // Whoever asks again gets the same counter.
//! assert_eq!(registry.counter("jobs_total", "")?.get(), 1.0);
//!
//! // A name has one meaning.
//! let error = registry.gauge("jobs_total", "").unwrap_err();
//! assert!(error.is_conflict());
//! # Ok::<(), tachometer::Error>(())
//! ```

mod collect;
mod create;
mod entries;
mod gather;
mod global;
mod itself;
mod lint;
mod scope;
mod source;

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use crate::metric::{Counter, Metric};
use crate::snapshot::now_millis;
pub use collect::{Collect, Collected};
use entries::Entries;
pub use gather::Gather;
pub use global::{
    counter, counter_with, gauge, gauge_with, histogram, histogram_with, histogram_with_buckets,
};
pub use lint::{Lint, Rule};
use scope::Scope;

/// The metrics of a service, each under a name of its own.
///
/// A clone is the same registry. See the [module](self) for an example.
#[derive(Clone)]
pub struct Registry {
    inner: Arc<Inner>,
    /// What this handle adds to the metrics that it makes.
    scope: Arc<Scope>,
}

struct Inner {
    started: Instant,
    /// The same moment, in milliseconds since 1970.
    since: u64,
    /// How often a collector panicked.
    panics: Counter,
    /// Locked to look a name up and to add one, never while a metric is read or
    /// recorded, nor while any code of a user runs.
    entries: RwLock<Entries>,
}

impl Registry {
    /// Makes an empty registry, which shares nothing with any other.
    #[must_use]
    pub fn new() -> Self {
        let inner = Inner {
            started: Instant::now(),
            since: now_millis(),
            panics: Counter::new(),
            entries: RwLock::new(Entries::new()),
        };
        Self {
            inner: Arc::new(inner),
            scope: Arc::default(),
        }
    }

    /// Returns true when the other is a handle to the same registry, which adds the same to
    /// the metrics that it makes.
    #[cfg(feature = "macros")]
    #[inline]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner) && Arc::ptr_eq(&self.scope, &other.scope)
    }

    /// Returns the metric registered under `name`, as it was given there.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Metric> {
        self.entries().get(&self.scope.name(name)).cloned()
    }

    /// Returns all metrics, sorted by name.
    #[must_use]
    pub fn metrics(&self) -> Vec<Metric> {
        let entries = self.entries();
        entries.iter().map(|entry| entry.metric.clone()).collect()
    }

    /// Reads all metrics, sorted by name, a block of series at a time.
    ///
    /// Metrics and series may be added meanwhile; nobody waits. Each
    /// [collector](Self::collector) is called when its first family is reached.
    pub fn gather(&self) -> Gather {
        let entries = self.entries().iter().cloned().collect();
        Gather::new(self, entries)
    }

    /// Returns how long the registry has existed.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.inner.started.elapsed()
    }

    /// Sets every series of every metric back to zero; names, help texts and
    /// handles stay. Gauges that say how much is under way, such as the layer's
    /// `http_requests_in_flight`, stay too: what is under way will still end.
    pub fn reset_all(&self) {
        for metric in self.metrics() {
            metric.reset();
        }
    }

    /// Returns a handle to the same registry, with another scope.
    fn within(self, scope: Scope) -> Self {
        Self {
            inner: self.inner,
            scope: Arc::new(scope),
        }
    }

    fn entries(&self) -> RwLockReadGuard<'_, Entries> {
        // Entries are whole after every step, whatever panicked elsewhere.
        let entries = &self.inner.entries;
        entries.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for Registry {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("metrics", &self.metrics())
            .finish_non_exhaustive()
    }
}
