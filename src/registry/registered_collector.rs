//! A collector that was registered, and how it is run.

use std::any::Any;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, Weak};

use crate::error::{Conflict, Error};
use crate::metric::{AnySet, Counter, Limits, ReadId, SeriesCursor, is_same_when_escaped};
use crate::registry::collect::{Collect, CollectSink, CollectedFamily};
use crate::registry::collector_calls::CollectorCalls;
use crate::registry::collector_families::{CollectorFamilies, DescribedFamily, MAX_FAMILIES};
use crate::registry::metric_table::SeriesGroup;
use crate::registry::refusals::Refusals;
use crate::registry::running_collectors::RunGuard;
use crate::registry::scope::Scope;
use crate::registry::{Inner, Registry};
use crate::snapshot::{Desc, Labels, SeriesBlock};

/// A collector and the families that it fills.
pub(crate) struct RegisteredCollector {
    pub(super) collector: Box<dyn Collect>,
    pub(super) name: Box<str>,
    pub(super) registry: Weak<Inner>,
    /// That of the handle through which it was registered.
    pub(super) scope: Arc<Scope>,
    pub(super) families: RwLock<CollectorFamilies>,
    /// Whether a read of some families must run it, since it may add one of them. True if it has
    /// described no family, or has added one.
    pub(super) may_add_families: AtomicBool,
    pub(super) refusals: Arc<Refusals>,
    /// When it was registered, in milliseconds since 1970.
    pub(super) created_millis: u64,
    pub(super) calls: CollectorCalls,
    pub(super) failures: CollectorFailures,
    pub(super) has_warned_of_panic: AtomicBool,
    pub(super) has_warned_of_skip: AtomicBool,
}

/// The registry's counts of reads that a collector is left out of.
#[derive(Clone, Default)]
pub(super) struct CollectorFailures {
    pub(super) panics: Counter,
    /// Reads during a call that hangs.
    pub(super) skips: Counter,
}

impl RegisteredCollector {
    /// Calls the collector, and returns the blocks of each family. Returns nothing if it
    /// panics, if an earlier call hangs, or if this thread is running a collector of the same
    /// registry.
    pub(super) fn run(self: &Arc<Self>) -> Vec<Vec<SeriesBlock>> {
        let Some(_guard) = RunGuard::enter(self.registry.as_ptr().addr()) else {
            return Vec::new();
        };
        let Some(_call) = self.calls.start() else {
            self.record_skip();
            return Vec::new();
        };
        let mut sink = CollectSink::new(self);
        // After a panic the sink is dropped. The collector's state is its author's concern.
        let result = catch_unwind(AssertUnwindSafe(|| self.collector.collect(&mut sink)));
        if let Err(payload) = result {
            drop_payload(payload);
            self.record_panic();
            return Vec::new();
        }
        let families = sink.into_families().into_iter();
        families
            .map(|collected| collected.map_or_else(Vec::new, finish))
            .collect()
    }

    /// Returns the family that the collector calls `name`, and its index.
    pub(super) fn family(&self, name: &str) -> Option<(usize, Arc<DescribedFamily>)> {
        let families = self.families();
        let (index, family) = families.get(name)?;
        Some((index, Arc::clone(family)))
    }

    /// Registers a family unless the collector has it.
    pub(super) fn add_family(self: &Arc<Self>, desc: &Desc) -> Result<(), Error> {
        let result = match self.family(desc.name()) {
            Some((_, family)) => family.update(desc),
            None => self.register_family(desc),
        };
        if let Err(error) = &result {
            self.refusals.warn(desc.name(), error);
        }
        result
    }

