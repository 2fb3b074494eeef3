//! The rules, each a check of one family.

use crate::registry::lint::units::{base_unit, unabbreviated};
use crate::registry::lint::{Lint, LintedFamily, Rule};
use crate::snapshot::{Escaping, Kind};

/// Says what breaks a rule, each time in words that follow on the metric's name.
type CheckFn = fn(&LintedFamily) -> Vec<String>;

/// The checks, in the order of their rules.
const RULES: [(Rule, CheckFn); 9] = [
    (Rule::Help, missing_help),
    (Rule::BaseUnit, base_units),
    (Rule::Total, total_suffix),
    (Rule::Reserved, reserved_names),
    (Rule::TypeInName, type_in_name),
    (Rule::Colon, colon),
    (Rule::SnakeCase, camel_case),
    (Rule::Abbreviation, abbreviated_units),
    (Rule::Duplicate, duplicate_series),
];

/// The types of metrics, this crate's and Prometheus's other one.
const TYPES: [&str; 4] = ["counter", "gauge", "histogram", "summary"];

/// Returns what is wrong with a family, sorted by rule.
pub(super) fn check(family: &LintedFamily) -> Vec<Lint> {
    let mut lints = Vec::new();
    for (rule, check) in RULES {
        let name = family.desc.exposed_name();
        for fault in check(family) {
            lints.push(Lint {
                metric: name.to_owned(),
                rule,
                text: format!("the {} {name:?} {fault}", family.desc.kind()),
            });
        }
    }
    lints
}

fn missing_help(family: &LintedFamily) -> Vec<String> {
    // Blanks are all that a reader skips before the text.
    let blank = |char| matches!(char, ' ' | '\t');
    if family.desc.help().chars().all(blank) {
        return vec!["has no help text: say what it measures where it is registered".into()];
    }
    Vec::new()
}

fn base_units(family: &LintedFamily) -> Vec<String> {
    let words = distinct(family.desc.exposed_name().split('_'));
    let units = words.filter_map(|word| {
        base_unit(word).map(|base| {
            format!(
                "is named after {word}, and Prometheus's base unit is {base}: measure in {base}, \
                 and name it so"
            )
        })
    });
    units.collect()
}

fn total_suffix(family: &LintedFamily) -> Vec<String> {
    // A counter's name ends so when it is exposed, however it was registered.
    let is_counter = family.desc.kind() == Kind::Counter;
    let name = Escaping::Underscores.metric_name(family.desc.exposed_name());
    if !is_counter && name.ends_with("_total") {
        return vec![
            "ends in `_total`, as only counters do: drop the suffix, or make it a counter".into(),
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
        format!("ends in `{suffix}`, as what a histogram prints does: choose another ending")
    });
    // Registries refuse these labels; what they take may change, and this must not.
    let labels = family.labels.iter();
    let labels = labels.filter(|label| *label == "quantile" || (*label == "le" && !is_histogram));
    let labels = labels.map(|label| {
        format!(
            "has the label `{label}`, which Prometheus keeps for histograms and summaries: \
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
                "has `{word}`, a type of metric, in its name: leave it out, since a scrape tells \
                 the type beside the name"
            )
        })
        .collect()
}

fn colon(family: &LintedFamily) -> Vec<String> {
    if family.desc.exposed_name().contains(':') {
        return vec!["has a `:` in its name, as recording rules have: put `_` in its place".into()];
    }
    Vec::new()
}

fn camel_case(family: &LintedFamily) -> Vec<String> {
    let name = Some(family.desc.exposed_name()).filter(|name| is_camel_case(name));
    let name = name.map(|_| "is named in camelCase: write small letters, and `_` between words");
    let labels = family.labels.iter().filter(|label| is_camel_case(label));
    let labels = labels.map(|label| {
        format!(
            "has the label `{label}`, named in camelCase: write small letters, and `_` \
             between words"
        )
    });
    name.map(String::from).into_iter().chain(labels).collect()
}

fn abbreviated_units(family: &LintedFamily) -> Vec<String> {
    let name = family.desc.exposed_name().to_ascii_lowercase();
    let words = distinct(later_words(&name));
    let units = words.filter_map(|word| {
        unabbreviated(word).map(|unit| {
            format!(
                "has `{word}` in its name, which reads as an abbreviated unit: write {unit}, or \
                 another word"
            )
        })
    });
    units.collect()
}

fn duplicate_series(family: &LintedFamily) -> Vec<String> {
    let twice = family.duplicates.iter().map(|labels| {
        let labels = labels.as_str();
        format!("has two series with the labels {{{labels}}}: give each of them labels of its own")
    });
    twice.collect()
}

/// Returns the words of a name but the first, of which promtool takes no notice
/// where it looks for types and abbreviations.
fn later_words(name: &str) -> impl Iterator<Item = &str> {
    name.split('_').skip(1)
}

/// Returns these words, each once.
fn distinct<'a>(words: impl Iterator<Item = &'a str>) -> impl Iterator<Item = &'a str> {
    let mut seen = Vec::new();
    words.filter(move |word| {
        let new = !seen.contains(word);
        seen.push(*word);
        new
    })
}

/// Returns true where a capital follows a small letter.
fn is_camel_case(name: &str) -> bool {
    let mut pairs = name.as_bytes().windows(2);
    pairs.any(|pair| pair[0].is_ascii_lowercase() && pair[1].is_ascii_uppercase())
}
