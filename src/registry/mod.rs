//! Named metrics, and reading them all.
//!
//! The guide [Custom metrics](crate::guides::custom_metrics) explains it by task.
//!
//! A [`Registry`] creates metrics and refuses names that would be ambiguous in a scrape. It
//! knows no exposition format and no HTTP: [`Registry::gather`] returns plain data, one
//! [`SeriesBlock`] at a time.
//!
//! Values that are computed rather than recorded, such as the size of a pool, are registered as
//! functions ([`Registry::gauge_fn`]) or as collectors of whole families ([`Collect`]).
//!
//! A global registry exists for convenience ([`Registry::global`] and the free functions).
//! Nothing in this crate needs it, and registries share nothing. [`Registry::merged`] reads
//! several of them as one.
//!
//! ```
//! use tachometer::Registry;
//!
//! let registry = Registry::new();
//! let jobs = registry.counter("jobs_total", "Jobs done.")?;
//! jobs.inc();
//!
//! // The same name returns the same counter.
//! assert_eq!(registry.counter("jobs_total", "")?.get(), 1.0);
//!
//! // A name has one kind.
//! let error = registry.gauge("jobs_total", "").unwrap_err();
//! assert!(error.is_conflict());
//! # Ok::<(), tachometer::Error>(())
//! ```

mod block_reader;
mod closure_panics;
mod collect;
mod collector_calls;
mod collector_families;
mod create;
mod delivery;
mod global;
mod lazy_metrics;
mod lint;
mod merged_registries;
mod metric_table;
#[cfg(feature = "metrics")]
mod mixed_family;
mod overlapping_series;
mod refusals;
mod register_collectors;
mod registered_collector;
mod running_collectors;
mod scope;
mod self_metrics;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::metric::Metric;
use crate::snapshot::{Desc, Role, SemanticNames, SeriesBlock, now_millis};
pub(crate) use block_reader::BlockReader;
pub use collect::{Collect, CollectSink, CollectedSeries, HistogramValues};
pub(crate) use delivery::Delivery;
pub use global::{
    counter, counter_family, counter_with, gauge, gauge_family, gauge_with, histogram,
    histogram_family, histogram_family_with_buckets, histogram_with, histogram_with_buckets,
};
pub(crate) use lazy_metrics::{LayerMetrics, LazyMetrics};
pub use lint::Lint;
use merged_registries::AdditionalRegistries;
use metric_table::{MetricEntry, MetricTable};
#[cfg(feature = "metrics")]
pub(crate) use refusals::Refusals;
use refusals::RefusalsByCollector;
use registered_collector::CollectorFailures;
use scope::Scope;

/// The metrics of a service by name.
///
/// A clone is a handle to the same registry. See the [module](self) for an example.
#[derive(Clone)]
pub struct Registry {
    inner: Arc<Inner>,
    /// What this handle adds to the metrics that it creates.
    scope: Arc<Scope>,
    /// The registries that are read together with this one.
    additional: Option<Arc<AdditionalRegistries>>,
}

struct Inner {
    started: Instant,
    /// The same moment, in milliseconds since 1970.
    created_millis: u64,
    failures: CollectorFailures,
    refusals: RefusalsByCollector,
    /// Whether it was read, or is served by a router.
    is_read: AtomicBool,
    /// Locked to look up or add a name, but never while a metric is read or recorded or while
    /// user code runs.
    metrics: RwLock<MetricTable>,
}

impl Registry {
    /// Makes an empty registry, which shares nothing with any other.
    #[must_use]
    pub fn new() -> Self {
        let inner = Inner {
            started: Instant::now(),
            created_millis: now_millis(),
            failures: CollectorFailures::default(),
            refusals: RefusalsByCollector::default(),
            is_read: AtomicBool::new(false),
            metrics: RwLock::new(MetricTable::new()),
        };
        Self {
            inner: Arc::new(inner),
            scope: Arc::default(),
            additional: None,
        }
    }

