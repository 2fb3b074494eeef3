//! Registers metrics that are computed when they are read.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, RwLock};

use crate::error::Error;
use crate::metric::{Amount, Names};
use crate::registry::Registry;
use crate::registry::collect::{Collect, CollectSink};
use crate::registry::collector_calls::CollectorCalls;
use crate::registry::collector_families::{CollectorFamilies, DescribedFamily};
use crate::registry::registered_collector::{ComputedFamily, RegisteredCollector};
use crate::snapshot::{Desc, Kind, now_millis};

impl Registry {
    /// Registers families that are computed each time they are read.
    ///
    /// # Errors
    ///
    /// If the collector describes a family whose name is not valid or already taken. Then the
    /// collector is not registered.
    pub fn collector(&self, collector: impl Collect) -> Result<(), Error> {
        self.add_collector(Box::new(collector))
    }

    /// Registers a gauge whose value is computed each time it is read.
    ///
    /// See [`Collect`] for when `value` is called, and what happens if it panics.
    ///
    /// ```
    /// # use tachometer::Registry;
    /// let registry = Registry::new();
    /// registry.gauge_fn("queue_depth", "Jobs that wait.", || 7.0)?;
    /// assert!(registry.export_prometheus().contains("queue_depth 7"));
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the name is not valid or already taken.
    #[doc(alias = "callback")]
    pub fn gauge_fn<A: Amount>(
        &self,
        name: &str,
        help: &str,
        value: impl Fn() -> A + Send + Sync + 'static,
    ) -> Result<(), Error> {
        let desc = Desc::new(name, help, Kind::Gauge);
        self.collector(Callback {
            desc,
            collect: move |sink: &mut CollectSink<'_>, name: &str| {
                sink.gauge(name, [], value());
            },
        })
    }

    /// Registers a counter whose sum is computed each time it is read.
    ///
    /// See [`Collect`] for when `sum` is called, and what happens if it panics.
    ///
    /// # Errors
    ///
    /// If the name is not valid or already taken.
    #[doc(alias = "callback")]
    pub fn counter_fn<A: Amount>(
        &self,
        name: &str,
        help: &str,
        sum: impl Fn() -> A + Send + Sync + 'static,
    ) -> Result<(), Error> {
        let desc = Desc::new(name, help, Kind::Counter);
        self.collector(Callback {
            desc,
            collect: move |sink: &mut CollectSink<'_>, name: &str| {
                sink.counter(name, [], sum());
            },
        })
    }

    fn add_collector(&self, collector: Box<dyn Collect>) -> Result<(), Error> {
        let described = collector.describe();
        let mut families = CollectorFamilies::default();
        for desc in &described {
            families.push(Arc::new(self.described_family(desc)?));
        }
        let name: Box<str> = collector.name().into();
        let refusals = if described.is_empty() {
            // So that the count begins at 0.
            self.refusals(&name)
        } else {
            self.inner.refusals.get(&name)
        };
        let collector = Arc::new(RegisteredCollector {
            name,
            registry: Arc::downgrade(&self.inner),
            scope: Arc::clone(&self.scope),
            families: RwLock::new(families),
            may_add_families: AtomicBool::new(described.is_empty()),
            refusals,
            created_millis: now_millis(),
            calls: CollectorCalls::default(),
            failures: self.inner.failures.clone(),
            has_warned_of_panic: AtomicBool::new(false),
            has_warned_of_skip: AtomicBool::new(false),
            collector,
        });
        let families = collector.families();
        let groups = families.iter().enumerate();
        let groups = groups.map(|(index, family)| ComputedFamily::group(&collector, family, index));
        let groups: Vec<_> = groups.collect();
        drop(families);
        self.table_mut().insert_collector(collector, groups)
    }

    /// Returns a family that a collector describes, under the name that it gets here.
    pub(super) fn described_family(&self, desc: &Desc) -> Result<DescribedFamily, Error> {
        let name = self.scope.name(desc.name());
        let names = self.scope.names();
        names.check_metric(&name)?;
        let table = self.table();
        let help = table.help(&name, desc.help());
        // Which labels the series will have is not known yet.
        let has_classic_labels = names == Names::Classic;
        let registered = Desc::new(&name, help, desc.kind())
            .with_role(desc.role())
            .with_classic_labels(has_classic_labels);
        Ok(DescribedFamily::new(desc.name(), registered))
    }
}

/// A collector of one family with one series, which has no labels.
struct Callback<F> {
    desc: Desc,
    collect: F,
}

impl<F: Fn(&mut CollectSink<'_>, &str) + Send + Sync + 'static> Collect for Callback<F> {
    fn describe(&self) -> Vec<Desc> {
        vec![self.desc.clone()]
    }

    fn collect(&self, sink: &mut CollectSink<'_>) {
        (self.collect)(sink, self.desc.name());
    }
}
