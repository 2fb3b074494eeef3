//! Metrics that are computed when they are read.

use std::any::Any;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use crate::error::Error;
use crate::metric::{Amount, Histogram, Names, are_alike, to_count, to_f64};
use crate::registry::Registry;
use crate::snapshot::{Desc, Kind, Labels, SeriesBlock, Values};

/// Families whose series are computed each time they are read: what a pool, a
/// runtime or the system knows about itself.
///
/// It is called outside every lock, by whichever thread reads the registry, and
/// by several at once where several do. If it panics, its families are left out of
/// that reading, and it is counted in `tachometer_collector_panics_total`. Reading
/// the registry from within it leaves out what the registry's collectors compute.
/// The registry keeps it for as long as it exists itself; a collector that holds a
/// handle to its own registry keeps both for ever.
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
///     fn collect(&self, collected: &mut CollectSink<'_>) {
///         collected.gauge("pool_connections", [("state", "idle")], 3);
///         collected.gauge("pool_connections", [("state", "used")], 1);
///     }
/// }
///
/// let registry = Registry::new();
/// registry.collector(Pool)?;
/// assert!(registry.export_prometheus().contains("pool_connections{state=\"idle\"} 3"));
/// # Ok::<(), tachometer::Error>(())
/// ```
pub trait Collect: Any + Send + Sync {
    /// Returns the families that [`collect`](Self::collect) fills, at least one;
    /// asked once, when the collector is registered.
    fn describe(&self) -> Vec<Desc>;

    /// Adds the series of these families, as they are now.
    fn collect(&self, collected: &mut CollectSink<'_>);
}

/// What a collector has computed so far.
///
/// A series is left out, and counted in `tachometer_invalid_observations_total`,
/// when its family was not described as of that kind, when a label's name is not
/// valid, when it is there already, in whatever order its labels were, or when a
/// counter's value is negative, infinite or NaN. A label without a value is left
/// out, which is the same to Prometheus.
pub struct CollectSink<'a> {
    /// The labels that every series has.
    constant: &'a Labels,
    names: Names,
    families: Vec<CollectedFamily<'a>>,
}

/// What was computed for one family.
pub(super) struct CollectedFamily<'a> {
    /// The name that the collector uses.
    name: &'a str,
    desc: &'a Arc<Desc>,
    pub(super) blocks: Vec<SeriesBlock>,
    pub(super) invalid: u64,
    seen: HashSet<Labels>,
}

/// Does not print the labels, whose values may come from a client.
impl fmt::Debug for CollectSink<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collected")
            .field("families", &self.families.len())
            .finish_non_exhaustive()
    }
}

impl<'a> CollectSink<'a> {
    /// Begins with the families of a collector, as it calls them and as they are
    /// registered.
    pub(super) fn new(
        constant: &'a Labels,
        names: Names,
        families: impl Iterator<Item = (&'a str, &'a Arc<Desc>)>,
    ) -> Self {
        let families = families.map(|(name, desc)| CollectedFamily {
            name,
            desc,
            blocks: Vec::new(),
            invalid: 0,
            seen: HashSet::new(),
        });
        Self {
            constant,
            names,
            families: families.collect(),
        }
    }

