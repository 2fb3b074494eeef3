//! Prints one line: how many tests were skipped, and which tools they need. It has no tests.
//! Cargo runs it after all other test programs of the package, because of its name.

#[path = "support/skipped.rs"]
mod skipped;

use std::collections::BTreeMap;

fn main() {
    // Editors list tests; then nothing else may be printed.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    let summary = summary(&skipped::take());
    println!("\n{summary}\n");
    // For `.ci/run`, which prints it once more after the documentation tests.
    let file = concat!(env!("CARGO_TARGET_TMPDIR"), "/skipped");
    std::fs::write(file, summary + "\n").expect("target/tmp can be written");
}

fn summary(notes: &[(String, String)]) -> String {
    if notes.is_empty() {
        return "no test was skipped".to_owned();
    }
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for (_, reason) in notes {
        *counts.entry(reason).or_default() += 1;
    }
    let counts = counts.iter();
    let counts: Vec<_> = counts
        .map(|(reason, count)| format!("{reason} ({count})"))
        .collect();
    let (tests, counts) = (notes.len(), counts.join(", "));
    format!("skipped tests, some of them in part: {tests}: {counts}")
}