    fn register_family(self: &Arc<Self>, desc: &Desc) -> Result<(), Error> {
        let name = desc.name();
        self.may_add_families.store(true, Ordering::Relaxed);
        let Some(inner) = self.registry.upgrade() else {
            return Err(Error::conflict(
                Conflict::Other,
                format_args!("the registry of the metric {name:?} does not exist any more"),
                "keep a handle to it",
            ));
        };
        let registry = Registry {
            inner,
            scope: Arc::clone(&self.scope),
            additional: None,
        };
        let mut families = self
            .families
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        // Another thread that runs the collector may have added it.
        if let Some((_, family)) = families.get(name) {
            return family.update(desc);
        }
        if families.len() >= MAX_FAMILIES {
            return Err(Error::conflict(
                Conflict::Other,
                format_args!(
                    "the collector {:?} already has {MAX_FAMILIES} families, so the metric \
                     {name:?} is not added",
                    &*self.name
                ),
                "use labels for what differs between its names",
            ));
        }
        let family = Arc::new(registry.described_family(desc)?);
        let group = ComputedFamily::group(self, &family, families.len());
        registry.table_mut().insert_all(vec![group])?;
        families.push(family);
        Ok(())
    }

    /// Returns true if all label names are valid, and each is given once.
    pub(super) fn has_valid_names(&self, labels: &[(&str, &str)]) -> bool {
        labels.iter().enumerate().all(|(position, (name, _))| {
            let mut before = labels[..position].iter();
            let is_repeated = before.any(|(other, _)| is_same_when_escaped(other, name));
            let mut constant = self.scope.labels().pairs();
            let is_constant = constant.any(|(other, _)| is_same_when_escaped(&other, name));
            !is_repeated && !is_constant && self.scope.names().check_label("", name).is_ok()
        })
    }

    pub(super) fn families(&self) -> RwLockReadGuard<'_, CollectorFamilies> {
        self.families.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a copy of the collector if it is of type `C`.
    #[cfg(feature = "system")]
    pub(super) fn downcast<C: Collect + Clone>(&self) -> Option<C> {
        let collector: &dyn Any = &*self.collector;
        collector.downcast_ref::<C>().cloned()
    }

    fn record_panic(&self) {
        self.failures.panics.inc();
        if !self.has_warned_of_panic.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                collector = &*self.name,
                "a collector panicked, so its metrics are missing from the scrape: see the panic \
                 message; `tachometer_collector_panics_total` counts further panics"
            );
        }
    }

    fn record_skip(&self) {
        self.failures.skips.inc();
        if !self.has_warned_of_skip.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                collector = &*self.name,
                "an earlier call of a collector has not returned, so its metrics are missing from \
                 the scrape; `tachometer_collector_skips_total` counts further scrapes"
            );
        }
    }
}

/// Drops what a collector panicked with, which may panic again.
fn drop_payload(payload: Box<dyn Any + Send>) {
    if let Err(other) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        mem::forget(other);
    }
}

/// Returns the blocks of a family, and counts what was refused.
fn finish(collected: CollectedFamily) -> Vec<SeriesBlock> {
    let CollectedFamily {
        family,
        mut blocks,
        invalid,
        ..
    } = collected;
    if invalid > 0 {
        family.invalid.inc_by(invalid);
    }
    for block in &mut blocks {
        block.is_computed = true;
    }
    blocks
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
                collectors.extend(collector.map(|c| (registered.scope.labels().clone(), c)));
            }
        }
        collectors
    }
}

/// One family of a collector, as a set of series.
pub(super) struct ComputedFamily {
    collector: Arc<RegisteredCollector>,
    family: Arc<DescribedFamily>,
    /// The index of the family in the collector.
    index: usize,
}

impl ComputedFamily {
    /// Returns the group of a family, which has this index in the collector.
    pub(super) fn group(
        collector: &Arc<RegisteredCollector>,
        family: &Arc<DescribedFamily>,
        index: usize,
    ) -> SeriesGroup {
        let set = Self {
            collector: Arc::clone(collector),
            family: Arc::clone(family),
            index,
        };
        SeriesGroup::new(Arc::new(set), Some((Arc::clone(collector), index)))
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
        self.family.desc()
    }

    fn label_names(&self) -> &[Box<str>] {
        &[]
    }

    fn constant_labels(&self) -> &Labels {
        self.collector.scope.labels()
    }

    fn len(&self) -> usize {
        self.blocks().iter().map(|block| block.labels.len()).sum()
    }

    fn invalid_count(&self) -> u64 {
        self.family.invalid.get_u64()
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
