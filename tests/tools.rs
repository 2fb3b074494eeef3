//! Prints one line: how many tests were skipped, and which tools they need. It has no
//! tests. Cargo runs it after all other test programs of the package, by its name.

#[path = "support/skipped.rs"]
mod skipped;

use std::collections::BTreeMap;

fn main() {
    // Who lists tests, as editors do, wants nothing else.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    println!("\n{}\n", summary(&skipped::take()));
}

fn summary(reasons: &[String]) -> String {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for reason in reasons {
        *counts.entry(reason).or_default() += 1;
    }
    if counts.is_empty() {
        return "skipped: none of the tests that ran".to_owned();
    }
    let counts = counts
        .iter()
        .map(|(reason, count)| format!("{count} ({reason})"));
    let counts: Vec<_> = counts.collect();
    format!("skipped: {} tests: {}", reasons.len(), counts.join(", "))
}
