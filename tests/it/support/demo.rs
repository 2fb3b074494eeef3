//! The demo, as a program of its own.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Once;

use crate::support::program::Running;

/// Returns a command that starts the demo, built as this test was.
pub(crate) fn command() -> Command {
    static BUILT: Once = Once::new();

    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(|deps| deps.parent()).unwrap();
    // `cargo test` has built it, as it does all examples, but `cargo test --test
    // it` has not. Where it is fresh, this takes no time.
    BUILT.call_once(|| {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--all-features", "--example", "demo"]);
        if folder.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().unwrap().success());
    });
    let program: PathBuf = folder.join("examples").join("demo");
    Command::new(program)
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
    command.env_remove("OPENAI_BASE_URL");
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let running = Running(child);
    let first = lines.next().unwrap().unwrap();
    let url = first.strip_prefix("listening on ").unwrap().to_owned();
    (running, url)
}
