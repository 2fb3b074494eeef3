//! Updates of the system metrics without a scrape.

use std::fmt;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::registry::Registry;
use crate::system::collector::{DEFAULT_INTERVAL, SystemCollector, register_or_warn};
use crate::system::reader::SystemReader;

/// A thread that updates the system metrics of a registry at an interval. Dropping this stops
/// it.
///
/// [`Registry::update_system_metrics_every`] returns it.
#[must_use = "the updates stop when this is dropped"]
pub struct SystemMetricsUpdater {
    /// `None` if the thread could not be started. The thread stops when the sender is dropped.
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

impl SystemMetricsUpdater {
    fn start(collector: SystemCollector, interval: Duration) -> Self {
        let (stop, stopped) = channel();
        let run = move || {
            // Nothing is ever sent: the loop ends when the sender is dropped.
            while let Err(RecvTimeoutError::Timeout) = stopped.recv_timeout(interval) {
                collector.update();
            }
        };
        let thread = Builder::new().name("tachometer".to_owned()).spawn(run);
        if let Err(error) = &thread {
            tracing::warn!(
                %error,
                "the thread that updates the system metrics cannot be started; scrapes and \
                 exports still update them"
            );
        }
        Self {
            thread: thread.ok().map(|thread| (stop, thread)),
        }
    }
}

impl fmt::Debug for SystemMetricsUpdater {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemMetricsUpdater")
            .finish_non_exhaustive()
    }
}

impl Drop for SystemMetricsUpdater {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.thread.take() {
            drop(stop);
            // An error means that a reading panicked. The panic was already reported.
            let _ = thread.join();
        }
    }
}

impl Registry {
    /// Reads the system metrics now, and registers them if the registry does not have them yet.
    /// See [`SystemMetrics`](crate::SystemMetrics).
    ///
    /// Scrapes and exports read them without this call. The first call sleeps for up to 0.2
    /// seconds, since a CPU percentage covers a period of time: call it at start-up or on a
    /// separate thread, or in async code use
    /// [`update_system_metrics_every`](Self::update_system_metrics_every).
    ///
    /// A metric whose name is already in use is omitted, and a warning is logged.
    ///
    /// ```
    /// let registry = tachometer::Registry::new();
    /// registry.update_system_metrics();
    /// let memory = registry.get("system_memory_bytes").map(|metric| metric.value());
    /// # assert!(memory.is_some_and(|memory| memory > 0.0));
    /// ```
    pub fn update_system_metrics(&self) {
        register_or_warn(DEFAULT_INTERVAL, self).update_with_cpu_usage();
    }

    /// Calls [`update_system_metrics`](Self::update_system_metrics) at an interval on a
    /// background thread, until the returned value is dropped.
    ///
    /// The shortest interval is 0.2 seconds; shorter ones are raised to it.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let registry = tachometer::Registry::new();
    /// let _updater = registry.update_system_metrics_every(Duration::from_secs(60));
    /// ```
    pub fn update_system_metrics_every(&self, interval: Duration) -> SystemMetricsUpdater {
        let collector = register_or_warn(DEFAULT_INTERVAL, self);
        let interval = interval.max(SystemReader::MIN_CPU_INTERVAL);
        SystemMetricsUpdater::start(collector, interval)
    }
}
