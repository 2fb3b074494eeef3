//! Metrics of the machine, the process and its container, read when a scrape asks for them.
//!
//! [`metrics_router`](crate::router::metrics_router) registers them in the registry that it
//! serves. Without the router, register them yourself:
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
//! | metric | kind | description |
//! | --- | --- | --- |
//! | `system_memory_bytes` | gauge | memory in use on the machine: all memory that is not available to programs |
//! | `system_memory_percent` | gauge | the same, as a share of the machine's memory: 0 to 100 |
//! | `system_cpu_percent` | gauge | usage of all CPUs since the last reading: 0 to 100 |
//! | `process_cpu_percent` | gauge | CPU time of the process since the last reading: 100 is one CPU in use all the time, and several CPUs can exceed 100 |
//! | `process_memory_bytes` | gauge | resident memory of the process |
//! | `process_cpu_seconds_total` | counter | user and system CPU time of the process |
//! | `process_resident_memory_bytes` | gauge | the same as `process_memory_bytes`, under Prometheus's usual name |
//! | `process_virtual_memory_bytes` | gauge | virtual memory of the process |
//! | `process_open_fds`, `process_max_fds` | gauge | open file descriptors, and their limit (Linux and some other platforms) |
//! | `process_start_time_seconds` | gauge | start time of the process, in seconds since 1970 |
//! | `process_threads` | gauge | threads of the process (Linux) |
//! | `container_memory_bytes`, `container_memory_limit_bytes` | gauge | memory charged to the container, and its limit |
//! | `container_memory_reclaimable_bytes` | gauge | the part of it that is inactive file cache, which the kernel reclaims first |
//! | `container_cpu_seconds_total`, `container_cpu_throttled_seconds_total` | counter | CPU time of the container, and time for which it was throttled at its limit |
//! | `container_cpu_limit_cores` | gauge | CPU limit of the container, in CPUs |
//!
//! The names of the process metrics are those of
//! <https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics>. The container
//! metrics have other names than those of `cAdvisor`, so that sums over a cluster count nothing
//! twice. They are read from the cgroup of the process, version 2 or 1, and exist only if it
//! belongs to a container or has a limit. A value that the platform does not provide is omitted.
//!
//! A scrape takes a new reading if the last one is older than the
//! [interval](SystemMetrics::interval). No request waits for a reading, and no scrape sleeps for
//! one. CPU percentages need two readings; the first one is taken at registration.

mod cgroup;
mod collector;
mod families;
mod kernel_files;
mod process;
mod reader;
mod reading;
mod system_metrics;
mod updater;

pub use system_metrics::SystemMetrics;
pub use updater::SystemMetricsUpdater;
