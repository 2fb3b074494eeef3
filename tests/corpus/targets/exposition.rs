//! The parser of expositions on any text: it returns an error or samples that can be
//! found again, and never panics.

use tachometer::testing::Exposition;

/// Runs the target: a text.
pub(crate) fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match Exposition::parse(&text) {
        Err(error) => assert!(!error.to_string().is_empty()),
        Ok(exposition) => {
            for sample in exposition.samples() {
                let labels = sample.labels.iter();
                let labels = labels.map(|(name, value)| (name.as_str(), value.as_str()));
                let labels: Vec<_> = labels.collect();
                let found = exposition.samples().iter().any(|other| {
                    other.name == sample.name
                        && other.labels.len() == labels.len()
                        && labels
                            .iter()
                            .all(|(name, value)| other.labels[*name] == *value)
                });
                assert!(found, "{sample}");
                assert!(!sample.name.is_empty(), "{sample:?}");
            }
        }
    }
}
