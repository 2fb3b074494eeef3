//! What a collector implements, and what it writes to.

mod collected_family;
mod collected_series;
mod histogram_values;
mod sink;

#[cfg(test)]
mod tests;

use std::any::{self, Any};

use crate::snapshot::Desc;
pub(super) use collected_family::CollectedFamily;
pub use collected_series::CollectedSeries;
pub use histogram_values::HistogramValues;
pub use sink::CollectSink;

/// Families whose series are computed each time they are read, such as the state of a
/// connection pool, of a runtime or of the operating system.
///
/// A collector is called without any lock held, on the thread that reads the registry, before
/// any series is read. It is called concurrently if several threads read the registry. The
/// registry keeps it until the registry itself is dropped. A collector that holds a handle to
/// its own registry keeps both alive forever.
///
/// What happens if a collector fails:
///
/// - If it panics, its families are left out of that read, and
///   `tachometer_collector_panics_total` is incremented.
/// - If a call has not returned after 10 seconds, later reads leave the collector out until it
///   returns, and `tachometer_collector_skips_total` is incremented. The read that waits for the
///   call is not ended.
/// - If it reads its own registry, it does not see the families of that registry's collectors.
///
/// ```
/// use tachometer::registry::{Collect, CollectSink};
/// use tachometer::snapshot::{Desc, Kind};
/// use tachometer::Registry;
///
/// struct Pool;
///
/// impl Collect for Pool {
///     fn describe(&self) -> Vec<Desc> {
///         vec![Desc::new("pool_connections", "Connections, by state.", Kind::Gauge)]
///     }
///
///     fn collect(&self, sink: &mut CollectSink<'_>) {
///         sink.gauge("pool_connections", [("state", "idle")], 3);
///         sink.gauge("pool_connections", [("state", "used")], 1);
///     }
/// }
///
/// let registry = Registry::new();
/// registry.collector(Pool)?;
/// assert!(registry.export_prometheus().contains("pool_connections{state=\"idle\"} 3"));
/// # Ok::<(), tachometer::Error>(())
/// ```
#[doc(alias = "Collector")]
pub trait Collect: Any + Send + Sync {
    /// Returns the families that [`collect`](Self::collect) fills. It is called once, when the
    /// collector is registered, and a name that is taken is an error there.
    ///
    /// Families that are not known yet are registered by [`CollectSink::family`].
    fn describe(&self) -> Vec<Desc> {
        Vec::new()
    }

    /// Writes the current series of these families.
    fn collect(&self, sink: &mut CollectSink<'_>);

    /// Returns the name of the collector in warnings and in the label `collector` of
    /// `tachometer_series_refused_total`. The default is the name of the type, without its path.
    fn name(&self) -> &str {
        let name = any::type_name::<Self>();
        let path = name.split('<').next().unwrap_or(name);
        path.rsplit("::").next().unwrap_or(path)
    }
}
