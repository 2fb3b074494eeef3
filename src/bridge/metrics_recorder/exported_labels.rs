//! The labels under which a series of the facade is registered.

use std::borrow::Cow;

use ::metrics::Key;

use crate::bridge::exported_label_names::export_names;
use crate::snapshot::Labels;

/// Labels with names that every Prometheus reads, sorted by name.
#[derive(Debug, PartialEq)]
pub(super) struct ExportedLabels<'k> {
    /// The names in the facade, sorted, and those of the result.
    names: Vec<(&'k str, Cow<'k, str>)>,
    /// For each name, the value; empty if the label is left out.
    values: Vec<&'k str>,
    /// True if a name was repeated.
    is_repeated: bool,
}

impl<'k> ExportedLabels<'k> {
    /// Maps the labels of a key. Their names differ from those of `constant`.
    ///
    /// If a label is repeated, its last value counts.
    pub(super) fn new(key: &'k Key, constant: &Labels) -> Self {
        let mut labels: Vec<(&str, &str)> = Vec::new();
        let mut is_repeated = false;
        for label in key.labels() {
            let mut existing = labels.iter_mut();
            match existing.find(|(name, _)| *name == label.key()) {
                Some((_, value)) => {
                    *value = label.value();
                    is_repeated = true;
                }
                None => labels.push((label.key(), label.value())),
            }
        }
        labels.sort_unstable();
        Self {
            names: export_names(labels.iter().map(|(name, _)| *name), constant),
            values: labels.into_iter().map(|(_, value)| value).collect(),
            is_repeated,
        }
    }

    /// Returns the labels, sorted by name, without those whose value is empty: these are the same
    /// to Prometheus.
    pub(super) fn pairs(&self) -> Vec<(&str, &str)> {
        let names = self.names.iter().map(|(_, name)| &**name);
        let pairs = names.zip(self.values.iter().copied());
        let mut pairs: Vec<_> = pairs.filter(|(_, value)| !value.is_empty()).collect();
        pairs.sort_unstable();
        pairs
    }

    /// Returns the sorted names in the facade; `None` if one of them is repeated, so that any
    /// number of keys have the same labels.
    pub(super) fn facade_names(&self) -> Option<impl Iterator<Item = &str>> {
        let names = self.names.iter().map(|(name, _)| *name);
        (!self.is_repeated).then_some(names)
    }

    /// Returns the longest name in the facade.
    pub(super) fn longest_name(&self) -> &str {
        let names = self.names.iter().map(|(name, _)| *name);
        names.max_by_key(|name| name.len()).unwrap_or_default()
    }
}
