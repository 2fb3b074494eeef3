//! Responses, Anthropic's messages and Ollama.

use crate::response_formats::{
    EVENTS, JSON, LINES, MESSAGES, OLLAMA, RESPONSES, Row, check, events, stream, whole,
};

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

const START: &str = r#"{"type":"message_start","message":{"model":"c","usage":{"input_tokens":12,"cache_read_input_tokens":900,"cache_creation_input_tokens":88,"output_tokens":1}}}"#;
const TEXT: &str =
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}"#;
const PING: &str = r#"{"type":"ping"}"#;
const STOP: &str = r#"{"type":"message_stop"}"#;

#[test]
fn messages_are_understood() {
    check([
        stream(
            "with a cache beside the input [docs]",
            MESSAGES,
            events(&[
                START,
                PING,
                TEXT,
                r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":57}}"#,
                STOP,
            ]),
            "success 1000 57 cache_read=900 cache_write=88 stop first",
        ),
        stream(
            "everything again at the end, where sums are told and not parts [docs]",
            MESSAGES,
            events(&[
                START,
                TEXT,
                r#"{"type":"message_delta","delta":{"stop_reason":"max_tokens"},"usage":{"input_tokens":12,"cache_read_input_tokens":900,"cache_creation_input_tokens":88,"output_tokens":57,"output_tokens_details":{"thinking_tokens":40}}}"#,
                STOP,
            ]),
            "success 1000 57 cache_read=900 cache_write=88 reasoning=40 length first",
        ),
        stream(
            "the input at the end alone, by some gateways [src]",
            MESSAGES,
            events(&[
                r#"{"type":"message_start","message":{"model":"c","usage":{"input_tokens":0,"output_tokens":0}}}"#,
                TEXT,
                r#"{"type":"message_delta","delta":{"stop_reason":"stop_sequence"},"usage":{"input_tokens":7,"cache_read_input_tokens":3,"output_tokens":5}}"#,
                STOP,
            ]),
            "success 10 5 cache_read=3 stop first",
        ),
        stream(
            "thoughts and tools are tokens; what a tool is given is not read [docs]",
            MESSAGES,
            events(&[
                START,
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"f","input":{"usage":{"output_tokens":999}}}}"#,
                r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{}"}}"#,
                r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"b","name":"f","input":{}}}"#,
                r#"{"type":"content_block_start","index":2,"content_block":{"type":"server_tool_use","name":"web_search","input":{}}}"#,
                r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":57}}"#,
                STOP,
            ]),
            "success 1000 57 cache_read=900 cache_write=88 tool_calls x2 first",
        ),
        stream(
            "broken off: what the beginning says of the output only holds its place [docs]",
            MESSAGES,
            events(&[START, TEXT]),
            "truncated(truncated) 1000 . cache_read=900 cache_write=88 first -truncated",
        ),
        whole(
            "not streamed, refused [docs]",
            MESSAGES,
            r#"{"type":"message","model":"c","content":[{"type":"text","text":"no"}],"stop_reason":"refusal","usage":{"input_tokens":3,"cache_read_input_tokens":null,"output_tokens":4}}"#,
            "success 3 4 content_filter",
        ),
        whole(
            "not streamed, two tools whose input has the names that are looked for [docs]",
            MESSAGES,
            r#"{"type":"message","content":[{"type":"tool_use","input":{"type":"tool_use","usage":{"input_tokens":9}}},{"type":"tool_use","input":{}}],"stop_reason":"tool_use","usage":{"output_tokens":4,"input_tokens":3}}"#,
            "success 3 4 tool_calls x2",
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
        // It streams where nothing else is said.
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
