//! Process metrics in unusual environments.

use std::env;
use std::fs::{File, read_to_string};
use std::process::Command;

use tachometer::{Registry, SystemMetrics};

/// Set in a process that a test starts to continue in it.
const WITHIN: &str = "TACHOMETER_WITHIN";

fn is_within() -> bool {
    env::var_os(WITHIN).is_some()
}

/// Continues a test in a new process, started through a command; returns false if the machine
/// does not allow it.
fn run_in_process(test: &str, begin: &[&str]) -> bool {
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
    let program = env::current_exe().unwrap();
    let mut command = command();
    command
        .arg(program)
        .args(["--exact", test])
        .env(WITHIN, "1");
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
fn a_reading_does_not_change_the_limits_of_the_process() {
    if !is_within() {
        let test = "process::a_reading_does_not_change_the_limits_of_the_process";
        let lower = "ulimit -S -n 200 && exec \"$@\"";
        assert!(run_in_process(test, &["sh", "-c", lower, "sh"]));
        return;
    }
    let before = limits();
    let registry = registry();
    registry.update_system_metrics();
    assert_eq!(value(&registry, "process_max_fds"), 200.0);
    assert_eq!(limits(), before);
}

/// Its pid in `/proc` is then that of another process.
#[test]
fn a_process_in_a_namespace_without_procfs_has_process_metrics() {
    if !is_within() {
        let test = "process::a_process_in_a_namespace_without_procfs_has_process_metrics";
        let unshare = ["unshare", "--user", "--map-root-user", "--pid", "--fork"];
        if !run_in_process(test, &unshare) {
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
