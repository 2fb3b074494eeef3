//! Metrics of a tokio runtime.

use tokio::runtime::{Handle, RuntimeMetrics};

use crate::error::Error;
use crate::registry::{Collect, CollectSink, Registry};
use crate::snapshot::{Desc, Kind};

const WORKERS: &str = "tokio_workers";
const ALIVE_TASKS: &str = "tokio_alive_tasks";
const QUEUE_DEPTH: &str = "tokio_global_queue_depth";
const BUSY_SECONDS: &str = "tokio_worker_busy_seconds_total";
const PARKS: &str = "tokio_worker_parks_total";

impl Registry {
    /// Adds the metrics of a tokio runtime, with the feature `tokio-metrics`.
    ///
    /// ```
    /// use tachometer::Registry;
    /// use tokio::runtime::Handle;
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), tachometer::Error> {
    /// let registry = Registry::new();
    /// registry.register_tokio_metrics(&Handle::current())?;
    /// assert!(registry.export_prometheus().contains("tokio_workers "));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// | metric | kind | what |
    /// | --- | --- | --- |
    /// | `tokio_workers` | gauge | worker threads |
    /// | `tokio_alive_tasks` | gauge | tasks that have started and not ended |
    /// | `tokio_global_queue_depth` | gauge | tasks that wait in the queue that all workers share |
    /// | `tokio_worker_busy_seconds_total{worker}` | counter | time in which a worker ran tasks |
    /// | `tokio_worker_parks_total{worker}` | counter | times that a worker went to sleep because it had nothing to do |
    ///
    /// A worker whose busy time grows by a second per second has no time to spare. One that is
    /// busy and does not park for long may be blocked. These are the metrics that tokio has
    /// without `tokio_unstable`
    /// (<https://docs.rs/tokio/latest/tokio/runtime/struct.RuntimeMetrics.html>). Those of
    /// workers are missing on platforms without 64-bit atomics.
    ///
    /// The runtime is not kept alive. For several runtimes, register each through a handle with
    /// a [label](Registry::with_labels):
    ///
    /// ```
    /// use tachometer::Registry;
    /// use tokio::runtime::Runtime;
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let registry = Registry::new();
    /// let (requests, jobs) = (Runtime::new()?, Runtime::new()?);
    /// for (name, runtime) in [("requests", &requests), ("jobs", &jobs)] {
    ///     let registry = registry.clone().with_labels([("runtime", name)])?;
    ///     registry.register_tokio_metrics(runtime.handle())?;
    /// }
    /// assert!(registry.export_prometheus().contains("tokio_workers{runtime=\"jobs\"} "));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the registry holds something under one of the names, such as the
    /// metrics of another runtime with the same labels. Then none of them is added.
    #[doc(alias = "runtime")]
    #[doc(alias = "RuntimeMetrics")]
    pub fn register_tokio_metrics(&self, runtime: &Handle) -> Result<(), Error> {
        let collector = TokioCollector {
            metrics: runtime.metrics(),
        };
        self.collector(collector).map_err(|error| {
            error.map_remedy(|_| {
                "register each runtime once, and several through handles with different values of \
                 one label (`Registry::with_labels`); or rename the other metric"
                    .to_owned()
            })
        })
    }
}

/// The collector of a runtime's metrics.
struct TokioCollector {
    metrics: RuntimeMetrics,
}

impl Collect for TokioCollector {
    fn describe(&self) -> Vec<Desc> {
        let always = [
            Desc::new(WORKERS, "Worker threads of the runtime.", Kind::Gauge),
            Desc::new(
                ALIVE_TASKS,
                "Tasks that were spawned and have not ended.",
                Kind::Gauge,
            ),
            Desc::new(
                QUEUE_DEPTH,
                "Tasks that wait in the queue that all workers share.",
                Kind::Gauge,
            ),
        ];
        let by_worker = [
            Desc::new(
                BUSY_SECONDS,
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
        collected.gauge(ALIVE_TASKS, [], metrics.num_alive_tasks());
        collected.gauge(QUEUE_DEPTH, [], metrics.global_queue_depth());
        #[cfg(target_has_atomic = "64")]
        for worker in 0..metrics.num_workers() {
            let name = worker.to_string();
            let labels = [("worker", &*name)];
            let busy = metrics.worker_total_busy_duration(worker);
            collected.counter(BUSY_SECONDS, labels, busy.as_secs_f64());
            collected.counter(PARKS, labels, metrics.worker_park_count(worker));
        }
    }
}
