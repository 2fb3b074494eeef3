//! The name under which a metric of the facade is registered.

use ::metrics::Unit;

use crate::snapshot::Escaping;

/// Returns a name that every Prometheus reads, with the unit if it lacks that.
pub(super) fn exported_name(name: &str, unit: Option<Unit>) -> String {
    let mut exported = Escaping::Underscores.metric_name(name).into_owned();
    if exported.is_empty() {
        exported.push('_');
    }
    match unit.and_then(unit_name) {
        Some(unit) => with_unit(&exported, unit),
        None => exported,
    }
}

/// Appends a unit, before `_total`, unless the name ends in it.
fn with_unit(name: &str, unit: &str) -> String {
    let (stem, suffix) = match name.strip_suffix("_total") {
        Some(stem) => (stem, "_total"),
        None => (name, ""),
    };
    let has_unit = stem
        .strip_suffix(unit)
        .is_some_and(|before| before.is_empty() || before.ends_with('_'));
    if has_unit {
        return name.to_owned();
    }
    format!("{stem}_{unit}{suffix}")
}

/// Returns the name of a unit; `None` if it is a plain number.
fn unit_name(unit: Unit) -> Option<&'static str> {
    match unit {
        Unit::Count => None,
        unit => Some(unit.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_becomes_one_that_prometheus_reads() {
        for (name, exported) in [
            ("requests_total", "requests_total"),
            ("node:cpu:rate5m", "node:cpu:rate5m"),
            ("a-b", "a_b"),
            ("a.b/c d", "a_b_c_d"),
            ("größe", "gr__e"),
            ("9lives", "_lives"),
            ("", "_"),
            ("\n\"{}", "____"),
        ] {
            assert_eq!(exported_name(name, None), exported, "{name:?}");
        }
    }

    #[test]
    fn a_unit_is_appended_once_and_before_the_suffix_of_a_counter() {
        for (name, unit, exported) in [
            ("wait", Unit::Seconds, "wait_seconds"),
            ("wait_seconds", Unit::Seconds, "wait_seconds"),
            ("seconds", Unit::Seconds, "seconds"),
            ("milliseconds", Unit::Seconds, "milliseconds_seconds"),
            ("sent_total", Unit::Bytes, "sent_bytes_total"),
            ("sent_bytes_total", Unit::Bytes, "sent_bytes_total"),
            ("sent.total", Unit::Bytes, "sent_bytes_total"),
            ("load", Unit::Percent, "load_percent"),
            ("link", Unit::MegabitsPerSecond, "link_megabits_per_second"),
            ("jobs", Unit::Count, "jobs"),
        ] {
            assert_eq!(exported_name(name, Some(unit)), exported, "{name}");
        }
    }
}
