//! `OpenAI`'s Responses.

use crate::response_formats::{RESPONSES, check, events, stream, whole};

#[test]
fn responses_are_understood() {
    check([
        stream(
            "whole, with thoughts and a tool [docs]",
            RESPONSES,
            events(&[
                r#"{"type":"response.created","response":{"status":"in_progress","model":"r","usage":null}}"#,
                r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning"}}"#,
                r#"{"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","name":"f"}}"#,
                r#"{"type":"response.function_call_arguments.delta","output_index":1,"delta":"{}"}"#,
                r#"{"type":"response.output_item.done","output_index":1,"item":{"type":"function_call","name":"f"}}"#,
                r#"{"type":"response.completed","response":{"status":"completed","model":"r","output":[{"type":"function_call"}],"usage":{"input_tokens":21,"input_tokens_details":{"cached_tokens":5,"cache_write_tokens":6},"output_tokens":9,"output_tokens_details":{"reasoning_tokens":7}}}}"#,
            ]),
            "success 21 9 cache_read=5 cache_write=6 reasoning=7 tool_calls x1 first",
        ),
        stream(
            "it came to its limit [docs]",
            RESPONSES,
            events(&[
                r#"{"type":"response.output_text.delta","delta":"hi"}"#,
                r#"{"type":"response.incomplete","response":{"status":"incomplete","incomplete_details":{"reason":"max_output_tokens"},"usage":{"input_tokens":1,"output_tokens":2}}}"#,
            ]),
            "success 1 2 length first",
        ),
        stream(
            "it was filtered [docs]",
            RESPONSES,
            events(&[
                r#"{"type":"response.incomplete","response":{"incomplete_details":{"reason":"content_filter"},"status":"incomplete","usage":{"input_tokens":1,"output_tokens":2}}}"#,
            ]),
            "success 1 2 content_filter",
        ),
        stream(
            "it broke off [docs]",
            RESPONSES,
            events(&[
                r#"{"type":"response.created","response":{"status":"in_progress"}}"#,
                r#"{"type":"response.output_text.delta","delta":"hi"}"#,
            ]),
            "truncated(truncated) . . first -truncated",
        ),
        whole(
            "in the background, it has not begun [docs]",
            RESPONSES,
            r#"{"id":"r","status":"queued","error":null,"usage":null,"output":[]}"#,
            "pending . .",
        ),
        whole(
            "two tools, and a text that speaks of them [docs]",
            RESPONSES,
            r#"{"status":"completed","error":null,"incomplete_details":null,"output":[{"type":"message","content":[{"type":"output_text","text":"function_call"}]},{"type":"function_call","arguments":"{\"type\":\"function_call\"}"},{"type":"custom_tool_call"}],"usage":{"input_tokens":3,"output_tokens":4}}"#,
            "success 3 4 tool_calls x2",
        ),
    ]);
}

const CALLED: &str = r#"{"type":"response.completed","response":{"status":"completed","usage":{"input_tokens":3,"output_tokens":4}}}"#;

#[test]
fn code_that_a_model_ran_is_no_error() {
    let done = r#"{"type":"response.code_interpreter_call_code.done","output_index":0,"item_id":"ci","code":"raise TimeoutError()","sequence_number":1}"#;
    check([
        stream(
            "code beside the type of an event that is no error [docs]",
            RESPONSES,
            events(&[done, CALLED]),
            "success 3 4 stop",
        ),
        stream(
            "the same before the type [docs]",
            RESPONSES,
            events(&[
                r#"{"code":"429","type":"response.code_interpreter_call_code.done"}"#,
                CALLED,
            ]),
            "success 3 4 stop",
        ),
        stream(
            "an error's, before the type [docs]",
            RESPONSES,
            events(&[r#"{"code":"rate_limit_exceeded","message":"secret","type":"error"}"#]),
            "error(rate_limited) . . -error",
        ),
        whole(
            "an error without a type, by some gateways [unverified]",
            RESPONSES,
            r#"{"code":"rate_limit_exceeded","message":"secret"}"#,
            "error(rate_limited) . . -error",
        ),
    ]);
}

#[test]
fn the_status_of_a_part_is_not_that_of_the_response() {
    let part = r#"{"type":"response.reasoning_summary_part.done","item_id":"rs","output_index":0,"status":"incomplete"}"#;
    let call = r#"{"type":"response.output_item.added","output_index":1,"item":{"type":"function_call","name":"f"}}"#;
    check([
        stream(
            "it says nothing of why the response ended [docs]",
            RESPONSES,
            events(&[part, call, CALLED]),
            "success 3 4 tool_calls x1 first",
        ),
        stream(
            "nor that it has [docs]",
            RESPONSES,
            events(&[part, call]),
            "truncated(truncated) . . x1 first -truncated",
        ),
    ]);
}
