//! Runs other programs.

use std::io::Write;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::support::skipped;

/// Returns true if `command` succeeds; otherwise the test that needs `name` is skipped. If
/// tools are required, a missing one is a failure.
pub(crate) fn is_there(name: &str, command: &[&str]) -> bool {
    let ran = Command::new(command[0])
        .args(&command[1..])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let there = ran.is_ok_and(|status| status.success());
    let required = std::env::var_os("TACHOMETER_REQUIRE_TOOLS").is_some();
    assert!(there || !required, "{name} not found");
    if !there {
        skipped::note(&format!("{name} not found"));
    }
    there
}

/// Returns true when promtool is there.
pub(crate) fn promtool() -> bool {
    is_there("promtool", &["promtool", "--version"])
}

/// Runs a program on `input` and returns what it printed on standard output.
#[track_caller]
pub(crate) fn filter(command: &mut Command, input: &str) -> String {
    let output = output(command, input);
    let (stdout, stderr) = (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8_lossy(&output.stderr),
    );
    assert!(output.status.success(), "{command:?}: {stdout}{stderr}");
    stdout
}

/// Runs a program on `input`, however it ends.
#[track_caller]
pub(crate) fn output(command: &mut Command, input: &str) -> Output {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_owned();
    // Concurrently with reading, so that no pipe blocks.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    output
}

/// A program that is killed when the test ends, however it does.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A folder that is removed when the test ends.
pub(crate) struct Folder(pub(crate) PathBuf);

impl Folder {
    pub(crate) fn new() -> Self {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let made = MADE.fetch_add(1, Ordering::Relaxed);
        let name = format!("tachometer-{}-{made}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
