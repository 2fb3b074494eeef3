//! The examples, as programs of their own.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Once;

use crate::support::program::Running;

/// Those that tests run.
const EXAMPLES: [&str; 5] = [
    "demo",
    "llm_async_openai",
    "llm_gateway",
    "llm_reqwest",
    "llm_retries",
];

/// Returns a command that starts an example, built as this test was, which calls nobody
/// outside.
pub(crate) fn command(name: &str) -> Command {
    static BUILT: Once = Once::new();

    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(|deps| deps.parent()).unwrap();
    // `cargo test` has built it, as it does all examples, but `cargo test --test
    // it` has not. Where it is fresh, this takes no time.
    BUILT.call_once(|| {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--all-features"]);
        build.args(EXAMPLES.map(|example| format!("--example={example}")));
        if folder.ends_with("release") {
            build.arg("--release");
        }
        assert!(build.status().unwrap().success());
    });
    let program: PathBuf = folder.join("examples").join(name);
    let mut command = Command::new(program);
    for variable in ["OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_MODEL"] {
        command.env_remove(variable);
    }
    // Its own upstream is on loopback, which no proxy reaches.
    command.env("NO_PROXY", "*");
    command
}

/// Starts an example that serves, and returns it with the address that its first line
/// names.
pub(crate) fn listening(command: &mut Command) -> (Running, String) {
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let running = Running(child);
    let first = lines.next().unwrap().unwrap();
    let url = first.strip_prefix("listening on ").unwrap().to_owned();
    (running, url)
}
