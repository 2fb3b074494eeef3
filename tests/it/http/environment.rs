//! Settings of the layer from the environment variables of a process.

use std::env;
use std::process::Command;

use tachometer::{MetricsLayer, Registry};

/// Set in the process that the test starts.
const WITHIN: &str = "TACHOMETER_WITHIN";
const TEST: &str = "http::environment::a_layer_reads_the_variables_of_its_process";

/// Prints the metrics of the layer, or the error.
fn print_layer() {
    let registry = Registry::new();
    let layer = MetricsLayer::from_env();
    match layer.and_then(|layer| layer.registry(&registry).try_register()) {
        Ok(_) => {
            for metric in registry.metrics() {
                println!("\nhas {}", metric.name());
            }
        }
        Err(error) => println!("\nerror {error}"),
    }
}

/// Returns what a process with these variables prints.
fn run_with(variables: &[(&str, &str)]) -> String {
    let program = env::current_exe().unwrap();
    let output = Command::new(program)
        .args(["--exact", TEST, "--nocapture"])
        .env(WITHIN, "1")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_layer_reads_the_variables_of_its_process() {
    if env::var_os(WITHIN).is_some() {
        return print_layer();
    }
    let without = run_with(&[]);
    assert!(without.contains("\nhas http_requests_total\n"), "{without}");
    let with = run_with(&[
        ("TACHOMETER_HTTP_NAMES", "otel"),
        ("TACHOMETER_HTTP_PREFIX", "shop_"),
        ("TACHOMETER_HTTP_TIME_TO_HEAD", "true"),
    ]);
    for name in ["request_duration_seconds", "time_to_head_seconds"] {
        let line = format!("\nhas shop_http_server_{name}\n");
        assert!(with.contains(&line), "{with}");
    }
    let off = run_with(&[("TACHOMETER_HTTP_ENABLED", "false")]);
    assert!(!off.contains("\nhas "), "{off}");
    let invalid = run_with(&[("TACHOMETER_HTTP_BUCKETS", "fast")]);
    assert!(
        invalid.contains("\nerror the value \"fast\" of the environment variable"),
        "{invalid}"
    );
}
