//! `Registry::write_textfile`: a file for the textfile collector of the node exporter.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use tachometer::Registry;
use tachometer::export::Format;

use crate::support::compare_exports::read;
use crate::support::program::{Folder, filter, promtool};

/// Several chunks, with this value in every series.
fn large(value: i32) -> Registry {
    let registry = Registry::new();
    let family = registry.gauge_family("batch_rows", "Rows.", ["table"]);
    let family = family.unwrap().limit(10_000);
    for number in 0..10_000 {
        family.with([&number.to_string()]).set(value);
    }
    registry
}

/// The names of the files in a folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn the_file_has_all_metrics_as_text_and_replaces_an_earlier_one() {
    let folder = Folder::new();
    let path = folder.0.join("batch.prom");
    for value in [1, 2] {
        let registry = large(value);
        registry.write_textfile(&path).unwrap();
        assert_eq!(
            fs::read(&path).unwrap(),
            registry.export(Format::Text).to_bytes()
        );
    }
    let registry = Registry::new();
    registry.counter("batch_runs", "Runs.").unwrap().inc();
    registry
        .histogram("batch_seconds", "Time.")
        .unwrap()
        .observe(1.0);
    registry.write_textfile(&path).unwrap();
    assert_eq!(names(&folder.0), ["batch.prom"]);
    if promtool() {
        let text = fs::read_to_string(&path).unwrap();
        filter(Command::new("promtool").args(["check", "metrics"]), &text);
    }
}

#[cfg(unix)]
#[test]
fn every_user_can_read_the_file_whatever_the_umask() {
    use std::os::unix::fs::PermissionsExt;

    // The umask is that of the process, so it is set in a process of its own.
    let folder = Folder::new();
    let output = Command::new("sh")
        .args(["-c", "umask 077; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args([
            "--ignored",
            "--exact",
            "formats::textfile::write_with_umask",
        ])
        .env("TACHOMETER_WITHIN", &folder.0)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let path = folder.0.join("batch.prom");
    let mode = fs::metadata(path).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o644);
    assert_eq!(names(&folder.0), ["batch.prom"]);
}

#[test]
#[ignore = "it needs another umask; the test above runs it"]
fn write_with_umask() {
    let folder = std::env::var_os("TACHOMETER_WITHIN").unwrap();
    let path = Path::new(&folder).join("batch.prom");
    // Also if it replaces a file that other users cannot read.
    fs::write(&path, "").unwrap();
    large(1).write_textfile(&path).unwrap();
}

#[cfg(unix)]
#[test]
fn a_symbolic_link_is_replaced_and_its_target_stays_as_it_was() {
    let folder = Folder::new();
    let (target, link) = (folder.0.join("passwd"), folder.0.join("batch.prom"));
    fs::write(&target, "secret").unwrap();
    std::os::unix::fs::symlink(&target, &link).unwrap();
    large(1).write_textfile(&link).unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"secret");
    assert!(fs::symlink_metadata(&link).unwrap().is_file());
    // A link to nothing.
    fs::remove_file(&link).unwrap();
    std::os::unix::fs::symlink(folder.0.join("missing"), &link).unwrap();
    large(1).write_textfile(&link).unwrap();
    assert_eq!(names(&folder.0), ["batch.prom", "passwd"]);
}

#[test]
fn an_error_names_the_file_and_leaves_no_temporary_file() {
    let folder = Folder::new();
    fs::write(folder.0.join("file"), "").unwrap();
    fs::create_dir(folder.0.join("taken.prom")).unwrap();
    fs::write(folder.0.join("taken.prom/other"), "").unwrap();
    let below = |path: &str| folder.0.join(path);
    let mut cases = vec![
        (
            below("missing/batch.prom"),
            Some(ErrorKind::NotFound),
            "directory exist?",
        ),
        (
            below("file/batch.prom"),
            Some(ErrorKind::NotADirectory),
            "batch.prom",
        ),
        (below("taken.prom"), None, "taken.prom"),
        (below(".."), Some(ErrorKind::InvalidInput), "no file name"),
        ("".into(), Some(ErrorKind::InvalidInput), "no file name"),
        ("/".into(), Some(ErrorKind::InvalidInput), "no file name"),
        (below("nul\0.prom"), Some(ErrorKind::InvalidInput), "nul"),
        (below(&"n".repeat(300)), None, "nnn"),
    ];
    if cfg!(target_os = "linux") {
        // Not even root can create files here.
        cases.push(("/proc/batch.prom".into(), None, "/proc/batch.prom"));
    }
    for (path, kind, text) in cases {
        let error = large(1).write_textfile(&path).unwrap_err();
        assert!(kind.is_none_or(|kind| kind == error.kind()), "{error:?}");
        let message = error.to_string();
        let start = format!("cannot write the metrics to {}: ", path.display());
        assert!(
            message.starts_with(&start) && message.contains(text),
            "{message}"
        );
        assert_eq!(names(&folder.0), ["file", "taken.prom"], "{message}");
        assert_eq!(names(&folder.0.join("taken.prom")), ["other"]);
    }
    // A relative path, and one whose name is as long as a name can be.
    large(1).write_textfile(below(&"n".repeat(255))).unwrap();
    let relative = format!("target/tachometer-textfile-{}.prom", std::process::id());
    large(1).write_textfile(&relative).unwrap();
    fs::remove_file(relative).unwrap();
}

#[test]
fn a_reader_never_sees_a_mixture_of_concurrent_writers() {
    let folder = Folder::new();
    let path = folder.0.join("batch.prom");
    let registries = [large(1), large(2), large(3)];
    let expositions = registries
        .each_ref()
        .map(|one| one.export(Format::Text).to_bytes());
    registries[0].write_textfile(&path).unwrap();
    let is_done = AtomicBool::new(false);
    thread::scope(|scope| {
        let writers = registries.each_ref().map(|registry| {
            scope.spawn(|| {
                for _ in 0..20 {
                    registry.write_textfile(&path).unwrap();
                }
            })
        });
        scope.spawn(|| {
            while !is_done.load(Ordering::Relaxed) {
                assert!(expositions.contains(&fs::read(&path).unwrap()));
            }
        });
        for writer in writers {
            writer.join().unwrap();
        }
        is_done.store(true, Ordering::Relaxed);
    });
    assert_eq!(names(&folder.0), ["batch.prom"]);
    assert_eq!(
        read(Format::Text, &fs::read(&path).unwrap())[0]
            .series
            .len(),
        10_000
    );
}

#[test]
fn a_file_that_is_written_lets_no_series_expire() {
    let folder = Folder::new();
    let path = folder.0.join("batch.prom");
    let registry = Registry::new();
    let family = registry.counter_family("batch_rows", "Rows.", ["table"]);
    let family = family.unwrap().expire_after(Duration::ZERO);
    family.with(["a"]).inc();
    for _ in 0..3 {
        registry.write_textfile(&path).unwrap();
    }
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains("batch_rows_total{table=\"a\"} 1\n"), "{text}");
}
