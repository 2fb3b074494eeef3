//! The arguments and the error messages.

use std::process::{Command, Output};

use crate::support::{Demo, command};

#[tokio::test]
async fn a_port_in_use_is_reported_in_one_line() {
    let demo = Demo::start();
    let used = demo.url.strip_prefix("http://").unwrap();
    for (arguments, remedy) in [
        (vec![used], "try another address, such as 127.0.0.1:0"),
        (
            vec!["127.0.0.1:0", "--metrics", used],
            "try another address, such as --metrics 127.0.0.1:0",
        ),
    ] {
        let output = command().args(arguments).output().unwrap();
        let said = the_only_line(&output);
        assert!(said.contains(used) && said.contains(remedy), "{said}");
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn the_demo_refuses_unknown_arguments() {
    for arguments in [
        &["--nonsense"][..],
        &["127.0.0.1:0", "127.0.0.1:0"],
        &["nowhere"],
        &["127.0.0.1:0", "--metrics"],
        &["127.0.0.1:0", "--metrics", "nowhere"],
        &["127.0.0.1:0", "--log", "much"],
    ] {
        the_only_line(&command().args(arguments).output().unwrap());
    }
    let help = command().arg("--help").output().unwrap();
    assert!(help.status.success());
    let help = String::from_utf8(help.stdout).unwrap();
    for option in ["--metrics", "--log", "--quiet-traffic"] {
        assert!(help.contains(option));
    }
}

#[test]
fn a_wrong_base_url_is_reported_without_the_key() {
    for base in ["nowhere", "ftp://127.0.0.1"] {
        let mut command: Command = command();
        command
            .env("OPENAI_BASE_URL", base)
            .env("OPENAI_API_KEY", "a-key");
        let output = command
            .args(["127.0.0.1:0", "--metrics", "127.0.0.1:0"])
            .output()
            .unwrap();
        let said = the_only_line(&output);
        assert!(
            said.contains("OPENAI_BASE_URL") && !said.contains("a-key"),
            "{said}"
        );
    }
}

/// Returns the message of a demo that did not start.
fn the_only_line(output: &Output) -> String {
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    said
}
