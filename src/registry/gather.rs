//! Reading a whole registry, a block at a time.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use std::vec;

use crate::registry::Registry;
use crate::registry::metric_table::{MetricEntry, SeriesGroup};
use crate::registry::overlapping_series::{SeenSeries, is_self_metric, sum_series};
use crate::registry::registered_collector::RegisteredCollector;
use crate::registry::self_metrics::{self, SelfMetrics};
use crate::snapshot::{Desc, Labels, SeriesBlock};

/// All metrics of a registry, read a block at a time as it is asked for one.
///
/// Families come sorted by name, their series in the order in which they were
/// made, and families without a series are left out. Last comes what the registry
/// says of itself, in metrics that begin with `tachometer_`.
#[must_use = "a registry is read as blocks are taken"]
pub struct Gather {
    registry: Registry,
    entries: vec::IntoIter<Arc<MetricEntry>>,
    /// The names of metrics whose series may be the same in several registries.
    overlapping: HashSet<String>,
    /// The family under way.
    current: Option<FamilyReader>,
    /// The names of those that are given out, where not all are.
    name_filter: Option<HashSet<String>>,
    /// What each collector that was called has computed, by its family.
    collected: HashMap<usize, Vec<Vec<SeriesBlock>>>,
    /// What is told at the end, noted on the way.
    self_metrics: Option<SelfMetrics>,
    self_metric_blocks: vec::IntoIter<SeriesBlock>,
    /// A series that two registries have.
    duplicate: Option<(String, Labels)>,
    read_at: SystemTime,
    uptime: Duration,
}

/// A family that is being read.
struct FamilyReader {
    entry: Arc<MetricEntry>,
    /// The part to read next.
    next_group: usize,
    /// What is left of the part under way.
    cursor: GroupCursor,
    series: usize,
    /// What was read so far, if several registries may have the same series.
    seen: Option<SeenSeries>,
}

enum GroupCursor {
    Nothing,
    Stored(SeriesGroup, usize),
    Computed(vec::IntoIter<SeriesBlock>),
}

impl Gather {
    pub(super) fn new(registry: &Registry) -> Self {
        let (entries, overlapping) = match &registry.additional {
            None => (registry.table().iter().cloned().collect(), HashSet::new()),
            Some(others) => {
                let merge = registry.merged_metrics();
                for (entry, conflict) in &merge.conflicts {
                    others.skip_metric(entry, conflict);
                }
                (merge.entries, merge.overlapping)
            }
        };
        Self {
            registry: registry.clone(),
            entries: entries.into_iter(),
            overlapping,
            current: None,
            name_filter: None,
            collected: HashMap::new(),
            self_metrics: Some(SelfMetrics::new(registry.self_metric_labels())),
            self_metric_blocks: Vec::new().into_iter(),
            duplicate: None,
            read_at: SystemTime::now(),
            uptime: registry.uptime(),
        }
    }

    /// Returns a series that was left out, because an earlier registry has it too.
    pub(super) fn duplicate(&self) -> Option<(&str, &Labels)> {
        let (metric, labels) = self.duplicate.as_ref()?;
        Some((metric, labels))
    }

    /// Returns when the reading began.
    #[must_use]
    pub fn read_at(&self) -> SystemTime {
        self.read_at
    }

