//! The labels under which a series of the facade is registered.

use ::metrics::Key;

use crate::metric::is_same_when_escaped;
use crate::snapshot::{Escaping, Labels};

/// What precedes the name of a label that has another meaning to Prometheus, as in the labels of
/// a target that Prometheus renames.
const PREFIX: &str = "exported_";

/// Labels with names that every Prometheus reads, sorted by name.
#[derive(Debug, PartialEq)]
pub(super) struct ExportedLabels<'k> {
    /// The names in the facade, sorted, and those of the result.
    names: Vec<(&'k str, String)>,
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

/// Maps names, which are sorted, to different ones. A name that is fine is not changed.
fn export_names<'k>(
    names: impl Iterator<Item = &'k str>,
    constant: &Labels,
) -> Vec<(&'k str, String)> {
    let mut names: Vec<_> = names.map(|name| (name, export_name(name))).collect();
    let is_constant = |name: &str| {
        let mut constant = constant.pairs();
        constant.any(|(other, _)| is_same_when_escaped(&other, name))
    };
    for index in 0..names.len() {
        let is_used = |name: &str| {
            let (before, others) = names.split_at(index);
            before.iter().any(|(_, used)| used == name)
                || others
                    .iter()
                    .skip(1)
                    .any(|(unchanged, _)| *unchanged == name)
        };
        let mut exported = names[index].1.clone();
        while is_constant(&exported) || exported != names[index].0 && is_used(&exported) {
            exported.insert_str(0, PREFIX);
        }
        names[index].1 = exported;
    }
    names
}

fn export_name(name: &str) -> String {
    let escaped = Escaping::Underscores.label_name(name);
    match &*escaped {
        "" => "_".to_owned(),
        "le" | "quantile" => format!("{PREFIX}{escaped}"),
        // Reserved by Prometheus.
        name if name.starts_with("__") => format!("{PREFIX}{}", name.trim_start_matches('_')),
        _ => escaped.into_owned(),
    }
}
