//! A registry, read and encoded: as one text, or a chunk at a time.
//!
//! ```
//! use tachometer::Registry;
//!
//! let registry = Registry::new();
//! registry.counter("jobs_total", "Jobs done.")?.inc();
//! assert_eq!(
//!     registry.export_prometheus(),
//!     "# HELP jobs_total Jobs done.\n# TYPE jobs_total counter\njobs_total 1\n"
//! );
//! # Ok::<(), tachometer::Error>(())
//! ```

mod chunks;
mod format;

#[cfg(feature = "axum")]
pub(crate) use chunks::Chunks;
#[cfg(not(feature = "axum"))]
use chunks::Chunks;
pub use format::Format;

use crate::registry::Registry;

impl Registry {
    /// Returns all metrics in Prometheus's text format 0.0.4.
    #[must_use]
    pub fn export_prometheus(&self) -> String {
        Chunks::new(self, Format::Text).collect()
    }

    /// Returns all metrics as JSON: `{"timestamp", "uptime_seconds", "metrics":
    /// {KEY: {"type", "value", "timestamp", "labels", "help"}}}`.
    ///
    /// The key is the metric's name, or `name{k="v"}` for a series with labels.
    /// A histogram's value is `{"count", "sum", "min", "max", "mean", "buckets"}`,
    /// and `"p50"`, `"p95"`, `"p99"` when it is not empty.
    #[must_use]
    pub fn export_json(&self) -> String {
        Chunks::new(self, Format::Json).collect()
    }
}
