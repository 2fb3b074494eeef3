//! Reading a whole registry, a block at a time.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use std::vec;

use crate::registry::Registry;
use crate::registry::collector::Collector;
use crate::registry::entries::{Entry, Part};
use crate::registry::self_metrics::{self, SelfMetrics};
use crate::registry::shared::{Seen, add_up, is_about_itself};
use crate::snapshot::{Desc, Labels, SeriesBlock};

/// All metrics of a registry, read a block at a time as it is asked for one.
///
/// Families come sorted by name, their series in the order in which they were
/// made, and families without a series are left out. Last comes what the registry
/// says of itself, in metrics that begin with `tachometer_`.
#[must_use = "a registry is read as blocks are taken"]
pub struct Gather {
    registry: Registry,
    entries: vec::IntoIter<Arc<Entry>>,
    /// The names of metrics whose series may be the same in several registries.
    shared: HashSet<String>,
    /// The family under way.
    current: Option<Current>,
    /// The names of those that are given out, where not all are.
    only: Option<HashSet<String>>,
    /// What each collector that was called has computed, by its family.
    computed: HashMap<usize, Vec<Vec<SeriesBlock>>>,
    /// What is told at the end, noted on the way.
    itself: Option<SelfMetrics>,
    end: vec::IntoIter<SeriesBlock>,
    /// A series that two registries have.
    duplicate: Option<(String, Labels)>,
    taken: SystemTime,
    uptime: Duration,
}

/// A family that is being read.
struct Current {
    entry: Arc<Entry>,
    /// The part to read next.
    next: usize,
    /// What is left of the part under way.
    rest: Rest,
    series: usize,
    /// What was read so far, if several registries may have the same series.
    seen: Option<Seen>,
}

enum Rest {
    Nothing,
    Stored(Part, usize),
    Computed(vec::IntoIter<SeriesBlock>),
}

impl Gather {
    pub(super) fn new(registry: &Registry) -> Self {
        let (entries, shared) = match &registry.others {
            None => (registry.entries().iter().cloned().collect(), HashSet::new()),
            Some(others) => {
                let merge = registry.merge();
                for (entry, conflict) in &merge.conflicts {
                    others.leave_out_metric(entry, conflict);
                }
                (merge.entries, merge.shared)
            }
        };
        Self {
            registry: registry.clone(),
            entries: entries.into_iter(),
            shared,
            current: None,
            only: None,
            computed: HashMap::new(),
            itself: Some(SelfMetrics::new(registry.labels_about_itself())),
            end: Vec::new().into_iter(),
            duplicate: None,
            taken: SystemTime::now(),
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
        self.taken
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
        let about_itself = self_metrics::descs().any(|desc| has(&only, &desc));
        if !about_itself {
            self.itself = None;
            // Else all must be read, for what is told of them.
            let all = self.entries;
            let wanted: Vec<_> = all.filter(|entry| has(&only, entry.desc())).collect();
            self.entries = wanted.into_iter();
        }
        self.only = Some(only);
        self
    }

    /// Begins with the next family.
    fn start(&mut self, entry: Arc<Entry>) -> Current {
        let is_shared = self.shared.contains(entry.desc().name());
        let mut current = Current {
            entry,
            next: 0,
            rest: Rest::Nothing,
            series: 0,
            seen: None,
        };
        if is_shared && is_about_itself(current.entry.desc()) {
            let mut blocks = Vec::new();
            while let Some(block) = self.read_parts(&mut current) {
                blocks.push(block);
            }
            let sums = add_up(blocks, |labels| self.leave_out(&current.entry, labels));
            current.rest = Rest::Computed(sums.into_iter());
            current.series = 0;
        } else if is_shared {
            current.seen = Some(Seen::default());
        }
        current
    }

    /// Returns the next block of a family.
    fn read_parts(&mut self, current: &mut Current) -> Option<SeriesBlock> {
        loop {
            let block = match &mut current.rest {
                Rest::Nothing => None,
                Rest::Stored(part, from) => part.set.block(from),
                Rest::Computed(blocks) => blocks.next(),
            };
            if let Some(mut block) = block {
                if let Some(seen) = &mut current.seen {
                    seen.filter(&mut block, |labels| self.leave_out(&current.entry, labels));
                }
                if block.labels.is_empty() {
                    continue;
                }
                block.first = current.series == 0;
                current.series += block.labels.len();
                return Some(block);
            }
            let part = current.entry.parts.get(current.next)?;
            current.next += 1;
            current.rest = match &part.source {
                None => Rest::Stored(part.clone(), 0),
                Some((source, family)) => Rest::Computed(self.take(source, *family).into_iter()),
            };
        }
    }

    /// Notes that a series was left out.
    fn leave_out(&mut self, entry: &Entry, labels: &Labels) {
        let name = entry.desc().name();
        if let Some(others) = &self.registry.others {
            others.leave_out_duplicate(name, labels);
        }
        let first = || (name.to_owned(), labels.clone());
        self.duplicate.get_or_insert_with(first);
    }

    /// Takes what a collector has computed for one of its families; it is called
    /// for the first of them.
    fn take(&mut self, source: &Arc<Collector>, family: usize) -> Vec<SeriesBlock> {
        let key = Arc::as_ptr(source).addr();
        let families = self.computed.entry(key).or_insert_with(|| source.run());
        families
            .get_mut(family)
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// Notes what is to be said of a family that has been read.
    fn end(&mut self, read: &Current) {
        if let Some(itself) = &mut self.itself {
            itself.note(&read.entry.metric(), read.series);
            itself.has_collectors |= read.entry.parts.iter().any(|part| part.source.is_some());
        }
    }
}

impl Iterator for Gather {
    type Item = SeriesBlock;

    fn next(&mut self) -> Option<SeriesBlock> {
        loop {
            let block = self.read()?;
            let wanted = |only: &HashSet<_>| has(only, &block.desc);
            if self.only.as_ref().is_none_or(wanted) {
                return Some(block);
            }
        }
    }
}

impl Gather {
    /// Reads on, whether it is wanted or not.
    fn read(&mut self) -> Option<SeriesBlock> {
        loop {
            if let Some(mut current) = self.current.take() {
                if let Some(block) = self.read_parts(&mut current) {
                    self.current = Some(current);
                    return Some(block);
                }
                self.end(&current);
            }
            if let Some(entry) = self.entries.next() {
                self.current = Some(self.start(entry));
            } else {
                if let Some(itself) = self.itself.take() {
                    self.end = itself.blocks(&self.registry).into_iter();
                }
                return self.end.next();
            }
        }
    }
}

/// Returns true when a family is among those of these names.
fn has(names: &HashSet<String>, desc: &Desc) -> bool {
    desc.names().any(|name| names.contains(&*name))
}

impl fmt::Debug for Gather {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gather")
            .field("taken", &self.taken)
            .field("uptime", &self.uptime)
            .field("families", &self.entries.len())
            .finish_non_exhaustive()
    }
}
