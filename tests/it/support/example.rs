//! Runs the examples as programs.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use crate::support::program::{Running, output};

/// Returns a command that starts an example without network access. Cargo builds the examples
/// together with this test, unless only this test is built.
#[track_caller]
pub(crate) fn command(name: &str) -> Command {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(Path::parent).unwrap();
    let program = folder.join("examples").join(name);
    if let Err(fault) = check(&program) {
        let release = if folder.ends_with("release") {
            " --release"
        } else {
            ""
        };
        panic!(
            "{fault}: run `cargo build --workspace --all-features --examples{release}`, \
             or all tests, which builds the examples too"
        );
    }
    let mut command = Command::new(program);
    for variable in ["OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_MODEL"] {
        command.env_remove(variable);
    }
    // The upstream is on loopback, so no proxy may be used.
    command.env("NO_PROXY", "*");
    command
}

/// Checks that an example exists and is newer than its sources.
fn check(program: &Path) -> Result<(), String> {
    let changed = |path: &Path| -> Option<SystemTime> { fs::metadata(path).ok()?.modified().ok() };
    let shown = program.display();
    let Some(built) = changed(&program.with_extension(std::env::consts::EXE_EXTENSION)) else {
        return Err(format!("{shown} is not built"));
    };
    // Cargo lists the files there as make does: `program: file file`.
    let sources = fs::read_to_string(program.with_extension("d")).unwrap_or_default();
    let sources = sources.split_once(": ").map_or("", |(_, sources)| sources);
    let newer = sources
        .split_whitespace()
        .find(|source| changed(Path::new(source)).is_none_or(|changed| changed > built));
    match newer {
        Some(source) => Err(format!("{shown} is older than {source}")),
        None => Ok(()),
    }
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
pub(crate) fn example_output(example: &str) -> String {
    let output = output(&mut command(example), "");
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stderr}");
    String::from_utf8(output.stdout).unwrap()
}
