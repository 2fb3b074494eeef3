//! Where a response ends: at its last finish reason.

use crate::response_formats::{CHAT, EVENTS, GEMINI, events};
use crate::support::{Call, Ends, SIZES};

/// Checks the outcome, the finish reasons and why usage is missing, of a response that ends in
/// each of three ways: cleanly, by a failed connection, and unread.
#[track_caller]
fn check(path: &str, request: &str, data: &[&str], expected: [&str; 3]) {
    let body = events(data);
    for (ends, expected) in [Ends::Whole, Ends::Broken, Ends::Dropped]
        .into_iter()
        .zip(expected)
    {
        let call = Call {
            path,
            request,
            status: 200,
            headers: vec![("content-type", EVENTS)],
            body: body.as_bytes(),
            ends,
        };
        for size in SIZES {
            let readings = call.readings(size);
            let found = [
                readings.label_values("llm_requests_total"),
                readings.label_values("llm_finish_reasons_total"),
                readings.label_values("llm_usage_missing_total"),
            ];
            let found = found.map(|values| values.join(" ")).join(" | ");
            assert_eq!(found, expected, "{ends:?}, in pieces of {size}: {body}");
        }
    }
}

const STREAM: &str = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#;

const CODE: &str = r#"{"candidates":[{"content":{"parts":[{"executableCode":{"code":"1+1"}}]}}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":5,"totalTokenCount":8}}"#;
const RESULT: &str = r#"{"candidates":[{"content":{"parts":[{"codeExecutionResult":{"outcome":"OUTCOME_OK","output":"2"}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":9,"totalTokenCount":12}}"#;
const TEXT: &str = r#"{"candidates":[{"content":{"parts":[{"text":"It is"}]}}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":20,"totalTokenCount":23}}"#;
const LAST: &str = r#"{"candidates":[{"content":{"parts":[{"text":" 2"}]},"finishReason":"MAX_TOKENS"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":40,"totalTokenCount":43}}"#;

#[test]
fn a_finish_reason_followed_by_content_is_not_the_end() {
    // Gemini ends the turn of each tool that it runs.
    let cut = [
        "truncated |  | truncated",
        "truncated |  | truncated",
        "cancelled |  | cancelled",
    ];
    check(GEMINI, "{}", &[CODE, RESULT, TEXT], cut);
    let whole = ["success | length | "; 3];
    check(GEMINI, "{}", &[CODE, RESULT, TEXT, LAST], whole);
    let thought =
        r#"{"choices":[{"index":0,"delta":{"reasoning_content":"hm"},"finish_reason":"stop"}]}"#;
    let text = r#"{"choices":[{"index":0,"delta":{"content":"answer"}}]}"#;
    check(CHAT, STREAM, &[thought, text], cut);
    for content in [
        r#"{"index":0,"text":"more"}"#,
        r#"{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}"#,
        r#"{"index":0,"delta":{"refusal":"no"}}"#,
    ] {
        let content = format!(r#"{{"choices":[{content}]}}"#);
        check(CHAT, STREAM, &[thought, &content], cut);
    }
    // Bedrock's guardrail, and what the model said before it.
    let message = "/v1/messages";
    let stop = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":1}}"#;
    let delta = r#"{"type":"content_block_delta","index":0,"delta":{"text":"more"}}"#;
    check(message, STREAM, &[stop, delta], cut);
}

#[test]
fn the_last_finish_reason_counts() {
    let stop =
        r#"{"choices":[{"index":0,"delta":{"reasoning_content":"hm"},"finish_reason":"stop"}]}"#;
    let tool = r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f"}}]},"finish_reason":"tool_calls"}]}"#;
    let usage = r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
    let whole = ["success | tool_calls | "; 3];
    check(CHAT, STREAM, &[stop, tool, usage, "[DONE]"], whole);
    let first = r#"{"type":"message_delta","delta":{"stop_reason":"pause_turn"}}"#;
    let last = r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{"input_tokens":1,"output_tokens":2}}"#;
    let end = r#"{"type":"message_stop"}"#;
    let whole = ["success | length | "; 3];
    check("/v1/messages", STREAM, &[first, last, end], whole);
    // After the end mark, finish reasons are ignored.
    let late = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#;
    let stop = r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"#;
    let whole = ["success | stop | "; 3];
    check(CHAT, STREAM, &[stop, usage, "[DONE]", late], whole);
}

#[test]
fn a_reader_that_stops_at_the_only_finish_reason_has_the_whole_response() {
    let stop = r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"#;
    let empty = r#"{"choices":[{"index":0,"delta":{"content":""}}]}"#;
    let expected = [
        "success | stop | not_reported",
        "success | stop | truncated",
        "success | stop | unread",
    ];
    check(CHAT, STREAM, &[stop], expected);
    // What is empty is no content.
    check(CHAT, STREAM, &[stop, empty], expected);
    // Without requested usage there is none to read.
    let without = r#"{"model":"m","stream":true}"#;
    check(
        CHAT,
        without,
        &[stop],
        ["success | stop | not_requested"; 3],
    );
    // The parameters of an unread request are unknown.
    check(CHAT, "<unseen>", &[stop], expected);
}

