//! A collector that was registered, and how it is run.

#[cfg(feature = "system")]
use std::any::Any;
use std::cell::RefCell;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::metric::{AnySet, Counter, Limits, Names, ReadId, SeriesCursor};
#[cfg(feature = "system")]
use crate::registry::Registry;
use crate::registry::collect::{Collect, CollectSink};
use crate::snapshot::{Desc, Labels, SeriesBlock};

/// A collector and the families that it fills.
pub(super) struct RegisteredCollector {
    pub(super) collector: Box<dyn Collect>,
    /// The address of the registry.
    pub(super) registry_address: usize,
    pub(super) constant: Labels,
    pub(super) names: Names,
    pub(super) families: Vec<DescribedFamily>,
    /// When it was registered, in milliseconds since 1970.
    pub(super) created_millis: u64,
    /// The registry's count of panics.
    pub(super) panics: Counter,
    /// Whether a panic has been logged.
    pub(super) has_warned: AtomicBool,
}

/// A family that a collector has described.
pub(super) struct DescribedFamily {
    /// The name that the collector uses.
    pub(super) name: Box<str>,
    /// The family as it is registered.
    pub(super) desc: Arc<Desc>,
    /// How many of its series were refused.
    pub(super) invalid: Counter,
}

impl RegisteredCollector {
    /// Calls the collector, and returns the blocks of each family. Returns nothing if it
    /// panics, or if this thread is running a collector of the same registry.
    pub(super) fn run(&self) -> Vec<Vec<SeriesBlock>> {
        let Some(_guard) = RunGuard::enter(self.registry_address) else {
            return Vec::new();
        };
        let mut sink = CollectSink::new(
            &self.constant,
            self.names,
            self.families.iter().map(|f| (&*f.name, &f.desc)),
        );
        // After a panic the sink is dropped. The collector's state is its author's concern.
        let result = catch_unwind(AssertUnwindSafe(|| self.collector.collect(&mut sink)));
        if result.is_err() {
            self.record_panic();
            return Vec::new();
        }
        let mut families = Vec::with_capacity(self.families.len());
        for (collected, family) in sink.families_mut().iter_mut().zip(&self.families) {
            if collected.invalid > 0 {
                family.invalid.inc_by(collected.invalid);
            }
            let mut blocks = mem::take(&mut collected.blocks);
            // A block is empty if its only series was refused.
            blocks.retain(|block| !block.labels.is_empty());
            for block in &mut blocks {
                block.created_millis = vec![self.created_millis; block.labels.len()];
                block.is_computed = true;
            }
            families.push(blocks);
        }
        families
    }

    /// Returns a copy of the collector if it is of type `C`.
    #[cfg(feature = "system")]
    pub(super) fn downcast<C: Collect + Clone>(&self) -> Option<C> {
        let collector: &dyn Any = &*self.collector;
        collector.downcast_ref::<C>().cloned()
    }

    fn record_panic(&self) {
        self.panics.inc();
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                metric = self.families.first().map(|family| family.desc.name()),
                "a collector panicked, so its metrics are missing from the scrape: see the panic \
                 message; `tachometer_collector_panics_total` counts further panics"
            );
        }
    }
}

#[cfg(feature = "system")]
impl Registry {
    /// Returns the collectors of type `C` that compute the metric `name`, each with the
    /// constant labels of its series.
    pub(crate) fn collectors_of<C: Collect + Clone>(&self, name: &str) -> Vec<(Labels, C)> {
        let name = self.scope.name(name);
        let mut collectors = Vec::new();
        for registry in self.registries() {
            let table = registry.table();
            let groups = table.get(&name).into_iter().flat_map(|entry| &entry.groups);
            for (registered, _) in groups.filter_map(|group| group.collector.as_ref()) {
                let collector = registered.downcast();
                collectors.extend(collector.map(|c| (registered.constant.clone(), c)));
            }
        }
        collectors
    }
}

/// While it exists, the current thread is running a collector.
struct RunGuard;

thread_local! {
    /// The addresses of the registries whose collectors this thread is running.
    static RUNNING: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

impl RunGuard {
    /// Returns `None` if this thread is running a collector of the registry already: that
    /// collector reads its own registry, and would call itself without end.
    fn enter(registry_address: usize) -> Option<Self> {
        let enter = |running: &RefCell<Vec<usize>>| {
            let mut running = running.borrow_mut();
            let is_new = !running.contains(&registry_address);
            is_new.then(|| running.push(registry_address))
        };
        // While a thread is being destroyed it has no list any more, and runs no collector.
        RUNNING.try_with(enter).ok().flatten().map(|()| Self)
    }
}

impl Drop for RunGuard {
    fn drop(&mut self) {
        let _ = RUNNING.try_with(|running| running.borrow_mut().pop());
    }
}

/// One family of a collector, as a set of series.
pub(super) struct ComputedFamily {
    pub(super) collector: Arc<RegisteredCollector>,
    /// The index of the family.
    pub(super) index: usize,
}

impl ComputedFamily {
    fn family(&self) -> &DescribedFamily {
        &self.collector.families[self.index]
    }

    fn blocks(&self) -> Vec<SeriesBlock> {
        let mut families = self.collector.run();
        if self.index < families.len() {
            families.swap_remove(self.index)
        } else {
            Vec::new()
        }
    }
}

impl AnySet for ComputedFamily {
    fn desc(&self) -> &Arc<Desc> {
        &self.family().desc
    }

    fn label_names(&self) -> &[Box<str>] {
        &[]
    }

    fn constant_labels(&self) -> &Labels {
        &self.collector.constant
    }

    fn len(&self) -> usize {
        self.blocks().iter().map(|block| block.labels.len()).sum()
    }

    fn invalid_count(&self) -> u64 {
        self.family().invalid.get_u64()
    }

    fn limits(&self) -> Option<&Limits> {
        None
    }

    /// Returns `None`: a reader of the registry runs the collector once for all its families.
    fn block(&self, _: &mut SeriesCursor) -> Option<SeriesBlock> {
        None
    }

    fn total(&self) -> f64 {
        let blocks = self.blocks();
        let totals = blocks.iter().map(|block| block.values.total());
        totals.fold(0.0, |sum, total| sum + total)
    }

    fn reset(&self) {}

    fn expire(&self, _: ReadId) -> bool {
        false
    }

    fn deliver(&self, _: ReadId) {}

    fn expired_count(&self) -> Option<u64> {
        None
    }
}