    /// Returns a handle to the same registry that begins every name with `prefix`, exactly as
    /// given, such as `shop_`.
    ///
    /// Prefixes are cumulative. The names of the registry's metrics about itself, which begin
    /// with `tachometer_`, do not change.
    ///
    /// ```
    /// use tachometer::Registry;
    ///
    /// let registry = Registry::new();
    /// let shop = registry.clone().with_prefix("shop_")?.with_labels([("region", "eu")])?;
    /// shop.counter("orders_total", "Orders placed.")?.inc();
    /// assert!(registry.export_prometheus().contains("shop_orders_total{region=\"eu\"} 1"));
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If no name can begin with the prefix ([`Error::is_invalid_name`]).
    #[doc(alias = "namespace")]
    pub fn with_prefix(self, prefix: &str) -> Result<Self, Error> {
        let scope = self.scope.with_prefix(prefix)?;
        Ok(self.with_scope(scope))
    }

    /// Returns a handle to the same registry without a prefix, for metrics that the crate has
    /// about itself.
    pub(crate) fn without_prefix(self) -> Self {
        let scope = self.scope.without_prefix();
        self.with_scope(scope)
    }

    /// Returns a handle to the same registry that adds these constant labels to every series of
    /// the metrics that it creates.
    ///
    /// Constant labels are cumulative. Existing metrics do not change. See
    /// [`with_prefix`](Self::with_prefix) for an example.
    ///
    /// Handles with different values of the same labels can have metrics with the same name.
    /// This is how two layers, two runtimes or two tenants share a registry. The name has one
    /// kind, one help text (the first) and one set of label names. The series of each handle
    /// have a separate limit and, if they are histograms, their own buckets.
    ///
    /// The number of values of a constant label (its cardinality) is not limited. Create handles
    /// at start-up, and never from what a client sends.
    ///
    /// ```
    /// use tachometer::Registry;
    ///
    /// let registry = Registry::new();
    /// for tenant in ["a", "b"] {
    ///     let tenant = registry.clone().with_labels([("tenant", tenant)])?;
    ///     tenant.counter("orders_total", "Orders placed.")?.inc();
    /// }
    /// let text = registry.export_prometheus();
    /// assert!(text.contains("orders_total{tenant=\"a\"} 1\norders_total{tenant=\"b\"} 1\n"));
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the name of a label is not valid or already used, or is `metric` or `collector`, which
    /// the registry's metrics about itself have ([`Error::is_invalid_label`]).
    #[doc(alias = "const_labels")]
    #[doc(alias = "global_labels")]
    pub fn with_labels<'a>(self, labels: impl AsRef<[(&'a str, &'a str)]>) -> Result<Self, Error> {
        let scope = self.scope.with_labels(labels.as_ref())?;
        Ok(self.with_scope(scope))
    }

    /// Returns a handle to the same registry through which the names of metrics and labels may
    /// be any non-empty UTF-8, such as OpenTelemetry's `http.server.duration`.
    ///
    /// Prometheus 3 accepts such names. A scraper that does not request them gets escaped names
    /// instead ([`Escaping`](crate::snapshot::Escaping)). Names that would be escaped to the same
    /// name, such as `a.b` and `a_b`, are refused.
    ///
    /// ```
    /// use tachometer::Registry;
    /// use tachometer::export::Format;
    /// use tachometer::snapshot::Escaping;
    ///
    /// let registry = Registry::new().with_utf8_names();
    /// let calls = registry.counter_family("rpc.calls", "Calls.", ["rpc.system"])?;
    /// calls.with(["grpc"]).inc();
    /// assert!(registry.export_prometheus().contains("rpc_calls_total{rpc_system=\"grpc\"} 1"));
    ///
    /// let utf8 = registry.export(Format::TextV1).escaping(Escaping::Utf8).to_bytes();
    /// let utf8 = String::from_utf8(utf8).expect("text is UTF-8");
    /// assert!(utf8.contains("{\"rpc.calls_total\",\"rpc.system\"=\"grpc\"} 1"));
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    #[must_use]
    #[doc(alias = "OpenTelemetry")]
    pub fn with_utf8_names(self) -> Self {
        let scope = self.scope.with_utf8_names();
        self.with_scope(scope)
    }

    /// Returns a handle to the same registry that gives every new metric this role.
    pub(crate) fn with_role(&self, role: Role) -> Self {
        let scope = self.scope.with_role(role);
        self.clone().with_scope(scope)
    }

    /// Returns a handle to the same registry that gives every new metric these names in OTLP,
    /// unless it has a prefix.
    pub(crate) fn with_semantic_names(&self, names: SemanticNames) -> Self {
        let scope = self.scope.with_semantic_names(names);
        self.clone().with_scope(scope)
    }

    fn with_scope(self, scope: Scope) -> Self {
        Self {
            inner: self.inner,
            scope: Arc::new(scope),
            additional: self.additional,
        }
    }

    /// Returns true if the other is a handle to the same registry and has the same scope.
    #[cfg(feature = "macros")]
    #[inline]
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.inner, &other.inner) && Arc::ptr_eq(&self.scope, &other.scope)
    }

    /// Returns the metric registered under `name`. A counter is also found by its name in a
    /// scrape: `jobs_total` if it was registered as `jobs`.
    ///
    /// JSON, the `metric` label of `tachometer_series` and [`Metric::name`] use the registered
    /// name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Metric> {
        let name = self.scope.name(name);
        if self.additional.is_none() {
            let table = self.table();
            let entry = table.get(&name).or_else(|| table.get_exposed(&name));
            return entry.map(|entry| entry.metric());
        }
        let entries = self.merged_metrics().entries;
        let find = |name_of: fn(&Desc) -> &str| {
            let mut entries = entries.iter();
            entries.find(|entry| name_of(entry.desc()) == name)
        };
        let entry = find(Desc::name).or_else(|| find(Desc::exposed_name));
        entry.map(|entry| entry.metric())
    }

    /// Returns all metrics, sorted by name.
    #[must_use]
    pub fn metrics(&self) -> Vec<Metric> {
        let entries: Vec<Arc<MetricEntry>> = match self.additional {
            Some(_) => self.merged_metrics().entries,
            None => self.table().metrics().to_vec(),
        };
        entries.iter().map(|entry| entry.metric()).collect()
    }

    /// Reads all metrics, sorted by name, one block of series at a time.
    ///
    /// Reading blocks no thread that records, and metrics and series may be added meanwhile. A
    /// [collector](Self::collector) runs before the first block is read.
    #[must_use = "the registry is read as blocks are taken"]
    #[doc(alias = "collect")]
    pub fn gather(&self) -> impl Iterator<Item = SeriesBlock> + Send + use<> {
        self.reader()
    }

    /// Returns the reader behind [`gather`](Self::gather).
    pub(crate) fn reader(&self) -> BlockReader {
        self.mark_read();
        BlockReader::new(self)
    }

    /// Records that the registry is read, or will be.
    pub(crate) fn mark_read(&self) {
        for registry in self.registries() {
            registry.inner.is_read.store(true, Ordering::Relaxed);
        }
    }

    /// Returns true if the registry is read, or will be.
    #[cfg(any(test, feature = "axum"))]
    pub(crate) fn is_read(&self) -> bool {
        self.inner.is_read.load(Ordering::Relaxed)
    }

    /// Returns how long the registry has existed.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        let uptimes = self.registries().map(|r| r.inner.started.elapsed());
        uptimes.max().unwrap_or_default()
    }

    /// Resets every series of every metric to zero. Names, help texts and handles stay valid.
    ///
    /// Gauges of work in progress, such as the layer's `http_requests_in_flight`, keep their
    /// values, since that work will still end.
    pub fn reset_all(&self) {
        for metric in self.metrics() {
            metric.reset();
        }
    }

    fn table(&self) -> RwLockReadGuard<'_, MetricTable> {
        // The table is complete after every step, even if another thread panicked.
        let metrics = &self.inner.metrics;
        metrics.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn table_mut(&self) -> RwLockWriteGuard<'_, MetricTable> {
        let metrics = &self.inner.metrics;
        metrics.write().unwrap_or_else(PoisonError::into_inner)
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
            .field("metrics", &self.table().metrics().len())
            .finish_non_exhaustive()
    }
}
