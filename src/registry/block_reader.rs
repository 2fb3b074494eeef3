//! Reads a whole registry, one block of series at a time.

use std::collections::HashSet;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};
use std::vec;

use crate::metric::SeriesCursor;
use crate::registry::Registry;
use crate::registry::delivery::DeliveredSets;
use crate::registry::metric_table::{MetricEntry, SeriesGroup};
use crate::registry::overlapping_series::{SeenSeries, is_self_metric, sum_series};
use crate::registry::registered_collector::RegisteredCollector;
#[cfg(feature = "prometheus")]
use crate::registry::running_collectors::ReadGuard;
use crate::registry::self_metrics::{self, SelfMetrics};
use crate::snapshot::{Desc, Labels, LabelsView, SeriesBlock};

/// An iterator over the blocks of a registry; each block is read when it is requested.
///
/// Families are sorted by name, and their series are in the order in which they were created.
/// Families without a series are left out. The registry's metrics about itself, which begin
/// with `tachometer_`, come last.
#[must_use = "the registry is read as blocks are taken"]
pub(crate) struct BlockReader {
    registry: Registry,
    /// `None` until the collectors have run, which may add metrics.
    entries: Option<vec::IntoIter<Arc<MetricEntry>>>,
    /// The names of metrics whose series may be in several registries.
    overlapping: HashSet<String>,
    /// The family that is being read.
    current: Option<FamilyReader>,
    /// The names of the families to return; `None` for all.
    name_filter: Option<HashSet<String>>,
    /// The address of each collector that has run, and the blocks that it computed, by family.
    collected: Vec<(usize, Vec<Vec<SeriesBlock>>)>,
    /// What is known so far about the metrics read; taken when all of them have been read.
    self_metrics: Option<SelfMetrics>,
    self_metric_blocks: vec::IntoIter<SeriesBlock>,
    /// Set if the result is delivered to a monitoring system.
    delivered: Option<Arc<DeliveredSets>>,
    /// The first series that was left out because an earlier registry has it.
    duplicate: Option<(String, Labels)>,
    read_at: SystemTime,
    uptime: Duration,
}

/// A family that is being read.
struct FamilyReader {
    entry: Arc<MetricEntry>,
    /// The index of the group to read next.
    next_group: usize,
    cursor: GroupCursor,
    /// How many series have been returned.
    series: usize,
    /// The series read so far, if several registries may contain the same series.
    seen: Option<SeenSeries>,
    /// The last description without a help text, and the same with that of another group.
    described: Option<[Arc<Desc>; 2]>,
}

impl FamilyReader {
    /// Gives a block the help text of its family, which may have been filled in for another group.
    fn fill_in_help(&mut self, block: &mut SeriesBlock) {
        let help = self.entry.desc().help();
        if !block.desc.help().is_empty() || help.is_empty() {
            return;
        }
        // The blocks of a group share their description.
        let last = self.described.take();
        let last = last.filter(|[without, _]| Arc::ptr_eq(without, &block.desc));
        let [without, with_help] = last.unwrap_or_else(|| {
            let with_help = Arc::new(block.desc.with_help(help));
            [Arc::clone(&block.desc), with_help]
        });
        block.desc = Arc::clone(&with_help);
        self.described = Some([without, with_help]);
    }
}

/// The position in the group that is being read.
enum GroupCursor {
    /// No group is being read.
    None,
    /// A stored group, and the position in it.
    Stored(SeriesGroup, SeriesCursor),
    /// Blocks that are in memory already.
    Computed(vec::IntoIter<SeriesBlock>),
}

impl BlockReader {
    pub(super) fn new(registry: &Registry) -> Self {
        Self {
            registry: registry.clone(),
            entries: None,
            overlapping: HashSet::new(),
            current: None,
            name_filter: None,
            collected: Vec::new(),
            self_metrics: Some(SelfMetrics::new(registry.self_metric_labels())),
            self_metric_blocks: Vec::new().into_iter(),
            delivered: None,
            duplicate: None,
            read_at: SystemTime::now(),
            uptime: registry.uptime(),
        }
    }

