//! aimock, which returns the responses of `aimock.json`.

use std::process::Command;

use serde_json::{Value, json};
use tachometer::Registry;

use crate::servers::{count, post};
use crate::support::local_client::histogram;
use crate::support::read::sum;
use crate::support::server_program::{Program, variables};
use crate::support::{ERROR, SUCCESS, TRUNCATED, client, layer, outcomes, tokens};

async fn start() -> Option<Program> {
    let [program] = variables(["TACHOMETER_AIMOCK"])?;
    let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/llm_clients/aimock.json");
    let mut command = Command::new(program);
    command.args(["-h", "127.0.0.1", "-p", "0", "-f", fixture]);
    command.args(["--chunk-size", "6"]);
    Some(Program::start(&mut command).await)
}

/// The paths on which it speaks each dialect.
const CHAT: &str = "/v1/chat/completions";
const DETAILED: &str = "/api/v1/chat/completions";
const MESSAGES: &str = "/v1/messages";
const RESPONSES: &str = "/v1/responses";

/// And those whose model, and whether they stream, is in the path.
const GEMINI: [&str; 2] = [
    "/v1beta/models/mock-large:generateContent",
    "/v1beta/models/mock-large:streamGenerateContent?alt=sse",
];
const CONVERSE: [&str; 2] = [
    "/model/mock-large/converse",
    "/model/mock-large/converse-stream",
];
const COHERE: &str = "/v2/chat";

fn question(path: &str, text: &str, streams: bool) -> Value {
    let messages = json!([{"role": "user", "content": text}]);
    match path {
        path if GEMINI.contains(&path) => {
            json!({"contents": [{"role": "user", "parts": [{"text": text}]}]})
        }
        path if CONVERSE.contains(&path) => {
            json!({"messages": [{"role": "user", "content": [{"text": text}]}]})
        }
        COHERE => json!({"model": "mock-large", "messages": messages, "stream": streams}),
        MESSAGES => json!({
            "model": "mock-large", "max_tokens": 99, "messages": messages, "stream": streams,
        }),
        RESPONSES => json!({"model": "mock-large", "input": text, "stream": streams}),
        _ if streams => json!({
            "model": "mock-large", "messages": messages, "stream": true,
            "stream_options": {"include_usage": true},
        }),
        _ => json!({"model": "mock-large", "messages": messages}),
    }
}

/// Makes one call, and returns what was counted of it.
async fn call(server: &Program, path: &str, text: &str, streams: bool) -> Registry {
    let (layer, registry) = layer();
    let llm = layer.layer(client());
    let url = format!("{}{path}", server.url);
    let (_, answer) = post(&llm, &url, &question(path, text, streams)).await;
    assert_eq!(
        sum(&registry, "llm_requests_total", &[]),
        1.0,
        "{path} {text} {answer}"
    );
    registry
}

#[tokio::test]
async fn usage_finish_reasons_and_tool_calls_match_the_fixture_in_each_dialect() {
    let Some(server) = start().await else {
        return;
    };
    for paths in [
        [CHAT; 2],
        [DETAILED; 2],
        [MESSAGES; 2],
        [RESPONSES; 2],
        [COHERE; 2],
        GEMINI,
        CONVERSE,
    ] {
        for (path, streams) in paths.into_iter().zip([false, true]) {
            for (text, usage, finish, tools) in [
                ("say exact", [21.0, 4.0], "stop", 0.0),
                ("say tools", [33.0, 18.0], "tool_calls", 2.0),
                ("say length", [8.0, 6.0], "length", 0.0),
            ] {
                let what = format!("{path} {text} {streams}");
                let registry = call(&server, path, text, streams).await;
                assert_eq!(outcomes(&registry), SUCCESS, "{what}");
                assert_eq!(tokens(&registry), usage, "{what}");
                assert_eq!(sum(&registry, "llm_tool_calls_total", &[]), tools, "{what}");
                let finish = count(&registry, "llm_finish_reasons_total", "reason", finish);
                assert_eq!(finish, 1.0, "{what}");
                let first = histogram(&registry, "llm_time_to_first_token_seconds").0;
                assert_eq!(first, u64::from(streams), "{what}");
            }
        }
    }
}

