//! Background responses: counted once, when they are complete.

use tachometer::{LlmLayer, Registry};

use crate::response_formats::{EVENTS, JSON, events};
use crate::support::{Call, Ends, Readings, readings};

const POST: &str = "POST https://api.openai.com/v1/responses";
const GET: &str = "GET https://api.openai.com/v1/responses/resp_1";
const REQUEST: &str = r#"{"model":"gpt-x","background":true,"input":"x"}"#;
const QUEUED: &str = r#"{"id":"resp_1","background":true,"status":"queued","model":"gpt-x","output":[],"usage":null}"#;
const DONE: &str = r#"{"id":"resp_1","background":true,"status":"completed","created_at":100,"completed_at":160,"model":"gpt-x","output":[{"type":"message"}],"usage":{"input_tokens":12,"output_tokens":34,"total_tokens":46}}"#;

fn call<'a>(path: &'a str, body: &'a str) -> Call<'a> {
    Call {
        path,
        request: if path.starts_with("GET") { "" } else { REQUEST },
        status: 200,
        headers: vec![("content-type", JSON)],
        body: body.as_bytes(),
        ends: Ends::Whole,
    }
}

/// Makes calls through one layer.
fn after(calls: &[Call<'_>]) -> Readings {
    let registry = Registry::new();
    let layer = LlmLayer::new().registry(&registry);
    for call in calls {
        call.pass(&layer, 7);
    }
    readings(&registry)
}

fn tokens(readings: &Readings) -> [u64; 2] {
    ["input", "output"].map(|by| readings.count("llm_tokens_total", by).unwrap_or(0))
}

#[test]
fn a_post_is_pending_and_the_final_get_counts_once() {
    let pending = after(&[call(POST, QUEUED)]);
    assert_eq!(pending.label_values("llm_requests_total"), ["pending"]);
    assert_eq!(pending.count("llm_requests_success", ""), None);
    assert!(pending.label_values("llm_usage_missing_total").is_empty());
    assert!(pending.label_values("llm_finish_reasons_total").is_empty());
    let in_progress = QUEUED.replace("queued", "in_progress");
    let polls = [
        call(POST, QUEUED),
        call(GET, QUEUED),
        call(GET, &in_progress),
        call(GET, DONE),
        call(GET, DONE),
        call(GET, DONE),
    ];
    let readings = after(&polls);
    assert_eq!(
        readings.label_values("llm_requests_total"),
        ["pending", "success"]
    );
    assert_eq!(tokens(&readings), [12, 34]);
    assert_eq!(readings.model, "gpt-x");
    assert_eq!(readings.count("llm_requests_in_flight", ""), None);
    // The duration of a poll is meaningless. The response reports how long the work took.
    assert_eq!(readings.count("llm_request_duration_seconds", ""), Some(2));
    let without_times = DONE.replace(r#""created_at":100,"completed_at":160,"#, "");
    let readings = after(&[call(GET, &without_times)]);
    assert_eq!(readings.count("llm_request_duration_seconds", ""), None);
    assert_eq!(tokens(&readings), [12, 34]);
}

#[test]
fn responses_that_failed_or_stopped_early_count_as_such() {
    let failed = DONE.replace(
        "completed\"",
        "failed\",\"error\":{\"code\":\"server_error\"}",
    );
    let readings = after(&[call(GET, &failed)]);
    assert_eq!(
        readings.label_values("llm_requests_error"),
        ["server_error"]
    );
    let incomplete = DONE.replace(
        "\"completed\"",
        "\"incomplete\",\"incomplete_details\":{\"reason\":\"max_output_tokens\"}",
    );
    let readings = after(&[call(GET, &incomplete)]);
    assert_eq!(
        readings.label_values("llm_finish_reasons_total"),
        ["length"]
    );
    assert_eq!(tokens(&readings), [12, 34]);
}

#[test]
fn other_fetches_are_no_calls() {
    let foreground = DONE.replace("true", "false");
    let no_flag = DONE.replace(r#""background":true,"#, "");
    for body in [&foreground, &no_flag, QUEUED, "{}", "", "[1]", &DONE[..120]] {
        let readings = after(&[call(GET, body)]);
        assert!(
            readings.label_values("llm_requests_total").is_empty(),
            "{body}"
        );
        assert_eq!(readings.count("llm_requests_in_flight", ""), None, "{body}");
    }
    let missing = Call {
        status: 404,
        ..call(GET, r#"{"error":{"code":"not_found"}}"#)
    };
    let items = call(
        "GET https://api.openai.com/v1/responses/resp_1/input_items",
        DONE,
    );
    let other = call("GET https://shop.example/survey/responses/17", DONE);
    let readings = after(&[missing, items, other]);
    assert!(readings.label_values("llm_requests_total").is_empty());
    assert!(readings.label_values("llm_requests_error").is_empty());
}

#[test]
fn a_stream_that_shows_the_end_counts_and_a_later_fetch_does_not() {
    let created = r#"{"type":"response.queued","response":{"id":"resp_1","background":true,"status":"queued"}}"#;
    let done = format!(r#"{{"type":"response.completed","response":{DONE}}}"#);
    let body = events(&[created, &done]);
    let stream = |path| Call {
        headers: vec![("content-type", EVENTS)],
        ..call(path, &body)
    };
    let readings = after(&[stream(POST), call(GET, DONE)]);
    assert_eq!(readings.label_values("llm_requests_total"), ["success"]);
    assert_eq!(tokens(&readings), [12, 34]);
    // A poll may be a stream, and may be the first to see the end.
    let readings = after(&[stream(GET), stream(POST)]);
    assert_eq!(
        readings.label_values("llm_requests_total"),
        ["pending", "success"]
    );
    assert_eq!(tokens(&readings), [12, 34]);
    // The duration of a replay is not that of the call.
    assert_eq!(readings.count("llm_time_to_first_token_seconds", ""), None);
    // A reader that leaves the stream leaves the work in the background.
    for ends in [Ends::Dropped, Ends::Broken, Ends::TimedOut] {
        let left = events(&[created]);
        let left = Call {
            body: left.as_bytes(),
            ends,
            ..stream(POST)
        };
        let readings = after(&[left, call(GET, DONE)]);
        assert_eq!(
            readings.label_values("llm_requests_total"),
            ["pending", "success"]
        );
        assert!(readings.label_values("llm_usage_missing_total").is_empty());
        assert_eq!(tokens(&readings), [12, 34]);
    }
    // A poll whose stream breaks off has not seen the end.
    let broken = Call {
        body: &body.as_bytes()[..200],
        ends: Ends::Broken,
        ..stream(GET)
    };
    assert!(
        after(&[broken])
            .label_values("llm_requests_total")
            .is_empty()
    );
}

#[test]
fn an_error_that_quotes_a_response_does_not_consume_its_id() {
    let error = Call {
        status: 500,
        ..call(GET, DONE)
    };
    assert!(
        after(&[error])
            .label_values("llm_requests_total")
            .is_empty()
    );
    let error = Call {
        status: 500,
        ..call(GET, DONE)
    };
    let readings = after(&[error, call(GET, DONE)]);
    assert_eq!(readings.label_values("llm_requests_total"), ["success"]);
    assert_eq!(tokens(&readings), [12, 34]);
}

#[test]
fn an_empty_id_is_ignored_and_an_invalid_time_is_not_recorded() {
    let empty = DONE.replace("resp_1", "");
    assert!(
        after(&[call(GET, &empty)])
            .label_values("llm_requests_total")
            .is_empty()
    );
    for completed in ["1700000000000", "1e15", "99"] {
        let body = DONE.replace("160", completed);
        let readings = after(&[call(GET, &body)]);
        assert_eq!(
            readings.label_values("llm_requests_total"),
            ["success"],
            "{completed}"
        );
        let durations = readings.count("llm_request_duration_seconds", "");
        assert_eq!(durations, None, "{completed}");
    }
}