    pub(super) fn into_families(self) -> Vec<CollectedFamily<'a>> {
        self.families
    }

    /// Adds a series to a family of counters: the sum so far, not what has come
    /// to it since the last time.
    pub fn counter<'l>(
        &mut self,
        family: &str,
        labels: impl AsRef<[(&'l str, &'l str)]>,
        sum: impl Amount,
    ) {
        let empty = || Values::Counter(Vec::new());
        self.add(family, Kind::Counter, labels.as_ref(), empty, |values| {
            match (values, to_count(sum)) {
                (Values::Counter(counts), Some(count)) => counts.push(count),
                _ => return false,
            }
            true
        });
    }

    /// Adds a series to a family of gauges.
    pub fn gauge<'l>(
        &mut self,
        family: &str,
        labels: impl AsRef<[(&'l str, &'l str)]>,
        value: impl Amount,
    ) {
        let empty = || Values::Gauge(Vec::new());
        self.add(family, Kind::Gauge, labels.as_ref(), empty, |values| {
            if let Values::Gauge(numbers) = values {
                numbers.push(to_f64(value));
            }
            true
        });
    }

    /// Adds a series to a family of histograms, which all have the same buckets.
    pub fn histogram<'l>(
        &mut self,
        family: &str,
        labels: impl AsRef<[(&'l str, &'l str)]>,
        histogram: &Histogram,
    ) {
        let empty = || histogram.empty_values();
        self.add(family, Kind::Histogram, labels.as_ref(), empty, |values| {
            let fits = histogram.fits(values);
            if fits {
                histogram.read(values);
            }
            fits
        });
    }

    /// Adds a series, where `push` adds its number and returns true.
    fn add(
        &mut self,
        name: &str,
        kind: Kind,
        labels: &[(&str, &str)],
        empty: impl Fn() -> Values,
        push: impl FnOnce(&mut Values) -> bool,
    ) {
        let known = self.families.iter().position(|family| family.name == name);
        // What belongs to no family is told with the first.
        let Some(family) = self.families.get_mut(known.unwrap_or(0)) else {
            return;
        };
        let described = known.is_some() && family.desc.kind() == kind;
        let names_are_valid = labels.iter().enumerate().all(|(position, (name, _))| {
            let mut before = labels[..position].iter();
            let twice = before.any(|(other, _)| are_alike(other, name));
            let mut constant = self.constant.pairs();
            let constant = constant.any(|(other, _)| are_alike(&other, name));
            !twice && !constant && self.names.check_label("", name).is_ok()
        });
        // Labels are a set, and an empty value is the same as none.
        let mut set: Vec<_> = labels
            .iter()
            .copied()
            .filter(|(_, value)| !value.is_empty())
            .collect();
        set.sort_unstable();
        let labels = Labels::with_pairs(self.constant, set);
        if !described || !names_are_valid || family.seen.contains(&labels) {
            family.invalid += 1;
            return;
        }
        let full = |block: &SeriesBlock| block.labels.len() == SeriesBlock::MAX_SERIES;
        if family.blocks.last().is_none_or(full) {
            // The same buckets as before, whatever this series' are.
            let values = family
                .blocks
                .last()
                .map_or_else(&empty, |last| last.values.to_empty());
            if family.blocks.is_empty() {
                // Most families have one, which a scrape may hold for long, and not room
                // for four.
                family.blocks.reserve_exact(1);
            }
            family
                .blocks
                .push(SeriesBlock::new(Arc::clone(family.desc), values));
        }
        let Some(block) = family.blocks.last_mut() else {
            return;
        };
        if push(&mut block.values) {
            block.labels.push(labels.clone());
            family.seen.insert(labels);
        } else {
            family.invalid += 1;
        }
    }
}

impl Registry {
    /// Registers families that are computed each time they are read.
    ///
    /// # Errors
    ///
    /// When it describes no family, or one whose name is not valid or is taken;
    /// then none of them is registered.
    pub fn collector(&self, collector: impl Collect) -> Result<(), Error> {
        self.add_collector(Box::new(collector))
    }

    /// Registers a gauge whose value is computed each time it is read.
    ///
    /// See [`Collect`] for when `value` is called, and what becomes of a panic.
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
    /// When the name is not valid or is taken.
    pub fn gauge_fn<A: Amount>(
        &self,
        name: &str,
        help: &str,
        value: impl Fn() -> A + Send + Sync + 'static,
    ) -> Result<(), Error> {
        let desc = Desc::new(name, help, Kind::Gauge);
        self.collector(Callback {
            desc,
            add: move |collected: &mut CollectSink<'_>, name: &str| {
                collected.gauge(name, [], value());
            },
        })
    }

    /// Registers a counter whose sum is computed each time it is read.
    ///
    /// See [`Collect`] for when `sum` is called, and what becomes of a panic.
    ///
    /// # Errors
    ///
    /// When the name is not valid or is taken.
    pub fn counter_fn<A: Amount>(
        &self,
        name: &str,
        help: &str,
        sum: impl Fn() -> A + Send + Sync + 'static,
    ) -> Result<(), Error> {
        let desc = Desc::new(name, help, Kind::Counter);
        self.collector(Callback {
            desc,
            add: move |collected: &mut CollectSink<'_>, name: &str| {
                collected.counter(name, [], sum());
            },
        })
    }
}

/// A family of one series without labels.
struct Callback<F> {
    desc: Desc,
    add: F,
}

impl<F: Fn(&mut CollectSink<'_>, &str) + Send + Sync + 'static> Collect for Callback<F> {
    fn describe(&self) -> Vec<Desc> {
        vec![self.desc.clone()]
    }

    fn collect(&self, collected: &mut CollectSink<'_>) {
        (self.add)(collected, self.desc.name());
    }
}
