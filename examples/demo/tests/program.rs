//! The demo as a program: its first line, signals, and errors.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod support;

use std::time::{Duration, Instant};

use support::{Demo, command};

#[tokio::test]
async fn the_demo_prints_its_address_serves_and_stops_on_either_signal() {
    for signal in ["INT", "TERM"] {
        let mut demo = Demo::start();
        assert_eq!(demo.get("/users/7").await, "Hello, user 7!\n");
        assert!(demo.get("/metrics").await.contains(
            "http_requests_total{method=\"GET\",route=\"/users/{id}\",status=\"200\",outcome=\"ok\"} 1"
        ));
        // An open stream must not delay the shutdown.
        let stream = demo.open("/stream?ticks=100000").await;
        demo.signal(signal);
        let status = demo.exited().await;
        assert!(status.success(), "{signal}: {status}");
        drop(stream);
    }
}

#[tokio::test]
async fn the_demo_shows_llm_calls_of_every_outcome() {
    let mut demo = Demo::start_with(&[]);
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
        let text = demo.get("/metrics").await;
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
    demo.signal("INT");
    let status = demo.exited().await;
    assert!(status.success(), "{status}");
}

#[tokio::test]
async fn the_demo_answers_what_its_model_says() {
    let demo = Demo::start();
    let answer = demo.get("/ask?q=why").await;
    assert!(answer.ends_with("data: [DONE]\n\n"), "{answer}");
    let metrics = demo.get("/metrics").await;
    let counted = "llm_requests_total{provider=\"openai\",model=\"gpt-4o-mini\",operation=\"chat\",outcome=\"success\"} 1\n";
    assert!(metrics.contains(counted), "{metrics}");
    // No other call was made.
    let lines = metrics.lines();
    let calls = lines.filter(|line| line.starts_with("llm_requests_total{"));
    assert_eq!(calls.filter(|line| !line.ends_with(" 0")).count(), 1);
}

#[tokio::test]
async fn a_port_in_use_is_reported_in_one_line() {
    let demo = Demo::start();
    let address = demo.url.strip_prefix("http://").unwrap();
    let output = command().arg(address).output().unwrap();
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
    let run = |arguments: &[&str]| command().args(arguments).output().unwrap();
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
        let mut command = command();
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
