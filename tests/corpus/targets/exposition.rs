//! Target `exposition`: any text. The parser returns an error, or samples that can be found and
//! that come back when they are printed and parsed again.

use std::collections::BTreeMap;

use tachometer::testing::Exposition;

/// Runs the target: a text.
pub(crate) fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match Exposition::parse(&text) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(exposition) => check(&exposition),
    }
}

fn check(exposition: &Exposition) {
    for (name, labels, _) in exposition.samples() {
        let pairs = labels.iter();
        let pairs: Vec<_> = pairs
            .map(|(label, value)| (label.as_str(), value.as_str()))
            .collect();
        assert!(
            exposition.value(name, &pairs).is_some(),
            "{name} {pairs:?} has no value"
        );
    }
    // Other names have to be quoted in braces, which the display does not do.
    let is_unquoted = |(name, labels, _): (&str, &BTreeMap<String, String>, f64)| {
        is_plain(name) && labels.keys().all(|label| is_plain(label))
    };
    if exposition.samples().all(is_unquoted) {
        let text = exposition.to_string();
        let again = Exposition::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        assert_eq!(again.samples().len(), exposition.samples().len(), "{text}");
        for (before, after) in exposition.samples().zip(again.samples()) {
            let is_same_value = after.2 == before.2 || after.2.is_nan() && before.2.is_nan();
            assert!(is_same_value, "{text}");
            assert_eq!((after.0, after.1), (before.0, before.1));
        }
    }
}

fn is_plain(name: &str) -> bool {
    let mut chars = name.chars();
    chars
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic())
        && chars.all(|char| char.is_ascii_alphanumeric() || char == '_')
}
