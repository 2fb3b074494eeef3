//! The targets of the fuzzer, which live with the tests that run them on its findings.

#[path = "../../tests/corpus/targets/mod.rs"]
mod targets;

/// Runs the target of a name.
///
/// # Panics
///
/// If the input shows a broken promise, or no target has this name.
pub fn run(name: &str, input: &[u8]) {
    let target = targets::ALL.iter().find(|(target, _)| *target == name);
    target.expect("a target's name").1(input);
}