#[test]
fn usage_missing_after_the_end_mark_is_not_the_fault_of_the_reader() {
    let stop = r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"#;
    check(
        CHAT,
        STREAM,
        &[stop, "[DONE]"],
        ["success | stop | not_reported"; 3],
    );
    let stop = r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"}}"#;
    let end = r#"{"type":"message_stop"}"#;
    check(
        "/v1/messages",
        STREAM,
        &[stop, end],
        ["success | stop | not_reported"; 3],
    );
}

#[test]
fn as_many_choices_must_end_as_the_request_asks_for() {
    let first = r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"#;
    let second = r#"{"choices":[{"index":1,"delta":{"content":"b"},"finish_reason":"length"}]}"#;
    let two = r#"{"model":"m","n":2,"stream":true,"stream_options":{"include_usage":true}}"#;
    let expected = [
        // A server that ends the stream has no more answers.
        "success | stop | not_reported",
        "truncated | stop | truncated",
        "cancelled | stop | cancelled",
    ];
    check(CHAT, two, &[first], expected);
    let expected = [
        "success | length stop | not_reported",
        "success | length stop | truncated",
        "success | length stop | unread",
    ];
    check(CHAT, two, &[first, second], expected);
    let first = r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"candidatesTokenCount":1,"totalTokenCount":4}}"#;
    let two = r#"{"generationConfig":{"candidateCount":2}}"#;
    let expected = [
        "success | stop | ",
        "truncated | stop | truncated",
        "cancelled | stop | cancelled",
    ];
    check(GEMINI, two, &[first], expected);
}

#[test]
fn the_number_of_distinct_choices_is_limited() {
    let choices: Vec<_> = (0..300)
        .map(|number| {
            let reason = if number < 256 { "stop" } else { "length" };
            format!(
                r#"{{"choices":[{{"index":{number},"delta":{{}},"finish_reason":"{reason}"}}]}}"#
            )
        })
        .collect();
    let mut data: Vec<_> = choices.iter().map(String::as_str).collect();
    data.push("[DONE]");
    let reasons = vec!["stop"; 256].join(" ");
    let expected = format!("success | {reasons} | not_requested");
    let request = r#"{"model":"m","n":1000000000000000000,"stream":true}"#;
    check(CHAT, request, &data, [&expected; 3]);
}

#[test]
fn an_event_called_error_is_an_error_in_any_dialect() {
    let text = r#"{"choices":[{"index":0,"delta":{"content":"a"}}]}"#;
    let text = events(&[text]);
    let stop = events(&[r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#]);
    for (path, end, error) in [
        (
            CHAT,
            "event: error\ndata: {\"message\":\"no\"}\n\n",
            "other",
        ),
        (
            CHAT,
            "event:error\ndata: {\"error\":{\"code\":503}}\n\n",
            "overloaded",
        ),
        (
            CHAT,
            "error: {\"error\":{\"type\":\"server_error\"}}\n\n",
            "server_error",
        ),
        (CHAT, "error: it broke\n\n", "other"),
        ("/v1/messages", "event: error\ndata: {}\n\n", "other"),
        ("/v1/responses", "event: error\ndata: {}\n\n", "other"),
        (CHAT, "event: error\n\n", "other"),
        (CHAT, "data: {}\nevent: error\n\n", "other"),
    ] {
        let body = format!("{text}{end}");
        let call = Call {
            path,
            request: STREAM,
            status: 200,
            headers: vec![("content-type", EVENTS)],
            body: body.as_bytes(),
            ends: Ends::Whole,
        };
        for size in SIZES {
            let readings = call.readings(size);
            assert_eq!(
                readings.label_values("llm_requests_error"),
                [error],
                "{size}: {body}"
            );
        }
    }
    // Other fields only begin or end like one.
    let body = format!("drror: x\n\nerro: x\n\nda: [DONE]\n\n: x\n\n{text}{stop}data: [DONE]\n\n");
    let call = Call {
        path: CHAT,
        request: STREAM,
        status: 200,
        headers: vec![("content-type", EVENTS)],
        body: body.as_bytes(),
        ends: Ends::Whole,
    };
    for size in SIZES {
        let readings = call.readings(size);
        assert_eq!(
            readings.label_values("llm_requests_total"),
            ["success"],
            "{size}"
        );
        assert_eq!(
            readings.label_values("llm_finish_reasons_total"),
            ["stop"],
            "{size}"
        );
    }
    // Other events only begin or end like it.
    for name in ["errors", "erro", "err", "no error", "e"] {
        let body = format!("event: {name}\n{text}data: [DONE]\n\n");
        let call = Call {
            path: CHAT,
            request: STREAM,
            status: 200,
            headers: vec![("content-type", EVENTS)],
            body: body.as_bytes(),
            ends: Ends::Whole,
        };
        for size in SIZES {
            assert_eq!(
                call.readings(size).label_values("llm_requests_total"),
                ["success"],
                "{body}"
            );
        }
    }
}
