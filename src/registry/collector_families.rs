//! The families of a collector.

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use crate::error::{Conflict, Error};
use crate::metric::Counter;
use crate::snapshot::Desc;

/// A collector can have at most this many families, so that invented names cannot fill the memory.
pub(super) const MAX_FAMILIES: usize = 10_000;

/// The families of a collector, in the order in which they were registered.
#[derive(Default)]
pub(super) struct CollectorFamilies {
    families: Vec<Arc<DescribedFamily>>,
    /// The index of each family, by the name that the collector uses.
    indexes: HashMap<Box<str>, usize>,
}

/// A family that a collector has described.
pub(crate) struct DescribedFamily {
    /// The name that the collector uses.
    pub(super) name: Box<str>,
    /// The family as it was registered.
    registered: Arc<Desc>,
    /// The family with a help text, if it was registered without one and got one later.
    with_help: OnceLock<Arc<Desc>>,
    /// How many of its series were refused.
    pub(super) invalid: Counter,
}

impl CollectorFamilies {
    pub(super) fn len(&self) -> usize {
        self.families.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<DescribedFamily>> {
        self.families.iter()
    }

    /// Returns a family and its index.
    pub(super) fn get(&self, name: &str) -> Option<(usize, &Arc<DescribedFamily>)> {
        let index = *self.indexes.get(name)?;
        Some((index, self.families.get(index)?))
    }

    /// Adds a family, and returns its index.
    pub(super) fn push(&mut self, family: Arc<DescribedFamily>) -> usize {
        let index = self.families.len();
        self.indexes.insert(family.name.clone(), index);
        self.families.push(family);
        index
    }
}

impl DescribedFamily {
    pub(super) fn new(name: &str, registered: Desc) -> Self {
        Self {
            name: name.into(),
            registered: Arc::new(registered),
            with_help: OnceLock::new(),
            invalid: Counter::new(),
        }
    }

    pub(super) fn desc(&self) -> &Arc<Desc> {
        self.with_help.get().unwrap_or(&self.registered)
    }

    /// Sets the help text if the family has none.
    ///
    /// # Errors
    ///
    /// If the family is of another kind.
    pub(super) fn update(&self, desc: &Desc) -> Result<(), Error> {
        let (registered, kind) = (self.registered.kind(), desc.kind());
        if kind != registered {
            return Err(Error::conflict(
                Conflict::Metric,
                format_args!(
                    "the collector's metric {:?} is a {registered} and became a {kind}",
                    self.name
                ),
                "choose another name",
            ));
        }
        if self.registered.help().is_empty() && !desc.help().is_empty() {
            let with_help = || Arc::new(self.registered.with_help(desc.help()));
            self.with_help.get_or_init(with_help);
        }
        Ok(())
    }
}
