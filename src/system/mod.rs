//! What the machine, the process and its container use, read when a scrape asks for it.
//!
//! [`metrics_router`](crate::router::metrics_router) adds it to the registry that it serves.
//! Elsewhere one line does:
//!
//! ```
//! use tachometer::{Registry, SystemMetrics};
//!
//! let registry = Registry::new();
//! SystemMetrics::new().register(&registry)?;
//! assert!(registry.export_prometheus().contains("process_cpu_seconds_total "));
//! # Ok::<(), tachometer::Error>(())
//! ```
//!
//! | metric | kind | what |
//! | --- | --- | --- |
//! | `system_memory_bytes` | gauge | memory of the machine that is in use: all but what is available to programs |
//! | `system_memory_percent` | gauge | the same, of all its memory: 0 to 100 |
//! | `system_cpu_percent` | gauge | how busy all its CPUs were since the reading before: 0 to 100 |
//! | `process_cpu_percent` | gauge | CPU time of the process since the reading before: 100 is one CPU that is always busy, and several make more |
//! | `process_memory_bytes` | gauge | resident memory of the process |
//! | `process_cpu_seconds_total` | counter | CPU time of the process, of the user's and the system's code |
//! | `process_resident_memory_bytes` | gauge | the same as `process_memory_bytes`, by its usual name |
//! | `process_virtual_memory_bytes` | gauge | address space of the process |
//! | `process_open_fds`, `process_max_fds` | gauge | file descriptors that are open, and how many may be (Linux and some others) |
//! | `process_start_time_seconds` | gauge | when the process began, in seconds since 1970 |
//! | `process_threads` | gauge | threads of the process (Linux) |
//! | `container_memory_bytes`, `container_memory_limit_bytes` | gauge | memory that the container is charged for, and how much that may be |
//! | `container_memory_reclaimable_bytes` | gauge | how much of it is the cache of files that the kernel takes back first |
//! | `container_cpu_seconds_total`, `container_cpu_throttled_seconds_total` | counter | CPU time of the container, and time in which it had to wait since it was at its limit |
//! | `container_cpu_limit_cores` | gauge | how many CPUs' time it may take |
//!
//! The names of the process's are those of
//! <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>. The
//! container's are not those of `cAdvisor`, so that what one sums over a cluster is not
//! counted twice; they come from the cgroup, of version 2 or 1, in which the process is, and
//! are there where that is a container's or has a limit. What a platform does not tell is
//! left out.
//!
//! A reading is taken when a scrape asks for it, and at most once in an
//! [interval](SystemMetrics::interval); no request ever waits for one, and no scrape sleeps
//! for one. A share of CPU time needs two, of which the first is taken when the metrics are
//! registered.

mod cgroup;
mod collector;
mod families;
mod kernel_files;
mod process;
mod reader;
mod reading;
mod updater;

use std::time::Duration;

use crate::error::Error;
use crate::registry::Registry;

pub use updater::SystemMetricsUpdater;

/// The settings of the metrics of the machine, the process and its container. See the
/// [module](self).
#[derive(Debug, Clone)]
#[must_use = "call `register` to add the metrics to a registry"]
pub struct SystemMetrics {
    interval: Duration,
}

impl SystemMetrics {
    /// Begins with an interval of a second.
    pub fn new() -> Self {
        Self {
            interval: Duration::from_secs(1),
        }
    }

    /// Takes a reading at most once in so long; whoever reads the registry before sees the
    /// last one. By default a second.
    pub fn interval(self, interval: Duration) -> Self {
        Self { interval }
    }

    /// Adds the metrics to a registry, unless it has them already, and takes the first
    /// reading. A handle with constant labels adds them with these labels.
    ///
    /// # Errors
    ///
    /// If the registry has something else under one of their names, such as the same metrics
    /// without the handle's labels. The others are added.
    pub fn register(&self, registry: &Registry) -> Result<(), Error> {
        let (_, conflict) = collector::attach(self, registry);
        conflict.map_or(Ok(()), Err)
    }

    /// Does so, and warns of names that are taken.
    #[cfg(feature = "axum")]
    pub(crate) fn register_or_warn(&self, registry: &Registry) {
        collector::attach_or_warn(self, registry);
    }
}

impl Default for SystemMetrics {
    fn default() -> Self {
        Self::new()
    }
}
