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
use crate::registry::entries::Part;
use crate::snapshot::{Desc, Labels, SeriesBlock, now_millis};

/// A collector and the families that it fills.
pub(super) struct Collector {
    collector: Box<dyn Collect>,
    /// The address of the registry.
    registry: usize,
    constant: Labels,
    names: Names,
    families: Vec<Family>,
    /// When it was registered, in milliseconds since 1970.
    since: u64,
    /// The registry's count of panics.
    panics: Counter,
    told: AtomicBool,
}

struct Family {
    /// The name that the collector uses.
    name: Box<str>,
    desc: Arc<Desc>,
    /// How many of its series were refused.
    invalid: Counter,
}

impl Collector {
    /// Calls the collector, and returns the blocks of each of its families; none
    /// of any, where it panics or a collector of its registry is running.
    pub(super) fn run(&self) -> Vec<Vec<SeriesBlock>> {
        let Some(_collecting) = Collecting::start(self.registry) else {
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
            self.panicked();
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
                block.since = vec![self.since; block.labels.len()];
            }
            blocks
        });
        blocks.collect()
    }

    fn panicked(&self) {
        self.panics.inc();
        if !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                metric = self.families.first().map(|family| family.desc.name()),
                "a collector panicked, and its metrics are left out of the scrape: see the panic's \
                 own message; `tachometer_collector_panics_total` counts further ones"
            );
        }
    }
}

/// While it is there, the calling thread runs a collector of some registry.
struct Collecting;

thread_local! {
    /// The registries whose collectors this thread runs.
    static COLLECTING: RefCell<Vec<usize>> = const { RefCell::new(Vec::new()) };
}

impl Collecting {
    /// Returns `None` where one of that registry's is running already: it has read
    /// its own registry, and would come round to itself.
    fn start(registry: usize) -> Option<Self> {
        let start = |running: &RefCell<Vec<usize>>| {
            let mut running = running.borrow_mut();
            let new = !running.contains(&registry);
            new.then(|| running.push(registry))
        };
        // A thread that is being torn down has no list any more, and runs none.
        COLLECTING.try_with(start).ok().flatten().map(|()| Self)
    }
}

impl Drop for Collecting {
    fn drop(&mut self) {
        let _ = COLLECTING.try_with(|running| running.borrow_mut().pop());
    }
}

impl Registry {
    /// Returns the collectors of this type that compute the metric `name`, each with the
    /// constant labels of its series.
    #[cfg(feature = "system")]
    pub(crate) fn collectors_of<C: Collect + Clone>(&self, name: &str) -> Vec<(Labels, C)> {
        let name = self.scope.name(name);
        let mut found = Vec::new();
        for registry in self.parts() {
            let entries = registry.entries();
            let parts = entries
                .get(&name)
                .into_iter()
                .flat_map(|entry| &entry.parts);
            for (source, _) in parts.filter_map(|part| part.source.as_ref()) {
                let collector: &dyn Any = &*source.collector;
                let collector = collector.downcast_ref::<C>().cloned();
                found.extend(collector.map(|collector| (source.constant.clone(), collector)));
            }
        }
        found
    }

    pub(super) fn add_source(&self, collector: Box<dyn Collect>) -> Result<(), Error> {
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
            let entries = self.entries();
            let help = entries.help(&name, desc.help());
            families.push(Family {
                name: desc.name().into(),
                desc: Arc::new(
                    Desc::new(&name, help, desc.kind())
                        .in_role(desc.role())
                        .and_labels(classic),
                ),
                invalid: Counter::new(),
            });
        }
        let source = Arc::new(Collector {
            collector,
            registry: Arc::as_ptr(&self.inner).addr(),
            constant: self.scope.labels().clone(),
            names,
            families,
            since: now_millis(),
            panics: self.inner.panics.clone(),
            told: AtomicBool::new(false),
        });
        let parts = (0..source.families.len()).map(|family| {
            let set = Computed {
                source: Arc::clone(&source),
                family,
            };
            Part::new(Arc::new(set), Some((Arc::clone(&source), family)))
        });
        self.entries_mut().insert_all(parts.collect())
    }
}

/// One family of a source.
struct Computed {
    source: Arc<Collector>,
    family: usize,
}

impl Computed {
    fn family(&self) -> &Family {
        &self.source.families[self.family]
    }

    fn blocks(&self) -> Vec<SeriesBlock> {
        let mut all = self.source.run();
        if self.family < all.len() {
            all.swap_remove(self.family)
        } else {
            Vec::new()
        }
    }
}

impl AnySet for Computed {
    fn desc(&self) -> &Arc<Desc> {
        &self.family().desc
    }

    fn label_names(&self) -> &[Box<str>] {
        &[]
    }

    fn constant_labels(&self) -> &Labels {
        &self.source.constant
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
