//! The demo as a program: its first line, signals, and errors.

use std::process::Command;
use std::time::{Duration, Instant};

use axum::http::{Method, Version};

use crate::support::demo;
use crate::support::loopback::Caller;

#[tokio::test]
async fn the_demo_prints_its_address_serves_and_stops_on_either_signal() {
    for signal in ["INT", "TERM"] {
        let (mut running, url) = demo::start();
        let caller = Caller::new(Version::HTTP_11);
        let home = caller.get(&format!("{url}/users/7")).await.unwrap();
        assert_eq!(home.body, "Hello, user 7!\n");
        let metrics = caller.get(&format!("{url}/metrics")).await.unwrap();
        assert!(metrics.body.contains(
            "http_requests_total{method=\"GET\",route=\"/users/{id}\",status=\"200\",outcome=\"ok\"} 1"
        ));
        // An open stream must not delay the shutdown.
        let endless = format!("{url}/stream?ticks=100000");
        let stream = caller.open(Method::GET, &endless).await.unwrap();
        running.signal(signal);
        let status = running.ended().await;
        assert!(status.success(), "{signal}: {status}");
        drop(stream);
    }
}

#[tokio::test]
async fn the_demo_shows_calls_of_llms_however_they_end() {
    let (mut running, url) = demo::start_with(&[]);
    let caller = Caller::new(Version::HTTP_11);
    let seen = |text: &str, name: &str, label: &str| {
        text.lines().any(|line| {
            let has = line.starts_with(&format!("{name}{{")) && line.contains(label);
            has && !line.ends_with(" 0")
        })
    };
    let wanted = [
        ("llm_requests_total", "outcome=\"success\""),
        ("llm_requests_total", "outcome=\"error\""),
        ("llm_requests_total", "outcome=\"cancelled\""),
        ("llm_requests_total", "outcome=\"truncated\""),
        ("llm_tokens_total", "direction=\"input\""),
        ("llm_tokens_total", "direction=\"output\""),
        ("llm_time_to_first_token_seconds_count", "openai"),
        ("llm_time_to_first_token_seconds_count", "anthropic"),
        ("llm_time_to_first_token_seconds_count", "ollama"),
        ("llm_requests_in_flight", "provider"),
        ("llm_rate_limit_remaining", "requests"),
        ("http_requests_total", "/users/{id}"),
        ("http_requests_total", "/ask"),
        ("llm_cost_usd_total", "source=\"table\""),
        ("llm_route_cost_usd_total", "route=\"/ask\""),
        ("llm_route_cost_usd_total", "route=\"/users/{id}/summary\""),
        (
            "llm_route_requests_total",
            "embeddings\",route=\"/users/{id}/summary\"",
        ),
        ("llm_unpriced_requests_total", "reason=\"model\""),
    ];
    let limit = Instant::now() + Duration::from_secs(60);
    loop {
        let text = caller.get(&format!("{url}/metrics")).await.unwrap().body;
        let missing: Vec<_> = wanted
            .iter()
            .filter(|(name, label)| !seen(&text, name, label))
            .collect();
        if missing.is_empty() {
            break;
        }
        assert!(Instant::now() < limit, "{missing:?} in:\n{text}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    running.signal("INT");
    let status = running.ended().await;
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn the_demo_answers_what_its_model_says() {
    let (_running, url) = demo::start();
    let caller = Caller::new(Version::HTTP_11);
    let answer = caller.get(&format!("{url}/ask?q=why")).await.unwrap();
    assert!(answer.body.ends_with("data: [DONE]\n\n"), "{}", answer.body);
    let metrics = caller.get(&format!("{url}/metrics")).await.unwrap();
    let counted = "llm_requests_total{provider=\"openai\",model=\"gpt-4o-mini\",operation=\"chat\",outcome=\"success\"} 1\n";
    assert!(metrics.body.contains(counted), "{}", metrics.body);
    // Nobody else asks.
    let lines = metrics.body.lines();
    let calls = lines.filter(|line| line.starts_with("llm_requests_total{"));
    assert_eq!(calls.filter(|line| !line.ends_with(" 0")).count(), 1);
}

#[tokio::test]
async fn a_port_in_use_is_reported_in_one_line() {
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
fn the_demo_refuses_unknown_arguments() {
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
    for base in ["nowhere", "ftp://127.0.0.1"] {
        let mut command = demo::command();
        command
            .env("OPENAI_BASE_URL", base)
            .env("OPENAI_API_KEY", "a-key");
        let output = command.arg("127.0.0.1:0").output().unwrap();
        assert!(!output.status.success(), "{base}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains("OPENAI_BASE_URL") && !said.contains("a-key"),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1);
    }
    let help = run(&["--help"]);
    assert!(help.status.success());
    assert!(
        String::from_utf8(help.stdout)
            .unwrap()
            .contains("--quiet-traffic")
    );
}
