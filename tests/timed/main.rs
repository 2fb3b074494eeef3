//! The attribute `timed`: what it counts, and what it must not change.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod every_run;
mod function_shapes;
mod outcomes;
mod registries;
mod unchanged_functions;
#[path = "../it/support/warnings.rs"]
mod warnings;

use tachometer::Registry;

/// Returns how many runs were counted under a name, of one way to end, or of all.
fn runs(registry: &Registry, name: &str, outcome: Option<&str>) -> u64 {
    let json: serde_json::Value = serde_json::from_str(&registry.export_json()).unwrap();
    let metrics = json["metrics"].as_object().unwrap();
    let of = metrics.iter().filter(|(key, entry)| {
        let is_named = key.split('{').next() == Some(name);
        let label = entry["labels"]["outcome"].as_str();
        is_named && (outcome.is_none() || label == outcome)
    });
    of.map(|(_, entry)| entry["value"]["count"].as_u64().unwrap())
        .sum()
}
