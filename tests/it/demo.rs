//! The demo as a program: its first line, its signals, its refusals.

use std::process::Command;

use axum::http::{Method, Version};

use crate::support::demo;
use crate::support::http::Caller;

#[tokio::test]
async fn the_demo_says_where_it_listens_serves_and_stops_cleanly_on_either_signal() {
    for signal in ["INT", "TERM"] {
        let (mut running, url) = demo::start();
        let caller = Caller::new(Version::HTTP_11);
        let home = caller.get(&format!("{url}/users/7")).await.unwrap();
        assert_eq!(home.body, "Hello, user 7!\n");
        let metrics = caller.get(&format!("{url}/metrics")).await.unwrap();
        assert!(metrics.body.contains(
            "http_requests_total{method=\"GET\",route=\"/users/{id}\",status=\"200\",outcome=\"ok\"} 1"
        ));
        // A stream that is open must not hold it up.
        let endless = format!("{url}/stream?ticks=100000");
        let stream = caller.open(Method::GET, &endless).await.unwrap();
        running.signal(signal);
        let status = running.ended().await;
        assert!(status.success(), "{signal}: {status}");
        drop(stream);
    }
}

#[tokio::test]
async fn a_taken_port_is_one_clear_line_and_a_failure() {
    let (_running, url) = demo::start();
    let address = url.strip_prefix("http://").unwrap();
    let output = demo::command().arg(address).output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(
        said.contains(address) && said.contains("try another address"),
        "{said}"
    );
    assert!(output.stdout.is_empty());
}

#[test]
fn what_the_demo_does_not_know_it_refuses() {
    let run = |arguments: &[&str]| {
        let mut command: Command = demo::command();
        command.args(arguments).output().unwrap()
    };
    for arguments in [
        &["--nonsense"][..],
        &["127.0.0.1:0", "127.0.0.1:0"],
        &["nowhere"],
    ] {
        let output = run(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        assert_eq!(String::from_utf8(output.stderr).unwrap().lines().count(), 1);
    }
    let help = run(&["--help"]);
    assert!(help.status.success());
    assert!(
        String::from_utf8(help.stdout)
            .unwrap()
            .contains("--quiet-traffic")
    );
}
