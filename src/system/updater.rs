//! Readings that are taken again and again.

use std::fmt;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use crate::system::collector::SystemCollector;

/// The readings that [`Registry::update_system_metrics_every`] takes, until this is dropped.
///
/// [`Registry::update_system_metrics_every`]: crate::Registry::update_system_metrics_every
#[must_use = "the updates end when this is dropped"]
pub struct SystemMetricsUpdater {
    /// None where the system has no thread to spare.
    thread: Option<(Sender<()>, JoinHandle<()>)>,
}

impl SystemMetricsUpdater {
    pub(super) fn start(attached: SystemCollector, interval: Duration) -> Self {
        let (end, ended) = channel();
        let updates = move || {
            // Nobody sends anything: the wait ends with the sender.
            while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(interval) {
                attached.update();
            }
        };
        let thread = Builder::new().name("tachometer".to_owned()).spawn(updates);
        if let Err(error) = &thread {
            tracing::warn!(
                %error,
                "the system's metrics are not updated by themselves, for want of a thread; \
                 whoever reads the registry still has fresh ones"
            );
        }
        Self {
            thread: thread.ok().map(|thread| (end, thread)),
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
        if let Some((end, thread)) = self.thread.take() {
            drop(end);
            // It panics only where a reading does, which the panic has told already.
            let _ = thread.join();
        }
    }
}
