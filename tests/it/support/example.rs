//! The examples, as programs of their own.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Once;

use crate::support::program::{Running, output};

/// Those that tests run.
const EXAMPLES: [&str; 16] = [
    "api_service",
    "board",
    "demo",
    "export",
    "handlers",
    "labels",
    "llm_async_openai",
    "llm_by_hand",
    "llm_gateway",
    "llm_reqwest",
    "llm_retries",
    "metric_types",
    "registry",
    "system",
    "threads",
    "timed",
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

/// Runs an example to its end, and returns what it prints.
#[track_caller]
pub(crate) fn told(example: &str) -> String {
    let output = output(&mut command(example), "");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}
