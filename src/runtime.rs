//! What a runtime of tokio's knows of itself, by choice.
//!
//! ```
//! use tachometer::{Registry, TokioMetrics};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), tachometer::Error> {
//! let registry = Registry::new();
//! TokioMetrics::current().register(&registry)?;
//! assert!(registry.export_prometheus().contains("tokio_workers "));
//! # Ok(())
//! # }
//! ```
//!
//! | metric | kind | what |
//! | --- | --- | --- |
//! | `tokio_workers` | gauge | worker threads |
//! | `tokio_alive_tasks` | gauge | tasks that have begun and not ended |
//! | `tokio_global_queue_depth` | gauge | tasks that wait to run in the queue that all workers share |
//! | `tokio_worker_busy_seconds_total{worker}` | counter | time in which a worker ran tasks |
//! | `tokio_worker_parks_total{worker}` | counter | times that a worker went to sleep, since it had nothing to do |
//!
//! A worker whose busy time grows by a second in each second has no time to spare; one that
//! is busy and does not go to sleep for long may be blocked. These are what tokio tells
//! without `tokio_unstable`
//! (<https://docs.rs/tokio/latest/tokio/runtime/struct.RuntimeMetrics.html>); on platforms
//! without 64-bit atomics the workers' are missing.

use std::fmt;

use tokio::runtime::{Handle, RuntimeMetrics};

use crate::error::Error;
use crate::registry::{Collect, CollectSink, Registry};
use crate::snapshot::{Desc, Kind};

/// The metrics of a runtime. See the [module](self).
#[must_use = "call `register` to add the metrics to a registry"]
pub struct TokioMetrics {
    metrics: RuntimeMetrics,
}

const WORKERS: &str = "tokio_workers";
const TASKS: &str = "tokio_alive_tasks";
const QUEUE: &str = "tokio_global_queue_depth";
const BUSY: &str = "tokio_worker_busy_seconds_total";
const PARKS: &str = "tokio_worker_parks_total";

impl fmt::Debug for TokioMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokioMetrics")
            .field("workers", &self.metrics.num_workers())
            .finish_non_exhaustive()
    }
}

impl TokioMetrics {
    /// Takes the runtime that calls this.
    ///
    /// # Panics
    ///
    /// When no runtime does; [`for_handle`](Self::for_handle) takes one that is at hand.
    #[track_caller]
    pub fn current() -> Self {
        Self::for_handle(&Handle::current())
    }

    /// Takes a runtime; it is not kept alive by this.
    pub fn for_handle(runtime: &Handle) -> Self {
        Self {
            metrics: runtime.metrics(),
        }
    }

    /// Adds the metrics to a registry. For several runtimes, register each through a handle
    /// with a [label](Registry::with_labels) of its own:
    ///
    /// ```
    /// use tachometer::{Registry, TokioMetrics};
    /// use tokio::runtime::Runtime;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let registry = Registry::new();
    /// let (requests, jobs) = (Runtime::new()?, Runtime::new()?);
    /// for (name, runtime) in [("requests", &requests), ("jobs", &jobs)] {
    ///     let registry = registry.clone().with_labels([("runtime", name)])?;
    ///     TokioMetrics::for_handle(runtime.handle()).register(&registry)?;
    /// }
    /// assert!(registry.export_prometheus().contains("tokio_workers{runtime=\"jobs\"} "));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the registry has something under one of their names, such as those of another
    /// runtime with the same labels. Then none of them is added.
    pub fn register(self, registry: &Registry) -> Result<(), Error> {
        registry.collector(self)
    }
}

impl Collect for TokioMetrics {
    fn describe(&self) -> Vec<Desc> {
        let always = [
            Desc::new(WORKERS, "Worker threads of the runtime.", Kind::Gauge),
            Desc::new(
                TASKS,
                "Tasks that were spawned and have not ended.",
                Kind::Gauge,
            ),
            Desc::new(
                QUEUE,
                "Tasks that wait in the queue that all workers share.",
                Kind::Gauge,
            ),
        ];
        let by_worker = [
            Desc::new(
                BUSY,
                "Time for which a worker was busy, in seconds.",
                Kind::Counter,
            ),
            Desc::new(
                PARKS,
                "Times that a worker went to sleep because it had nothing to do.",
                Kind::Counter,
            ),
        ];
        let has_workers = cfg!(target_has_atomic = "64");
        let by_worker = by_worker.into_iter().filter(|_| has_workers);
        always.into_iter().chain(by_worker).collect()
    }

    fn collect(&self, collected: &mut CollectSink<'_>) {
        let Self { metrics } = self;
        collected.gauge(WORKERS, [], metrics.num_workers());
        collected.gauge(TASKS, [], metrics.num_alive_tasks());
        collected.gauge(QUEUE, [], metrics.global_queue_depth());
        #[cfg(target_has_atomic = "64")]
        for worker in 0..metrics.num_workers() {
            let name = worker.to_string();
            let labels = [("worker", &*name)];
            let busy = metrics.worker_total_busy_duration(worker);
            collected.counter(BUSY, labels, busy.as_secs_f64());
            collected.counter(PARKS, labels, metrics.worker_park_count(worker));
        }
    }
}