#[tokio::test]
async fn details_of_usage_are_counted_if_the_server_reports_them() {
    let Some(server) = start().await else {
        return;
    };
    for streams in [false, true] {
        let registry = call(&server, DETAILED, "say thinking", streams).await;
        assert_eq!(tokens(&registry), [21.0, 9.0]);
        let kind = |kind| count(&registry, "llm_token_details_total", "kind", kind);
        assert_eq!([kind("cache_read"), kind("reasoning")], [16.0, 5.0]);
    }
}

#[tokio::test]
async fn errors_are_classified_and_rate_limits_are_read() {
    let Some(server) = start().await else {
        return;
    };
    for (text, kind) in [
        ("fail 401", "auth"),
        ("fail 429", "rate_limited"),
        ("fail 500", "server_error"),
        ("fail 503", "overloaded"),
        ("fail 529", "overloaded"),
        ("nobody expects this", "not_found"),
    ] {
        for streams in [false, true] {
            let registry = call(&server, CHAT, text, streams).await;
            assert_eq!(outcomes(&registry), ERROR, "{text}");
            let errors = count(&registry, "llm_requests_error", "error_type", kind);
            assert_eq!(errors, 1.0, "{text}");
            if kind == "rate_limited" {
                // Its token limit refills after six minutes.
                let limit = count(&registry, "llm_rate_limit", "kind", "tokens");
                assert_eq!(limit, 150_000.0);
                let text = registry.export_prometheus();
                assert!(text.contains(r#"kind="tokens"} 0"#), "{text}");
            }
        }
    }
}

#[tokio::test]
async fn a_stream_cut_off_by_the_server_is_truncated() {
    let Some(server) = start().await else {
        return;
    };
    for path in [CHAT, MESSAGES, RESPONSES] {
        let registry = call(&server, path, "stream cut", true).await;
        assert_eq!(outcomes(&registry), TRUNCATED, "{path}");
        let truncated = count(&registry, "llm_requests_error", "error_type", "truncated");
        assert_eq!(truncated, 1.0, "{path}");
    }
}

/// The server waits for 0.2 seconds before it sends anything.
#[tokio::test]
async fn the_time_to_first_token_is_not_shorter_than_the_server_waits() {
    let Some(server) = start().await else {
        return;
    };
    for path in [CHAT, MESSAGES, RESPONSES] {
        let registry = call(&server, path, "stream slow", true).await;
        assert_eq!(outcomes(&registry), SUCCESS, "{path}");
        let (calls, first) = histogram(&registry, "llm_time_to_first_token_seconds");
        assert_eq!(calls, 1, "{path}");
        assert!(first.sum >= 0.2, "{path} {first:?}");
        let (_, duration) = histogram(&registry, "llm_request_duration_seconds");
        assert!(duration.sum >= first.sum, "{path}");
    }
}

#[tokio::test]
async fn an_invalid_response_is_an_error_of_the_server() {
    let Some(server) = start().await else {
        return;
    };
    for (header, kind) in [
        ("X-AIMock-Chaos-Malformed", "decode"),
        ("X-AIMock-Chaos-Drop", "server_error"),
        ("X-AIMock-Chaos-Ratelimit", "rate_limited"),
        ("X-AIMock-Chaos-Disconnect", "transport"),
    ] {
        let (layer, registry) = layer();
        let llm = layer.layer(client());
        let request = llm.get_ref().post(format!("{}{CHAT}", server.url));
        let request = request
            .header(header, "1")
            .json(&question(CHAT, "say exact", false));
        if let Ok(answer) = llm.execute(request.build().unwrap()).await {
            answer.bytes().await.unwrap();
        }
        assert_eq!(outcomes(&registry), ERROR, "{header}");
        let errors = count(&registry, "llm_requests_error", "error_type", kind);
        assert_eq!(errors, 1.0, "{header}");
    }
}
