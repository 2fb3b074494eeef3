//! The recorder of the process: installing it, and libraries that use another version of the
//! facade.
//!
//! A separate test program, since a process has one recorder. Each installation is in a process of
//! its own.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::env;
use std::process::Command;

use metrics::{NoopRecorder, counter, set_global_recorder};
use tachometer::Registry;
use tachometer::bridge::MetricsRecorder;

/// Set in a process that a test starts.
const WITHIN: &str = "TACHOMETER_WITHIN";

/// Runs a closure in a new process that runs only this test.
fn in_its_own_process(test: &str, run: impl FnOnce()) {
    if env::var_os(WITHIN).is_some() {
        run();
        return;
    }
    let output = Command::new(env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(WITHIN, "1")
        .output()
        .unwrap();
    let printed = String::from_utf8_lossy(&output.stdout);
    let is_passed = output.status.success() && printed.contains("1 passed");
    assert!(
        is_passed,
        "{printed}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Checks that a recorder cannot be installed, with an error that contains these texts.
#[track_caller]
fn check_install_error(parts: &[&str]) {
    let error = MetricsRecorder::new().install().unwrap_err();
    assert!(error.is_recorder_installed());
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn an_installed_recorder_records_in_the_global_registry() {
    in_its_own_process(
        "an_installed_recorder_records_in_the_global_registry",
        || {
            counter!("early").increment(1);
            MetricsRecorder::new().install().unwrap();
            counter!("jobs", "queue" => "mail").increment(2);
            std::thread::spawn(|| counter!("jobs", "queue" => "mail").increment(3))
                .join()
                .unwrap();
            let text = Registry::global().export_prometheus();
            assert!(text.contains("jobs_total{queue=\"mail\"} 5\n"), "{text}");
            assert!(!text.contains("early"), "{text}");
        },
    );
}

#[test]
fn an_error_of_a_second_installation_names_the_place_of_the_first() {
    in_its_own_process(
        "an_error_of_a_second_installation_names_the_place_of_the_first",
        || {
            let registry = Registry::new();
            MetricsRecorder::new()
                .registry(&registry)
                .install()
                .unwrap();
            check_install_error(&[
                "a `MetricsRecorder` is installed already",
                "tests/metrics_recorder.rs:",
                "MetricsRecorder::registry",
            ]);
            // The first one stays.
            counter!("jobs").increment(1);
            assert_eq!(registry.get("jobs").unwrap().value(), 1.0);
        },
    );
}

#[test]
fn an_error_says_that_another_crate_has_installed_a_recorder() {
    in_its_own_process(
        "an_error_says_that_another_crate_has_installed_a_recorder",
        || {
            set_global_recorder(NoopRecorder).unwrap();
            check_install_error(&[
                "which `MetricsRecorder::install` did not install",
                "PrometheusBuilder::install",
                "FanoutBuilder",
            ]);
        },
    );
}

#[test]
fn a_library_that_uses_another_version_of_the_facade_does_not_reach_the_recorder() {
    in_its_own_process(
        "a_library_that_uses_another_version_of_the_facade_does_not_reach_the_recorder",
        || {
            let registry = Registry::new();
            MetricsRecorder::new()
                .registry(&registry)
                .install()
                .unwrap();
            metrics_0_23::counter!("old").increment(1);
            counter!("new").increment(1);
            assert!(registry.get("old").is_none());
            assert_eq!(registry.get("new").unwrap().value(), 1.0);
        },
    );
}

#[test]
fn cargo_tree_names_all_versions_of_the_facade() {
    let tree = |arguments: &[&str]| {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo.args(["tree", "--offline", "--all-features"]);
        cargo.args(arguments);
        cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
        let output = cargo.output().unwrap();
        let text = [output.stdout, output.stderr].concat();
        String::from_utf8(text).unwrap()
    };
    let duplicates = tree(&["-d", "--depth", "0"]);
    for line in ["metrics v0.23.", "metrics v0.24."] {
        assert!(duplicates.contains(line), "{duplicates}");
    }
    // It is ambiguous if there are several.
    let text = tree(&["-i", "metrics"]);
    let versions = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("metrics@"));
    let versions: Vec<_> = versions.collect();
    assert_eq!(versions.len(), 2, "{text}");
    for (version, expected) in versions.iter().zip(["0.23.", "0.24."]) {
        assert!(version.starts_with(expected), "{text}");
        let users = tree(&["-i", &format!("metrics@{}", expected.trim_end_matches('.'))]);
        assert!(users.contains("tachometer v"), "{users}");
    }
}
