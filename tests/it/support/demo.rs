//! Starts the demo as a program.

use std::process::Command;

use crate::support::example;
use crate::support::program::Running;

/// Returns a command that starts the demo.
pub(crate) fn command() -> Command {
    example::command("demo")
}

/// Starts the demo on a free port, without its own traffic, and returns it with
/// the address that its first line names.
pub(crate) fn start() -> (Running, String) {
    start_with(&["--quiet-traffic"])
}

/// Starts the demo on a free port, with other arguments, and models of its own.
pub(crate) fn start_with(arguments: &[&str]) -> (Running, String) {
    let mut command = command();
    command.arg("127.0.0.1:0").args(arguments);
    example::listening(&mut command)
}
