//! Registers metrics that are computed when they are read.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crate::error::{Conflict, Error};
use crate::metric::{Amount, Counter, Names};
use crate::registry::Registry;
use crate::registry::collect::{Collect, CollectSink};
use crate::registry::metric_table::SeriesGroup;
use crate::registry::registered_collector::{ComputedFamily, DescribedFamily, RegisteredCollector};
use crate::snapshot::{Desc, Kind, now_millis};

impl Registry {
    /// Registers families that are computed each time they are read.
    ///
    /// # Errors
    ///
    /// If the collector describes no family, or one whose name is not valid or already taken.
    /// Then none of its families is registered.
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
            collect: move |sink: &mut CollectSink<'_>, name: &str| sink.gauge(name, [], value()),
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
            collect: move |sink: &mut CollectSink<'_>, name: &str| sink.counter(name, [], sum()),
        })
    }

    fn add_collector(&self, collector: Box<dyn Collect>) -> Result<(), Error> {
        let described = collector.describe();
        if described.is_empty() {
            return Err(Error::conflict(
                Conflict::Other,
                "the collector describes no family",
                "return the families that it fills from `describe`",
            ));
        }
        let families = described.iter().map(|desc| self.described_family(desc));
        let collector = Arc::new(RegisteredCollector {
            collector,
            registry_address: Arc::as_ptr(&self.inner).addr(),
            constant: self.scope.labels().clone(),
            names: self.scope.names(),
            families: families.collect::<Result<_, _>>()?,
            created_millis: now_millis(),
            panics: self.inner.panics.clone(),
            has_warned: AtomicBool::new(false),
        });
        let groups = (0..collector.families.len()).map(|index| {
            let family = ComputedFamily {
                collector: Arc::clone(&collector),
                index,
            };
            SeriesGroup::new(Arc::new(family), Some((Arc::clone(&collector), index)))
        });
        self.table_mut().insert_all(groups.collect())
    }

    /// Returns a family that a collector describes, under the name that it gets here.
    fn described_family(&self, desc: &Desc) -> Result<DescribedFamily, Error> {
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
        Ok(DescribedFamily {
            name: desc.name().into(),
            desc: Arc::new(registered),
            invalid: Counter::new(),
        })
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
