//! A list of the tests that were skipped in one run of `cargo test`, which all its test
//! programs write and `tests/tools.rs` reads.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::PathBuf;

/// Notes that the calling test is skipped, and says so at once: `cargo test --test it`
/// prints no summary.
#[allow(dead_code, reason = "the summary skips nothing")]
pub(crate) fn note(reason: &str) {
    // Not `println!`, which the test harness keeps to itself.
    let _ = writeln!(std::io::stderr(), "skipped: {reason}");
    let file = OpenOptions::new().create(true).append(true).open(path());
    // One write, since tests run at once.
    let noted = file.and_then(|mut file| file.write_all(format!("{reason}\n").as_bytes()));
    noted.expect("target/tmp can be written");
}

/// Returns the reasons noted in this run, and forgets them.
#[allow(dead_code, reason = "only the summary reads them")]
pub(crate) fn take() -> Vec<String> {
    let reasons = File::open(path()).and_then(std::io::read_to_string);
    let _ = std::fs::remove_file(path());
    let reasons = reasons.unwrap_or_default();
    reasons.lines().map(str::to_owned).collect()
}

/// All test programs of a run have the same parent, which is cargo.
fn path() -> PathBuf {
    #[cfg(unix)]
    let run = std::os::unix::process::parent_id();
    #[cfg(not(unix))]
    let run = 0;
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("skipped-{run}"))
}