    /// Lets series expire in the families that are read.
    pub(super) fn with_delivery(mut self, delivered: Arc<DeliveredSets>) -> Self {
        self.delivered = Some(delivered);
        self
    }

    /// Returns the first series that was left out because an earlier registry has it.
    pub(super) fn duplicate(&self) -> Option<(&str, LabelsView<'_>)> {
        let (metric, labels) = self.duplicate.as_ref()?;
        Some((metric, labels.view()))
    }

    /// Returns when the reader was created.
    pub(crate) fn read_at(&self) -> SystemTime {
        self.read_at
    }

    /// Returns how long the registry had existed at that time.
    pub(crate) fn uptime(&self) -> Duration {
        self.uptime
    }

    /// Returns only families with these names: a name as registered or as a format prints it, a
    /// counter's with or without `_total`.
    pub(crate) fn filter_names(
        mut self,
        names: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let names: HashSet<_> = names.into_iter().map(Into::into).collect();
        let has_self_metric = self_metrics::descs().any(|desc| is_selected(&names, &desc));
        // The metrics about the registry itself are known only after all others were read.
        if !has_self_metric {
            self.self_metrics = None;
        }
        self.name_filter = Some(names);
        self
    }

    /// Returns true if the family is to be returned.
    fn is_selected(&self, desc: &Desc) -> bool {
        let names = self.name_filter.as_ref();
        names.is_none_or(|names| is_selected(names, desc))
    }

    /// Returns the next block. Its name may not be selected.
    fn next_unfiltered(&mut self) -> Option<SeriesBlock> {
        loop {
            if let Some(mut current) = self.current.take() {
                if let Some(block) = self.next_in_family(&mut current) {
                    self.current = Some(current);
                    return Some(block);
                }
                self.finish_family(&current);
            }
            let mut entries = self.entries.take().unwrap_or_else(|| self.start());
            let entry = entries.next();
            self.entries = Some(entries);
            if let Some(entry) = entry {
                if self.self_metrics.is_some() || self.is_selected(entry.desc()) {
                    self.current = Some(self.start_family(entry));
                }
            } else {
                if let Some(self_metrics) = self.self_metrics.take() {
                    self.self_metric_blocks = self_metrics.blocks(&self.registry).into_iter();
                }
                return self.self_metric_blocks.next();
            }
        }
    }

    /// Runs the collectors, and returns the metrics to read.
    fn start(&mut self) -> vec::IntoIter<Arc<MetricEntry>> {
        let registry = self.registry.clone();
        #[cfg(feature = "prometheus")]
        let _guard = ReadGuard::enter(&registry);
        for registry in registry.registries() {
            let collectors = registry.table().collectors().to_vec();
            if let Some(self_metrics) = &mut self.self_metrics {
                self_metrics.has_collectors |= !collectors.is_empty();
            }
            for collector in collectors {
                if self.self_metrics.is_some() || self.may_select(&collector) {
                    let address = Arc::as_ptr(&collector).addr();
                    self.collected.push((address, collector.run()));
                }
            }
        }
        let Some(additional) = &registry.additional else {
            return registry.table().metrics().to_vec().into_iter();
        };
        let merged = registry.merged_metrics();
        for (entry, conflict) in &merged.conflicts {
            additional.skip_metric(entry, conflict);
        }
        self.overlapping = merged.overlapping;
        merged.entries.into_iter()
    }

    /// Returns true if a family of the collector may be one that is to be returned.
    fn may_select(&self, collector: &RegisteredCollector) -> bool {
        let families = collector.families();
        let mut families = families.iter();
        collector.may_add_families.load(Ordering::Relaxed)
            || families.any(|family| self.is_selected(family.desc()))
    }

