//! Target `exposition`: any text. The parser returns an error, or samples that can be found and
//! that come back when they are printed and parsed again.

use tachometer::testing::{Exposition, ParsedSample};

/// Runs the target: a text.
pub(crate) fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match Exposition::parse(&text) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(exposition) => exposition
            .samples()
            .iter()
            .for_each(|sample| check(&exposition, sample)),
    }
}

fn check(exposition: &Exposition, sample: &ParsedSample) {
    let labels = sample.labels.iter();
    let labels: Vec<_> = labels
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let found = exposition.value(&sample.name, &labels);
    assert!(found.is_some(), "{sample} is not found");
    // Only these stand without quotes.
    let is_plain = |name: &str| {
        let mut chars = name.chars();
        chars
            .next()
            .is_some_and(|first| first.is_ascii_alphabetic())
            && chars.all(|char| char.is_ascii_alphanumeric() || char == '_')
    };
    if is_plain(&sample.name) && sample.labels.keys().all(|name| is_plain(name)) {
        let text = sample.to_string();
        let again = Exposition::parse(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
        let [again] = again.samples() else {
            panic!("{text}: not one sample");
        };
        let is_same = again.value == sample.value || again.value.is_nan() && sample.value.is_nan();
        assert!(is_same, "{text}");
        assert_eq!((&again.name, &again.labels), (&sample.name, &sample.labels));
    }
}
