//! The examples, as programs of their own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::SystemTime;

use crate::support::program::{Running, output};

/// Returns a command that starts an example, which calls nobody outside. Cargo builds the
/// examples beside this test, if it is not told to build this test alone.
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
    // Its own upstream is on loopback, which no proxy reaches.
    command.env("NO_PROXY", "*");
    command
}

/// Checks that an example is there, and newer than all that it was built from.
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
pub(crate) fn told(example: &str) -> String {
    let output = output(&mut command(example), "");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap()
}
