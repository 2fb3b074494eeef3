//! The fuzz targets. Their code is in `tests/corpus`, whose tests run them on known inputs.

#[path = "../../tests/corpus/targets/mod.rs"]
mod targets;

/// Runs the target with this name.
///
/// # Panics
///
/// Panics if the input violates a property, or if no target has this name.
pub fn run(name: &str, input: &[u8]) {
    let target = targets::ALL.iter().find(|(target, _)| *target == name);
    target.expect("the name of a fuzz target").1(input);
}
