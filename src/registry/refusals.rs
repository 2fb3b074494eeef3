//! Series of collectors and of other libraries that the registry does not accept.

use std::collections::HashSet;
use std::fmt::Display;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::metric::Counter;
use crate::registry::Registry;

/// A warning is logged for at most this many metrics of a collector, so that invented names cannot
/// fill the memory.
const MAX_WARNINGS: usize = 1_000;

/// Counts the series of one collector, or of one bridge to another library, that are left out.
pub(crate) struct Refusals {
    /// The name of the collector.
    collector: Box<str>,
    count: Counter,
    /// Whether the count is exported while it is 0.
    is_exported: AtomicBool,
    /// The metrics for which a warning was logged.
    warned: Mutex<HashSet<Box<str>>>,
}

/// The counts of a registry, by collector.
#[derive(Default)]
pub(super) struct RefusalsByCollector(Mutex<Vec<Arc<Refusals>>>);

impl Registry {
    /// Returns the count for the collector, or the bridge, of this name. All collectors of a name
    /// share it. It is in each scrape from now on.
    pub(crate) fn refusals(&self, collector: &str) -> Arc<Refusals> {
        let refusals = self.inner.refusals.get(collector);
        refusals.is_exported.store(true, Ordering::Relaxed);
        refusals
    }
}

impl RefusalsByCollector {
    /// Returns the count for a collector. It is exported once it is not 0.
    pub(super) fn get(&self, collector: &str) -> Arc<Refusals> {
        let mut refusals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let existing = refusals.iter().find(|other| *other.collector == *collector);
        if let Some(existing) = existing {
            return Arc::clone(existing);
        }
        let new = Arc::new(Refusals {
            collector: collector.into(),
            count: Counter::new(),
            is_exported: AtomicBool::new(false),
            warned: Mutex::default(),
        });
        refusals.push(Arc::clone(&new));
        new
    }

    /// Returns the number of refused series of each collector whose count is exported.
    pub(super) fn counts(&self) -> Vec<(Box<str>, u64)> {
        let refusals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = |refusals: &Arc<Refusals>| {
            let count = refusals.count.get_u64();
            let is_exported = count > 0 || refusals.is_exported.load(Ordering::Relaxed);
            is_exported.then(|| (refusals.collector.clone(), count))
        };
        refusals.iter().filter_map(count).collect()
    }
}

impl Refusals {
    /// Counts series of a metric that are left out, and logs a warning for the first.
    pub(crate) fn refuse(&self, metric: &str, series: u64, reason: &dyn Display) {
        if series > 0 {
            self.count.inc_by(series);
            self.warn(metric, reason);
        }
    }

    /// Logs a warning for a metric whose series are left out, unless there was one.
    pub(crate) fn warn(&self, metric: &str, reason: &dyn Display) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.len() >= MAX_WARNINGS || warned.contains(metric) {
            return;
        }
        warned.insert(metric.into());
        drop(warned);
        tracing::warn!(
            collector = &*self.collector,
            metric,
            %reason,
            "the series of a metric are left out; `tachometer_series_refused_total` counts them"
        );
    }
}

#[cfg(test)]
#[cfg(not(tachometer_loom))]
mod tests {
    use super::*;

    #[test]
    fn invented_names_do_not_fill_the_memory() {
        let registry = Registry::new();
        let refusals = registry.refusals("library");
        for number in 0..MAX_WARNINGS + 10 {
            refusals.refuse(&number.to_string(), 2, &"taken");
        }
        assert_eq!(refusals.warned.lock().unwrap().len(), MAX_WARNINGS);
        assert_eq!(refusals.count.get_u64(), 2 * (MAX_WARNINGS as u64 + 10));
    }
}
