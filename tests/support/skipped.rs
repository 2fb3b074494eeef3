//! The list of skipped tests of one `cargo test` run. All test programs write it;
//! `tests/tools.rs` reads it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

/// Records that the calling test, or a part of it, is skipped, and prints it at once: `cargo
/// test --test it` prints no summary.
#[allow(dead_code, reason = "the summary skips nothing")]
pub(crate) fn note(reason: &str) {
    // Not `println!`, which the test harness keeps to itself.
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
    let file = OpenOptions::new().create(true).append(true).open(path());
    // A thread has the name of its test, unless all tests run on the main thread.
    let thread = std::thread::current();
    let test = thread.name().unwrap_or_default();
    // One write, since tests run at once.
    let noted = file.and_then(|mut file| file.write_all(format!("{test}\t{reason}\n").as_bytes()));
    noted.expect("target/tmp can be written");
}

/// Returns the tests noted in this run, each with a reason, and forgets them.
#[allow(dead_code, reason = "only the summary reads them")]
pub(crate) fn take() -> Vec<(String, String)> {
    let notes = File::open(path()).and_then(std::io::read_to_string);
    let _ = std::fs::remove_file(path());
    let notes = notes.unwrap_or_default();
    let notes = notes.lines().filter_map(|line| line.split_once('\t'));
    let mut taken: Vec<(String, String)> = Vec::new();
    for (test, reason) in notes {
        let note = (test.to_owned(), reason.to_owned());
        // A test may need a tool twice.
        if test == "main" || !taken.contains(&note) {
            taken.push(note);
        }
    }
    taken
}

/// All test programs of a run have the same parent, which is cargo.
fn path() -> PathBuf {
    #[cfg(unix)]
    let run = std::os::unix::process::parent_id();
    #[cfg(not(unix))]
    let run = 0;
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("skipped-{run}"))
}
