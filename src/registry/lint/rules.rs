//! The rules: each checks one family.

use crate::registry::lint::units::{base_unit, unabbreviated};
use crate::registry::lint::{Lint, LintedFamily};
use crate::snapshot::{Escaping, Kind};

/// Returns a text for each violation of a rule, which follows the metric's name in a sentence.
type CheckFn = fn(&LintedFamily) -> Vec<String>;

/// The rules by name, in the order in which they are reported.
const RULES: [(&str, CheckFn); 9] = [
    ("missing_help", missing_help),
    ("base_unit", base_units),
    ("total_suffix", total_suffix),
    ("reserved_name", reserved_names),
    ("type_in_name", type_in_name),
    ("colon", colon),
    ("camel_case", camel_case),
    ("abbreviated_unit", abbreviated_units),
    ("duplicate_series", duplicate_series),
];

/// The types of metrics: those of this crate, and Prometheus's summary.
const TYPES: [&str; 4] = ["counter", "gauge", "histogram", "summary"];

/// Returns the violations of a family, in the order of the rules.
pub(super) fn check(family: &LintedFamily) -> Vec<Lint> {
    let mut lints = Vec::new();
    for (rule, check) in RULES {
        let name = family.desc.exposed_name();
        for violation in check(family) {
            lints.push(Lint {
                metric: name.to_owned(),
                rule,
                text: format!("the {} {name:?} {violation}", family.desc.kind()),
            });
        }
    }
    lints
}

fn missing_help(family: &LintedFamily) -> Vec<String> {
    // These are the characters that a parser skips before the text.
    let is_blank = |char| matches!(char, ' ' | '\t');
    if family.desc.help().chars().all(is_blank) {
        return vec!["has no help text: describe what it measures where it is registered".into()];
    }
    Vec::new()
}

fn base_units(family: &LintedFamily) -> Vec<String> {
    let words = distinct(family.desc.exposed_name().split('_'));
    let units = words.filter_map(|word| {
        base_unit(word).map(|base| {
            format!(
                "has the unit {word} in its name, and Prometheus's base unit is {base}: measure \
                 in {base}, and put that in the name"
            )
        })
    });
    units.collect()
}

fn total_suffix(family: &LintedFamily) -> Vec<String> {
    // The exposed name of every counter has this suffix.
    let is_counter = family.desc.kind() == Kind::Counter;
    let name = Escaping::Underscores.metric_name(family.desc.exposed_name());
    if !is_counter && name.ends_with("_total") {
        return vec![
            "ends in `_total`, which only counters may: drop the suffix, or make it a counter"
                .into(),
        ];
    }
    Vec::new()
}

fn reserved_names(family: &LintedFamily) -> Vec<String> {
    let is_histogram = family.desc.kind() == Kind::Histogram;
    let name = Escaping::Underscores.metric_name(family.desc.exposed_name());
    let suffixes = ["_bucket", "_count", "_sum"].into_iter();
    let suffixes = suffixes.filter(|suffix| !is_histogram && name.ends_with(suffix));
    let suffixes = suffixes.map(|suffix| {
        format!("ends in `{suffix}`, like the series of a histogram: choose another ending")
    });
    // Registries refuse these labels. The check does not depend on that.
    let labels = family.labels.iter();
    let labels = labels.filter(|label| *label == "quantile" || (*label == "le" && !is_histogram));
    let labels = labels.map(|label| {
        format!(
            "has the label `{label}`, which Prometheus reserves for histograms and summaries: \
             choose another name for it"
        )
    });
    suffixes.chain(labels).collect()
}

fn type_in_name(family: &LintedFamily) -> Vec<String> {
    let name = family.desc.exposed_name().to_ascii_lowercase();
    let types = distinct(later_words(&name)).filter(|word| TYPES.contains(word));
    types
        .map(|word| {
            format!(
                "has `{word}`, a metric type, in its name: leave it out, since a scrape contains \
                 the type"
            )
        })
        .collect()
}

fn colon(family: &LintedFamily) -> Vec<String> {
    if family.desc.exposed_name().contains(':') {
        return vec![
            "has a `:` in its name, which is reserved for recording rules: replace it with `_`"
                .into(),
        ];
    }
    Vec::new()
}

fn camel_case(family: &LintedFamily) -> Vec<String> {
    let name = Some(family.desc.exposed_name()).filter(|name| is_camel_case(name));
    let name = name.map(|_| "has a name in camelCase: use snake_case");
    let labels = family.labels.iter().filter(|label| is_camel_case(label));
    let labels =
        labels.map(|label| format!("has the label `{label}`, a name in camelCase: use snake_case"));
    name.map(String::from).into_iter().chain(labels).collect()
}

fn abbreviated_units(family: &LintedFamily) -> Vec<String> {
    let name = family.desc.exposed_name().to_ascii_lowercase();
    let words = distinct(later_words(&name));
    let units = words.filter_map(|word| {
        unabbreviated(word).map(|unit| {
            format!(
                "has `{word}` in its name, which looks like an abbreviated unit: write {unit}, or \
                 another word"
            )
        })
    });
    units.collect()
}

fn duplicate_series(family: &LintedFamily) -> Vec<String> {
    let duplicates = family.duplicates.iter().map(|labels| {
        let labels = labels.as_str();
        format!("has two series with the labels {{{labels}}}: give them different labels")
    });
    duplicates.collect()
}

/// Returns the words of a name after the first, which promtool ignores when it looks for types
/// and abbreviations.
fn later_words(name: &str) -> impl Iterator<Item = &str> {
    name.split('_').skip(1)
}

/// Returns each word once.
fn distinct<'a>(words: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    let mut seen = Vec::new();
    words.filter(move |word| {
        let is_new = !seen.contains(word);
        seen.push(*word);
        is_new
    })
}

/// Returns true if an uppercase letter follows a lowercase one.
fn is_camel_case(name: &str) -> bool {
    let mut pairs = name.as_bytes().windows(2);
    pairs.any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
}
