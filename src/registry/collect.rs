//! What a collector implements, and what it writes to.

use std::any::Any;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use crate::metric::{Amount, Histogram, Names, is_same_when_escaped, to_count, to_f64};
use crate::snapshot::{Desc, Kind, Labels, SeriesBlock, Values};

/// Families whose series are computed each time they are read, such as the state of a
/// connection pool, of a runtime or of the operating system.
///
/// A collector is called without any lock held, on the thread that reads the registry, and
/// concurrently if several threads read it. If it panics, its families are left out of that
/// read, and `tachometer_collector_panics_total` is incremented. If it reads its own registry,
/// it does not see the families of that registry's collectors. The registry keeps it until the
/// registry itself is dropped. A collector that holds a handle to its own registry keeps both
/// alive forever.
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
    /// Returns the families that [`collect`](Self::collect) fills, at least one. It is called
    /// once, when the collector is registered.
    fn describe(&self) -> Vec<Desc>;

    /// Writes the current series of these families.
    fn collect(&self, sink: &mut CollectSink<'_>);
}

/// Receives the series that a collector computes.
///
/// A series is left out, and counted in `tachometer_invalid_observations_total`, if its family
/// was not described with that kind, if the name of a label is not valid, if the series exists
/// already (labels in another order are the same), or if a counter's value is negative,
/// infinite or NaN. A label with an empty value is left out, which is the same to Prometheus.
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
    /// How many series were refused.
    pub(super) invalid: u64,
    seen: HashSet<Labels>,
}

/// Does not print the labels, whose values may come from a client.
impl fmt::Debug for CollectSink<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CollectSink")
            .field("families", &self.families.len())
            .finish_non_exhaustive()
    }
}

impl<'a> CollectSink<'a> {
    /// Makes an empty sink for a collector's families: each with the name that the collector
    /// uses, and its registered description.
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

    pub(super) fn families_mut(&mut self) -> &mut [CollectedFamily<'a>] {
        &mut self.families
    }

    /// Adds a series to a family of counters: the total, not the increase since the last read.
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

    /// Adds a series to a family of histograms, which must all have the same buckets.
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

    /// Adds a series; `push` appends its number and returns true, or returns false if it is
    /// not valid.
    fn add(
        &mut self,
        name: &str,
        kind: Kind,
        labels: &[(&str, &str)],
        empty: impl Fn() -> Values,
        push: impl FnOnce(&mut Values) -> bool,
    ) {
        let has_valid_labels = self.has_valid_names(labels);
        let labels = self.label_set(labels);
        let position = self.families.iter().position(|family| family.name == name);
        // A series of an unknown family counts as invalid for the first family.
        let Some(family) = self.families.get_mut(position.unwrap_or(0)) else {
            return;
        };
        let is_described = position.is_some() && family.desc.kind() == kind;
        if !is_described || !has_valid_labels || family.seen.contains(&labels) {
            family.invalid += 1;
            return;
        }
        let Some(block) = family.block_with_space(empty) else {
            return;
        };
        if push(&mut block.values) {
            block.labels.push(labels.view());
            family.seen.insert(labels);
        } else {
            family.invalid += 1;
        }
    }

    /// Returns true if all label names are valid, and each is given once.
    fn has_valid_names(&self, labels: &[(&str, &str)]) -> bool {
        labels.iter().enumerate().all(|(position, (name, _))| {
            let mut before = labels[..position].iter();
            let is_repeated = before.any(|(other, _)| is_same_when_escaped(other, name));
            let mut constant = self.constant.pairs();
            let is_constant = constant.any(|(other, _)| is_same_when_escaped(&other, name));
            !is_repeated && !is_constant && self.names.check_label("", name).is_ok()
        })
    }

    /// Returns the series' labels in one order, without those whose value is empty.
    fn label_set(&self, labels: &[(&str, &str)]) -> Labels {
        let labels = labels.iter().copied();
        let mut labels: Vec<_> = labels.filter(|(_, value)| !value.is_empty()).collect();
        labels.sort_unstable();
        self.constant.with_pairs(labels)
    }
}

impl CollectedFamily<'_> {
    /// Returns the last block, or a new one if that is full.
    fn block_with_space(&mut self, empty: impl FnOnce() -> Values) -> Option<&mut SeriesBlock> {
        let last = self.blocks.last();
        if last.is_none_or(|block| block.labels.len() == SeriesBlock::MAX_SERIES) {
            // All blocks have the buckets of the first, whatever this series has.
            let values = last.map_or_else(empty, |last| last.values.to_empty());
            if self.blocks.is_empty() {
                // Most families need one block, and a slow scrape keeps it for long. By
                // default a vector would allocate space for four.
                self.blocks.reserve_exact(1);
            }
            let block = SeriesBlock::new(Arc::clone(self.desc), values);
            self.blocks.push(block);
        }
        self.blocks.last_mut()
    }
}
