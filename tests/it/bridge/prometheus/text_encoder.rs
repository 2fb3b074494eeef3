//! The samples in the text that the encoder of the `prometheus` crate writes, and in an export.

use std::collections::BTreeMap;

use prometheus::TextEncoder;
use tachometer::Registry;
use tachometer::export::Format;

use crate::support::compare_exports::read;
use crate::support::parse::{Family, Number, Series};

/// Families by name, the same for each encoder.
pub(super) type Families = BTreeMap<String, Family>;

/// Returns what the encoder of the `prometheus` crate writes.
pub(super) fn encode(registry: &prometheus::Registry) -> String {
    let families = registry.gather();
    TextEncoder::new().encode_to_string(&families).unwrap()
}

/// Reads the text that the encoder of the `prometheus` crate writes. It writes infinities as Rust
/// does, which is corrected first.
#[track_caller]
pub(super) fn from_encoder(registry: &prometheus::Registry) -> Families {
    let mut text = String::new();
    for line in encode(registry).lines() {
        text.push_str(&corrected(line));
        text.push('\n');
    }
    in_one_form(read(Format::Text, text.as_bytes()))
}

/// Reads the text export of a registry.
#[track_caller]
pub(super) fn from_export(registry: &Registry) -> Families {
    let export = registry.export(Format::Text).to_bytes();
    in_one_form(read(Format::Text, &export))
}

fn corrected(line: &str) -> String {
    if line.starts_with('#') {
        return line.to_owned();
    }
    let (series, value) = line.rsplit_once(' ').unwrap();
    let value = match value {
        "inf" => "+Inf",
        "-inf" => "-Inf",
        value => value,
    };
    let series = match series.strip_suffix("le=\"inf\"}") {
        Some(before) => format!("{before}le=\"+Inf\"}}"),
        None => series.to_owned(),
    };
    format!("{series} {value}")
}

/// Sorts labels and series, and removes labels without a value, which do not exist for Prometheus.
/// A counter's name ends in `_total`.
fn in_one_form(families: Vec<Family>) -> Families {
    let by_name = |mut family: Family| {
        if family.kind == "counter" && !family.name.ends_with("_total") {
            family.name.push_str("_total");
        }
        for series in &mut family.series {
            series.labels.retain(|(_, value)| !value.is_empty());
            series.labels.sort();
            series.number = series.number.map(|number| Number::Real(number.real()));
        }
        let labels = |series: &Series| series.labels.clone();
        family.series.sort_by_key(labels);
        (family.name.clone(), family)
    };
    let count = families.len();
    let families: Families = families.into_iter().map(by_name).collect();
    assert_eq!(families.len(), count, "two families have the same name");
    families
}