    fn start_family(&mut self, entry: Arc<MetricEntry>) -> FamilyReader {
        let is_overlapping = self.overlapping.contains(entry.desc().name());
        let mut family = FamilyReader {
            entry,
            next_group: 0,
            cursor: GroupCursor::None,
            series: 0,
            seen: None,
            described: None,
        };
        if is_overlapping && is_self_metric(family.entry.desc()) {
            let mut blocks = Vec::new();
            while let Some(block) = self.next_in_family(&mut family) {
                blocks.push(block);
            }
            let sums = sum_series(blocks, |labels| self.skip_duplicate(&family.entry, labels));
            family.cursor = GroupCursor::Computed(sums.into_iter());
            family.series = 0;
        } else if is_overlapping {
            family.seen = Some(SeenSeries::default());
        }
        family
    }

    /// Returns the next block of a family.
    fn next_in_family(&mut self, family: &mut FamilyReader) -> Option<SeriesBlock> {
        loop {
            let block = match &mut family.cursor {
                GroupCursor::None => None,
                GroupCursor::Stored(group, cursor) => group.set.block(cursor),
                GroupCursor::Computed(blocks) => blocks.next(),
            };
            if let Some(mut block) = block {
                if let Some(seen) = &mut family.seen {
                    seen.remove_seen(&mut block, |labels| {
                        self.skip_duplicate(&family.entry, labels);
                    });
                }
                if block.labels.is_empty() {
                    continue;
                }
                block.is_first = family.series == 0;
                family.fill_in_help(&mut block);
                family.series += block.labels.len();
                return Some(block);
            }
            let group = family.entry.groups.get(family.next_group)?;
            family.next_group += 1;
            let is_delivered = self.is_selected(group.set.desc());
            if let Some(delivered) = self.delivered.as_ref().filter(|_| is_delivered) {
                delivered.start(&group.set);
            }
            family.cursor = match &group.collector {
                None => GroupCursor::Stored(group.clone(), SeriesCursor::default()),
                Some((collector, index)) => {
                    GroupCursor::Computed(self.collected_blocks(collector, *index).into_iter())
                }
            };
        }
    }

    /// Records that a series was left out.
    fn skip_duplicate(&mut self, entry: &MetricEntry, labels: LabelsView<'_>) {
        let name = entry.desc().name();
        if let Some(additional) = &self.registry.additional {
            additional.skip_duplicate(name, labels);
        }
        self.duplicate
            .get_or_insert_with(|| (name.to_owned(), labels.to_labels()));
    }

    /// Takes the blocks that a collector computed for one of its families.
    fn collected_blocks(
        &mut self,
        collector: &Arc<RegisteredCollector>,
        family: usize,
    ) -> Vec<SeriesBlock> {
        let address = Arc::as_ptr(collector).addr();
        let mut collected = self.collected.iter_mut();
        let collected = collected.find(|(other, _)| *other == address);
        let family = collected.and_then(|(_, families)| families.get_mut(family));
        family.map(mem::take).unwrap_or_default()
    }

    /// Records a family that has been read in the registry's metrics about itself.
    fn finish_family(&mut self, family: &FamilyReader) {
        if let Some(self_metrics) = &mut self.self_metrics {
            self_metrics.record(&family.entry.metric(), family.series);
        }
    }
}

#[cfg(feature = "dashboard")]
impl Registry {
    /// Returns the names of the families that have a series. This runs the collectors, and does not
    /// count as a read of the registry.
    pub(crate) fn names_with_series(&self) -> HashSet<String> {
        let blocks = BlockReader::new(self);
        blocks.map(|block| block.desc.name().to_owned()).collect()
    }
}

impl Iterator for BlockReader {
    type Item = SeriesBlock;

    fn next(&mut self) -> Option<SeriesBlock> {
        loop {
            let block = self.next_unfiltered()?;
            if self.is_selected(&block.desc) {
                return Some(block);
            }
        }
    }
}

/// Returns true if one of these names is a name of the family.
fn is_selected(names: &HashSet<String>, desc: &Desc) -> bool {
    desc.lookup_names().any(|name| names.contains(&*name))
}
