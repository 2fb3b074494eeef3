//! The metrics of a service under their names, and the way to read them all.
//!
//! A [`Registry`] hands out metrics and refuses what could not be told apart in
//! a scrape. It knows no format and no HTTP: [`Registry::gather`] gives plain
//! data, a [`SeriesBlock`](crate::snapshot::SeriesBlock) at a time.
//!
//! What is not counted but computed, such as the size of a pool, is registered as
//! a function ([`Registry::gauge_fn`]) or as a collector of whole families
//! ([`Collect`]).
//!
//! There is a global one for convenience ([`Registry::global`] and the free
//! functions). Nothing needs it, and registries share nothing. [`Registry::merged`] reads
//! several of them as one.
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
mod gather;
mod global;
mod lint;
mod merged;
mod metric_table;
mod overlapping_series;
mod registered_collector;
mod scope;
mod self_metrics;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use crate::metric::{Counter, Metric};
use crate::snapshot::{Desc, now_millis};
pub use collect::{Collect, CollectSink};
pub use gather::Gather;
pub use global::{
    counter, counter_family, counter_with, gauge, gauge_family, gauge_with, histogram,
    histogram_family, histogram_family_with_buckets, histogram_with, histogram_with_buckets,
};
pub use lint::{Lint, Rule};
use merged::AdditionalRegistries;
use metric_table::{MetricEntry, MetricTable};
use scope::Scope;

/// The metrics of a service, each under a name of its own.
///
/// A clone is the same registry. See the [module](self) for an example.
#[derive(Clone)]
pub struct Registry {
    inner: Arc<Inner>,
    /// What this handle adds to the metrics that it makes.
    scope: Arc<Scope>,
    /// The registries that are read besides this one.
    additional: Option<Arc<AdditionalRegistries>>,
}

struct Inner {
    started: Instant,
    /// The same moment, in milliseconds since 1970.
    created_millis: u64,
    /// How often a collector panicked.
    panics: Counter,
    /// Whether it was read, or is served by a router.
    is_read: AtomicBool,
    /// Locked to look a name up and to add one, never while a metric is read or
    /// recorded, nor while any code of a user runs.
    metrics: RwLock<MetricTable>,
}

impl Registry {
    /// Makes an empty registry, which shares nothing with any other.
    #[must_use]
    pub fn new() -> Self {
        let inner = Inner {
            started: Instant::now(),
            created_millis: now_millis(),
            panics: Counter::new(),
            is_read: AtomicBool::new(false),
            metrics: RwLock::new(MetricTable::new()),
        };
        Self {
            inner: Arc::new(inner),
            scope: Arc::default(),
            additional: None,
        }
    }

    /// Returns true when the other is a handle to the same registry, which adds the same to
    /// the metrics that it makes.
    #[cfg(feature = "macros")]
    #[inline]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner) && Arc::ptr_eq(&self.scope, &other.scope)
    }

    /// Returns the metric registered under `name`. A counter is also found by the name that
    /// it has in a scrape: `jobs_total`, if it was registered as `jobs`.
    ///
    /// JSON, the `metric` label of `tachometer_series` and [`Metric::name`] use the registered
    /// name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Metric> {
        let name = self.scope.name(name);
        if self.additional.is_none() {
            let entries = self.table();
            let entry = entries.get(&name).or_else(|| entries.exposed_as(&name));
            return entry.map(|entry| entry.metric());
        }
        let entries = self.merged_metrics().entries;
        let find = |is: fn(&Desc) -> &str| entries.iter().find(|entry| is(entry.desc()) == name);
        let entry = find(Desc::name).or_else(|| find(Desc::exposed_name));
        entry.map(|entry| entry.metric())
    }

    /// Returns all metrics, sorted by name.
    #[must_use]
    pub fn metrics(&self) -> Vec<Metric> {
        let metrics =
            |entries: &[Arc<MetricEntry>]| entries.iter().map(|entry| entry.metric()).collect();
        if self.additional.is_some() {
            return metrics(&self.merged_metrics().entries);
        }
        let entries: Vec<_> = self.table().iter().cloned().collect();
        metrics(&entries)
    }

    /// Reads all metrics, sorted by name, a block of series at a time.
    ///
    /// Metrics and series may be added meanwhile; nobody waits. Each
    /// [collector](Self::collector) is called when its first family is reached.
    pub fn gather(&self) -> Gather {
        self.mark_read();
        Gather::new(self)
    }

    /// Notes that the registry is read, or will be.
    pub(crate) fn mark_read(&self) {
        for registry in self.registries() {
            registry.inner.is_read.store(true, Ordering::Relaxed);
        }
    }

    /// Returns how long the registry has existed.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        let uptimes = self.registries().map(|part| part.inner.started.elapsed());
        uptimes.max().unwrap_or_default()
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
    fn with_scope(self, scope: Scope) -> Self {
        Self {
            inner: self.inner,
            scope: Arc::new(scope),
            additional: self.additional,
        }
    }

    fn table(&self) -> RwLockReadGuard<'_, MetricTable> {
        // Entries are whole after every step, whatever panicked elsewhere.
        let entries = &self.inner.metrics;
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
            .field("metrics", &self.table().iter().count())
            .finish_non_exhaustive()
    }
}
