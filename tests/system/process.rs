//! Readings of the process where not all is as it mostly is.

use std::env;
use std::fs::{File, read_to_string};
use std::process::Command;

use tachometer::{Registry, SystemMetrics};

/// Set in a process that a test has started to go on in it.
const WITHIN: &str = "TACHOMETER_WITHIN";

fn is_within() -> bool {
    env::var_os(WITHIN).is_some()
}

/// Goes on with a test in a process of its own, which a command begins with; false where the
/// machine lets nobody do that.
fn go_on(test: &str, begin: &[&str]) -> bool {
    let command = || {
        let mut command = Command::new(begin[0]);
        command.args(&begin[1..]);
        command
    };
    let Ok(status) = command().arg("true").status() else {
        return false;
    };
    if !status.success() {
        return false;
    }
    let own = env::current_exe().unwrap();
    let mut command = command();
    command.arg(own).args(["--exact", test]).env(WITHIN, "1");
    assert!(command.status().unwrap().success());
    true
}

fn registry() -> Registry {
    let registry = Registry::new();
    SystemMetrics::new().register(&registry).unwrap();
    registry
}

fn value(registry: &Registry, name: &str) -> f64 {
    registry.get(name).unwrap().value()
}

/// The limits of the process, one a line.
fn limits() -> String {
    read_to_string("/proc/self/limits").unwrap()
}

/// What the process starts has its limits, too.
#[test]
fn a_reading_leaves_the_limits_of_the_process_as_they_are() {
    if !is_within() {
        let test = "process::a_reading_leaves_the_limits_of_the_process_as_they_are";
        let lower = "ulimit -S -n 200 && exec \"$@\"";
        assert!(go_on(test, &["sh", "-c", lower, "sh"]));
        return;
    }
    let before = limits();
    let registry = registry();
    registry.update_system_metrics();
    assert_eq!(value(&registry, "process_max_fds"), 200.0);
    assert_eq!(limits(), before);
}

/// Its number is then another's in `/proc`.
#[test]
fn a_process_in_a_namespace_without_files_of_its_own_tells_of_itself() {
    if !is_within() {
        let test = "process::a_process_in_a_namespace_without_files_of_its_own_tells_of_itself";
        let unshare = ["unshare", "--user", "--map-root-user", "--pid", "--fork"];
        if !go_on(test, &unshare) {
            println!("nothing to see where nobody may make a namespace");
        }
        return;
    }
    assert_eq!(std::process::id(), 1);
    let files: Vec<_> = (0..100)
        .map(|_| File::open("/proc/self/stat").unwrap())
        .collect();
    let open = value(&registry(), "process_open_fds");
    assert!((100.0..200.0).contains(&open), "{open}");
    drop(files);
}
