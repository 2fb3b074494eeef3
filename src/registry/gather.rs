//! Reading a whole registry, a block at a time.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use std::vec;

use crate::metric::Counter;
use crate::registry::Registry;
use crate::registry::entries::Entry;
use crate::registry::itself::{self, Itself};
use crate::registry::source::Source;
use crate::snapshot::{Block, Desc};

/// All metrics of a registry, read a block at a time as it is asked for one.
///
/// Families come sorted by name, their series in the order in which they were
/// made, and families without a series are left out. Last comes what the registry
/// says of itself, in metrics that begin with `tachometer_`.
#[must_use = "a registry is read as blocks are taken"]
pub struct Gather {
    entries: vec::IntoIter<Entry>,
    /// The family under way.
    current: Option<Current>,
    /// The names of those that are given out, where not all are.
    only: Option<HashSet<String>>,
    /// What each collector that was called has computed, by its family.
    computed: HashMap<usize, Vec<Vec<Block>>>,
    panics: Counter,
    /// What is told at the end, noted on the way.
    itself: Option<Itself>,
    end: vec::IntoIter<Block>,
    since: u64,
    taken: SystemTime,
    uptime: Duration,
}

/// A family that is being read.
struct Current {
    entry: Entry,
    /// Where to read on, or what is left of what a collector computed.
    rest: Rest,
    series: usize,
}

enum Rest {
    From(usize),
    Computed(vec::IntoIter<Block>),
}

impl Gather {
    pub(super) fn new(registry: &Registry, entries: Vec<Entry>) -> Self {
        Self {
            entries: entries.into_iter(),
            current: None,
            only: None,
            computed: HashMap::new(),
            panics: registry.inner.panics.clone(),
            itself: Some(Itself::new(registry.scope.labels().clone())),
            end: Vec::new().into_iter(),
            since: registry.inner.since,
            taken: SystemTime::now(),
            uptime: registry.uptime(),
        }
    }

    /// Returns when the reading began.
    #[must_use]
    pub fn taken(&self) -> SystemTime {
        self.taken
    }

    /// Returns for how long the registry had existed then.
    #[must_use]
    pub fn uptime(&self) -> Duration {
        self.uptime
    }

    /// Leaves out all families but those of these names: as they are registered, or
    /// as a format prints them, a counter's with its `_total` or without.
    pub fn only(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let only: HashSet<_> = names.into_iter().map(Into::into).collect();
        let about_itself = itself::descs().any(|desc| has(&only, &desc));
        if !about_itself {
            self.itself = None;
            // Else all must be read, for what is told of them.
            let all = self.entries;
            let wanted: Vec<_> = all
                .filter(|entry| has(&only, entry.metric.desc()))
                .collect();
            self.entries = wanted.into_iter();
        }
        self.only = Some(only);
        self
    }

    /// Begins with the next family.
    fn start(&mut self, entry: Entry) -> Current {
        let rest = match &entry.source {
            None => Rest::From(0),
            Some((source, family)) => Rest::Computed(self.take(source, *family).into_iter()),
        };
        Current {
            entry,
            rest,
            series: 0,
        }
    }

    /// Takes what a collector has computed for one of its families; it is called
    /// for the first of them.
    fn take(&mut self, source: &Arc<Source>, family: usize) -> Vec<Block> {
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
            itself.note(&read.entry.metric, read.series);
            if read.entry.source.is_some() {
                itself.panics = Some(self.panics.get_u64());
            }
        }
    }
}

impl Iterator for Gather {
    type Item = Block;

    fn next(&mut self) -> Option<Block> {
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
    fn read(&mut self) -> Option<Block> {
        loop {
            if let Some(current) = &mut self.current {
                if let Some(block) = current.next() {
                    return Some(block);
                }
                if let Some(read) = self.current.take() {
                    self.end(&read);
                }
            }
            if let Some(entry) = self.entries.next() {
                self.current = Some(self.start(entry));
            } else {
                if let Some(itself) = self.itself.take() {
                    self.end = itself.blocks(self.since).into_iter();
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

impl Current {
    fn next(&mut self) -> Option<Block> {
        let mut block = match &mut self.rest {
            Rest::From(from) => self.entry.metric.block(from)?,
            Rest::Computed(blocks) => blocks.next()?,
        };
        block.first = self.series == 0;
        self.series += block.labels.len();
        Some(block)
    }
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
