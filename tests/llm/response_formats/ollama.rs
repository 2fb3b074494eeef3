//! Ollama's own API.

use crate::response_formats::{EVENTS, JSON, LINES, OLLAMA, Row, check, stream, whole};

#[test]
fn embeddings_of_ollama_are_one_text_though_their_request_does_not_say_so() {
    let row = |name, body: &str| Row {
        path: "/api/embed",
        request: r#"{"model":"m","input":"hi"}"#,
        ..whole(name, OLLAMA, body, "success 8 .")
    };
    check([
        row(
            "embed [docs]",
            r#"{"model":"m","embeddings":[[0.1,0.2]],"prompt_eval_count":8}"#,
        ),
        row(
            "on many lines, by a gateway [unverified]",
            "{\n \"embeddings\": [\n  [0.1]\n ],\n \"prompt_eval_count\": 8\n}\n",
        ),
    ]);
}

const DONE: &str = r#"{"model":"m","message":{"content":""},"done":true,"done_reason":"stop","prompt_eval_count":40,"eval_count":25,"eval_duration":5}"#;

fn lines(lines: &[&str]) -> String {
    lines
        .iter()
        .flat_map(|line| {
            [
                *line, "
",
            ]
        })
        .collect()
}

fn ollama(name: &'static str, data: &[&str], learnt: &'static str) -> Row {
    Row {
        // It streams by default.
        request: r#"{"model":"m"}"#,
        kind: LINES,
        ..stream(name, OLLAMA, lines(data), learnt)
    }
}

#[test]
fn ollama_is_understood() {
    const TEXT: &str =
        r#"{"model":"m","message":{"role":"assistant","content":"hi"},"done":false}"#;
    check([
        ollama(
            "whole [docs]",
            &[TEXT, TEXT, DONE],
            "success 40 25 stop first ~generate",
        ),
        ollama(
            "an input that is left out may be cached, and is not 0 [src: Ollama's issues]",
            &[
                TEXT,
                r#"{"done":true,"done_reason":"length","eval_count":25}"#,
            ],
            "success . 25 length first -not_reported",
        ),
        ollama(
            "an output of 0 is left out [src]",
            &[r#"{"done":true,"done_reason":"stop","prompt_eval_count":25}"#],
            "success 25 . stop",
        ),
        ollama(
            "loaded, and not asked [docs]",
            &[r#"{"done":true,"done_reason":"load"}"#],
            "success . . other -not_reported",
        ),
        ollama(
            "tools come whole, on a line or on several [docs]",
            &[
                r#"{"message":{"content":"","tool_calls":[{"function":{"name":"f","arguments":{"eval_count":9,"done":true}}}]},"done":false}"#,
                r#"{"message":{"content":"","tool_calls":[{"function":{"name":"f","arguments":{}}},{"function":{"name":"g","arguments":{}}}]},"done":false}"#,
                DONE,
            ],
            "success 40 25 tool_calls x3 first ~generate",
        ),
        ollama(
            "thoughts are tokens, and a cache is told [docs, unverified]",
            &[
                r#"{"message":{"content":"","thinking":"hm"},"done":false}"#,
                r#"{"done":true,"done_reason":"stop","prompt_eval_count":40,"prompt_eval_cached_count":30,"eval_count":25}"#,
            ],
            "success 40 25 cache_read=30 stop first",
        ),
        ollama(
            "broken off [docs]",
            &[TEXT],
            "truncated(truncated) . . first -truncated",
        ),
        ollama(
            "a line that is no JSON hides no other [unverified]",
            &[r#"{"message":{"content":"#, DONE],
            "success 40 25 stop ~generate",
        ),
        Row {
            kind: JSON,
            ..ollama(
                "labelled as one JSON text [unverified]",
                &[TEXT, DONE],
                "success 40 25 stop first ~generate",
            )
        },
        Row {
            kind: EVENTS,
            ..ollama(
                "labelled as events [unverified]",
                &[TEXT, DONE],
                "success 40 25 stop first ~generate",
            )
        },
        Row {
            path: "/api/generate",
            ..ollama(
                "generate [docs]",
                &[r#"{"response":"hi","done":false}"#, DONE],
                "success 40 25 stop first ~generate",
            )
        },
        Row {
            path: "/api/embed",
            ..whole(
                "embed [docs]",
                OLLAMA,
                r#"{"embeddings":[[0.1,0.2]],"prompt_eval_count":8}"#,
                "success 8 .",
            )
        },
        whole(
            "not streamed [docs]",
            OLLAMA,
            DONE,
            "success 40 25 stop ~generate",
        ),
    ]);
}
