//! The names under which the labels of other libraries are exported.

use std::borrow::Cow;

use crate::metric::is_same_when_escaped;
use crate::snapshot::{Escaping, Labels};

/// What precedes the name of a label that has another meaning to Prometheus, as in the labels of
/// a target that Prometheus renames.
const PREFIX: &str = "exported_";

/// Maps names, which are sorted and differ, to different ones that every Prometheus reads and
/// that `constant` does not contain. A name that is fine is not changed.
pub(super) fn export_names<'n>(
    names: impl Iterator<Item = &'n str>,
    constant: &Labels,
) -> Vec<(&'n str, Cow<'n, str>)> {
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
            exported.to_mut().insert_str(0, PREFIX);
        }
        names[index].1 = exported;
    }
    names
}

fn export_name(name: &str) -> Cow<'_, str> {
    let escaped = Escaping::Underscores.label_name(name);
    match &*escaped {
        "" => "_".into(),
        "le" | "quantile" => format!("{PREFIX}{escaped}").into(),
        // Reserved by Prometheus.
        name if name.starts_with("__") => {
            format!("{PREFIX}{}", name.trim_start_matches('_')).into()
        }
        _ => escaped,
    }
}