    /// Returns for how long the registry had existed then.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.uptime
    }

    /// Leaves out all families but those of these names: as they are registered, or
    /// as a format prints them, a counter's with its `_total` or without.
    pub fn filter_names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let only: HashSet<_> = names.into_iter().map(Into::into).collect();
        let about_itself = self_metrics::descs().any(|desc| is_selected(&only, &desc));
        if !about_itself {
            self.self_metrics = None;
            // Else all must be read, for what is told of them.
            let all = self.entries;
            let wanted: Vec<_> = all
                .filter(|entry| is_selected(&only, entry.desc()))
                .collect();
            self.entries = wanted.into_iter();
        }
        self.name_filter = Some(only);
        self
    }

    /// Begins with the next family.
    fn start_family(&mut self, entry: Arc<MetricEntry>) -> FamilyReader {
        let is_shared = self.overlapping.contains(entry.desc().name());
        let mut current = FamilyReader {
            entry,
            next_group: 0,
            cursor: GroupCursor::Nothing,
            series: 0,
            seen: None,
        };
        if is_shared && is_self_metric(current.entry.desc()) {
            let mut blocks = Vec::new();
            while let Some(block) = self.next_in_family(&mut current) {
                blocks.push(block);
            }
            let sums = sum_series(blocks, |labels| self.skip_duplicate(&current.entry, labels));
            current.cursor = GroupCursor::Computed(sums.into_iter());
            current.series = 0;
        } else if is_shared {
            current.seen = Some(SeenSeries::default());
        }
        current
    }

    /// Returns the next block of a family.
    fn next_in_family(&mut self, current: &mut FamilyReader) -> Option<SeriesBlock> {
        loop {
            let block = match &mut current.cursor {
                GroupCursor::Nothing => None,
                GroupCursor::Stored(part, from) => part.set.block(from),
                GroupCursor::Computed(blocks) => blocks.next(),
            };
            if let Some(mut block) = block {
                if let Some(seen) = &mut current.seen {
                    seen.remove_seen(&mut block, |labels| {
                        self.skip_duplicate(&current.entry, labels)
                    });
                }
                if block.labels.is_empty() {
                    continue;
                }
                block.is_first = current.series == 0;
                current.series += block.labels.len();
                return Some(block);
            }
            let part = current.entry.groups.get(current.next_group)?;
            current.next_group += 1;
            current.cursor = match &part.collector {
                None => GroupCursor::Stored(part.clone(), 0),
                Some((source, family)) => {
                    GroupCursor::Computed(self.collected_blocks(source, *family).into_iter())
                }
            };
        }
    }

    /// Notes that a series was left out.
    fn skip_duplicate(&mut self, entry: &MetricEntry, labels: &Labels) {
        let name = entry.desc().name();
        if let Some(others) = &self.registry.additional {
            others.skip_duplicate(name, labels);
        }
        let first = || (name.to_owned(), labels.clone());
        self.duplicate.get_or_insert_with(first);
    }

    /// Takes what a collector has computed for one of its families; it is called
    /// for the first of them.
    fn collected_blocks(
        &mut self,
        source: &Arc<RegisteredCollector>,
        family: usize,
    ) -> Vec<SeriesBlock> {
        let key = Arc::as_ptr(source).addr();
        let families = self.collected.entry(key).or_insert_with(|| source.run());
        families
            .get_mut(family)
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Notes what is to be said of a family that has been read.
    fn finish_family(&mut self, read: &FamilyReader) {
        if let Some(itself) = &mut self.self_metrics {
            itself.record(&read.entry.metric(), read.series);
            itself.has_collectors |= read
                .entry
                .groups
                .iter()
                .any(|part| part.collector.is_some());
        }
    }
}

impl Iterator for Gather {
    type Item = SeriesBlock;

    fn next(&mut self) -> Option<SeriesBlock> {
        loop {
            let block = self.next_unfiltered()?;
            let wanted = |only: &HashSet<_>| is_selected(only, &block.desc);
            if self.name_filter.as_ref().is_none_or(wanted) {
                return Some(block);
            }
        }
    }
}

impl Gather {
    /// Reads on, whether it is wanted or not.
    fn next_unfiltered(&mut self) -> Option<SeriesBlock> {
        loop {
            if let Some(mut current) = self.current.take() {
                if let Some(block) = self.next_in_family(&mut current) {
                    self.current = Some(current);
                    return Some(block);
                }
                self.finish_family(&current);
            }
            if let Some(entry) = self.entries.next() {
                self.current = Some(self.start_family(entry));
            } else {
                if let Some(itself) = self.self_metrics.take() {
                    self.self_metric_blocks = itself.blocks(&self.registry).into_iter();
                }
                return self.self_metric_blocks.next();
            }
        }
    }
}

/// Returns true when a family is among those of these names.
fn is_selected(names: &HashSet<String>, desc: &Desc) -> bool {
    desc.lookup_names().any(|name| names.contains(&*name))
}

impl fmt::Debug for Gather {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gather")
            .field("taken", &self.read_at)
            .field("uptime", &self.uptime)
            .field("families", &self.entries.len())
            .finish_non_exhaustive()
    }
}
