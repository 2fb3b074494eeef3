//! A registered collector.

#[cfg(feature = "system")]
use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::Error;
use crate::metric::{AnySet, Counter, Names};
use crate::registry::Registry;
use crate::registry::collect::{Collect, CollectSink};
use crate::registry::metric_table::SeriesGroup;
use crate::snapshot::{Desc, Labels, SeriesBlock, now_millis};

/// A collector and the families that it fills.
pub(super) struct RegisteredCollector {
    collector: Box<dyn Collect>,
    /// The address of the registry.
    registry_address: usize,
    constant: Labels,
    names: Names,
    families: Vec<DescribedFamily>,
    /// When it was registered, in milliseconds since 1970.
    created_millis: u64,
    /// The registry's count of panics.
    panics: Counter,
    has_warned: AtomicBool,
}

struct DescribedFamily {
    /// The name that the collector uses.
    name: Box<str>,
    desc: Arc<Desc>,
    /// How many of its series were refused.
    invalid: Counter,
}

impl RegisteredCollector {
    /// Calls the collector, and returns the blocks of each of its families; none
    /// of any, where it panics or a collector of its registry is running.
    pub(super) fn run(&self) -> Vec<Vec<SeriesBlock>> {
        let Some(_collecting) = RunGuard::enter(self.registry_address) else {
            return Vec::new();
        };
        let mut collected = CollectSink::new(
            &self.constant,
            self.names,
            self.families.iter().map(|f| (&*f.name, &f.desc)),
        );
        // What it has written so far is dropped if it panics, and the rest is its
        // own business.
        let run = catch_unwind(AssertUnwindSafe(|| self.collector.collect(&mut collected)));
        if run.is_err() {
            self.record_panic();
            return Vec::new();
        }
        let families = collected.into_families().into_iter().zip(&self.families);
        let blocks = families.map(|(computed, family)| {
            if computed.invalid > 0 {
                family.invalid.inc_by(computed.invalid);
            }
            let mut blocks = computed.blocks;
            // One whose only series was refused.
            blocks.retain(|block| !block.labels.is_empty());
            for block in &mut blocks {
                block.created_millis = vec![self.created_millis; block.labels.len()];
            }
            blocks
        });
        blocks.collect()
    }

    fn record_panic(&self) {
        self.panics.inc();
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                metric = self.families.first().map(|family| family.desc.name()),
                "a collector panicked, and its metrics are left out of the scrape: see the panic's \
                 own message; `tachometer_collector_panics_total` counts further ones"
            );
        }
    }
}

/// While it is there, the calling thread runs a collector of some registry.
struct RunGuard;

thread_local! {
    /// The registries whose collectors this thread runs.
    static RUNNING: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

impl RunGuard {
    /// Returns `None` where one of that registry's is running already: it has read
    /// its own registry, and would come round to itself.
    fn enter(registry: usize) -> Option<Self> {
        let start = |running: &RefCell<Vec<usize>>| {
            let mut running = running.borrow_mut();
            let new = !running.contains(&registry);
            new.then(|| running.push(registry))
        };
        // A thread that is being torn down has no list any more, and runs none.
        RUNNING.try_with(start).ok().flatten().map(|()| Self)
    }
}

impl Drop for RunGuard {
    fn drop(&mut self) {
        let _ = RUNNING.try_with(|running| running.borrow_mut().pop());
    }
}

impl Registry {
    /// Returns the collectors of this type that compute the metric `name`, each with the
    /// constant labels of its series.
    #[cfg(feature = "system")]
    pub(crate) fn collectors_of<C: Collect + Clone>(&self, name: &str) -> Vec<(Labels, C)> {
        let name = self.scope.name(name);
        let mut found = Vec::new();
        for registry in self.registries() {
            let entries = registry.table();
            let parts = entries
                .get(&name)
                .into_iter()
                .flat_map(|entry| &entry.groups);
            for (source, _) in parts.filter_map(|part| part.collector.as_ref()) {
                let collector: &dyn Any = &*source.collector;
                let collector = collector.downcast_ref::<C>().cloned();
                found.extend(collector.map(|collector| (source.constant.clone(), collector)));
            }
        }
        found
    }

    pub(super) fn add_collector(&self, collector: Box<dyn Collect>) -> Result<(), Error> {
        let described = collector.describe();
        if described.is_empty() {
            return Err(Error::conflict(
                "the collector describes no family: return those that it fills from `describe`",
            ));
        }
        let names = self.scope.names();
        // What labels a series will have is not known yet.
        let classic = names == Names::Classic;
        let mut families = Vec::with_capacity(described.len());
        for desc in described {
            let name = self.scope.name(desc.name());
            names.check_metric(&name)?;
            let entries = self.table();
            let help = entries.help(&name, desc.help());
            families.push(DescribedFamily {
                name: desc.name().into(),
                desc: Arc::new(
                    Desc::new(&name, help, desc.kind())
                        .with_role(desc.role())
                        .with_classic_labels(classic),
                ),
                invalid: Counter::new(),
            });
        }
        let source = Arc::new(RegisteredCollector {
            collector,
            registry_address: Arc::as_ptr(&self.inner).addr(),
            constant: self.scope.labels().clone(),
            names,
            families,
            created_millis: now_millis(),
            panics: self.inner.panics.clone(),
            has_warned: AtomicBool::new(false),
        });
        let parts = (0..source.families.len()).map(|family| {
            let set = ComputedFamily {
                collector: Arc::clone(&source),
                family,
            };
            SeriesGroup::new(Arc::new(set), Some((Arc::clone(&source), family)))
        });
        self.table_mut().insert_all(parts.collect())
    }
}

/// One family of a source.
struct ComputedFamily {
    collector: Arc<RegisteredCollector>,
    family: usize,
}

impl ComputedFamily {
    fn family(&self) -> &DescribedFamily {
        &self.collector.families[self.family]
    }

    fn blocks(&self) -> Vec<SeriesBlock> {
        let mut all = self.collector.run();
        if self.family < all.len() {
            all.swap_remove(self.family)
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

    fn overflow_count(&self) -> Option<u64> {
        None
    }

    /// None: whoever reads a registry runs the source, once for all its families.
    fn block(&self, _from: &mut usize) -> Option<SeriesBlock> {
        None
    }

    fn total(&self) -> f64 {
        let blocks = self.blocks();
        let totals = blocks.iter().map(|block| block.values.total());
        totals.fold(0.0, |sum, total| sum + total)
    }

    fn reset(&self) {}
}
