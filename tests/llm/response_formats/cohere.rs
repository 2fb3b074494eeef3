//! Cohere's chat and embeddings.

use crate::response_formats::{Row, check, events, stream, whole};

const CHAT: &str = "/v2/chat";
const EMBED: &str = "/v2/embed";

const START: &str = r#"{"type":"message-start","id":"m","delta":{"message":{"role":"assistant","content":[],"tool_plan":"","tool_calls":[],"citations":[]}}}"#;
const OPEN: &str = r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"text","text":""}}}}"#;
const TEXT: &str =
    r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"hi"}}}}"#;
const CLOSE: &str = r#"{"type":"content-end","index":0}"#;
const END: &str = r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":5,"output_tokens":9},"tokens":{"input_tokens":71,"output_tokens":10}}}}"#;

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn streams_are_understood() {
    let chat = |name, data: &[&str], learnt| stream(name, CHAT, events(data), learnt);
    check([
        chat(
            "what is billed counts, and not what was read [docs]",
            &[START, OPEN, TEXT, CLOSE, END],
            "success 5 9 stop first",
        ),
        chat(
            "what has only begun is no token [docs]",
            &[START, OPEN, CLOSE, END],
            "success 5 9 stop",
        ),
        chat(
            "nothing is billed, and what was read counts [src]",
            &[
                START,
                TEXT,
                r#"{"type":"message-end","delta":{"finish_reason":"MAX_TOKENS","usage":{"tokens":{"input_tokens":71,"output_tokens":10}}}}"#,
            ],
            "success 71 10 length first",
        ),
        chat(
            "what was read comes first, and what is billed counts [unverified]",
            &[
                TEXT,
                r#"{"delta":{"usage":{"tokens":{"output_tokens":10,"input_tokens":71},"billed_units":{"output_tokens":9.0,"input_tokens":5.0}},"finish_reason":"STOP_SEQUENCE"},"type":"message-end"}"#,
            ],
            "success 5 9 stop first",
        ),
        chat(
            "thoughts are tokens [docs]",
            &[
                START,
                r#"{"type":"content-start","index":0,"delta":{"message":{"content":{"type":"thinking","thinking":""}}}}"#,
                r#"{"type":"content-delta","index":0,"delta":{"message":{"content":{"thinking":"hm"}}}}"#,
                CLOSE,
                END,
            ],
            "success 5 9 stop first",
        ),
        chat(
            "so are plans [docs]",
            &[
                START,
                r#"{"type":"tool-plan-delta","delta":{"message":{"tool_plan":"I will"}}}"#,
                END,
            ],
            "success 5 9 stop first",
        ),
        chat(
            "two calls, whose arguments come in parts [docs]",
            &[
                START,
                r#"{"type":"tool-call-start","index":0,"delta":{"message":{"tool_calls":{"id":"a","type":"function","function":{"name":"f","arguments":""}}}}}"#,
                r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"{\"usage\":"}}}}}"#,
                r#"{"type":"tool-call-delta","index":0,"delta":{"message":{"tool_calls":{"function":{"arguments":"1}"}}}}}"#,
                r#"{"type":"tool-call-end","index":0}"#,
                r#"{"type":"tool-call-start","index":1,"delta":{"message":{"tool_calls":{"id":"b","type":"function","function":{"name":"f","arguments":""}}}}}"#,
                r#"{"type":"tool-call-end","index":1}"#,
                r#"{"type":"message-end","delta":{"finish_reason":"TOOL_CALL","usage":{"billed_units":{"input_tokens":5,"output_tokens":9}}}}"#,
            ],
            "success 5 9 tool_calls x2 first",
        ),
        chat(
            "citations come between [docs]",
            &[
                START,
                TEXT,
                r#"{"type":"citation-start","index":0,"delta":{"message":{"citations":{"start":0,"end":2,"text":"hi","type":"TEXT_CONTENT","sources":[{"type":"tool","id":"a","tool_output":{"type":"message-end","delta":{"finish_reason":"ERROR"}}}]}}}}"#,
                r#"{"type":"citation-end","index":0}"#,
                END,
            ],
            "success 5 9 stop first",
        ),
        chat(
            "it went wrong, and that is said at the end [docs]",
            &[
                START,
                TEXT,
                r#"{"type":"message-end","delta":{"error":"secret","finish_reason":"ERROR","usage":{"billed_units":{"input_tokens":5,"output_tokens":9}}}}"#,
            ],
            "error(server_error) 5 9 error first",
        ),
        chat(
            "it went wrong, and nothing is said of tokens [docs]",
            &[
                START,
                r#"{"type":"message-end","delta":{"finish_reason":"ERROR"}}"#,
            ],
            "error(server_error) . . error -error",
        ),
        chat(
            "it took too long [iss GoModel#581]",
            &[
                START,
                TEXT,
                r#"{"type":"message-end","delta":{"finish_reason":"TIMEOUT","usage":{"billed_units":{"input_tokens":5,"output_tokens":9}}}}"#,
            ],
            "error(timeout) 5 9 error first",
        ),
        chat(
            "cut [docs]",
            &[START, OPEN, TEXT, CLOSE],
            "truncated(truncated) . . first -truncated",
        ),
        chat(
            "no usage [unverified]",
            &[
                START,
                TEXT,
                r#"{"type":"message-end","delta":{"finish_reason":"COMPLETE"}}"#,
            ],
            "success . . stop first -not_reported",
        ),
        chat(
            "events with their names before them, and a mark of the end [src]",
            &[START, TEXT, END, "[DONE]"],
            "success 5 9 stop first",
        ),
        stream(
            "the name of each event before its data [docs]",
            CHAT,
            format!("event: content-delta\ndata: {TEXT}\n\nevent: message-end\ndata: {END}\n\n"),
            "success 5 9 stop first",
        ),
    ]);
}

#[test]
fn whole_answers_are_understood() {
    let chat = |name, reason: &str, message: &str, learnt| {
        let body = format!(
            r#"{{"id":"c","finish_reason":"{reason}","message":{{"role":"assistant",{message}}},"usage":{{"billed_units":{{"input_tokens":5,"output_tokens":9}},"tokens":{{"input_tokens":71,"output_tokens":10}}}}}}"#
        );
        whole(name, CHAT, body, learnt)
    };
    let hi = r#""content":[{"type":"text","text":"hi"}]"#;
    check([
        chat("a text [docs]", "COMPLETE", hi, "success 5 9 stop"),
        chat(
            "a word that ends it [docs]",
            "STOP_SEQUENCE",
            hi,
            "success 5 9 stop",
        ),
        chat("its limit [docs]", "MAX_TOKENS", hi, "success 5 9 length"),
        chat(
            "something new [unverified]",
            "SOMETHING_NEW",
            hi,
            "success 5 9 other",
        ),
        chat(
            "it went wrong [docs]",
            "ERROR",
            hi,
            "error(server_error) 5 9 error",
        ),
        chat(
            "it took too long [iss GoModel#581]",
            "TIMEOUT",
            hi,
            "error(timeout) 5 9 error",
        ),
        chat(
            "two calls, and a plan [docs]",
            "TOOL_CALL",
            r#""tool_plan":"I will","tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":"{}"}},{"id":"b","type":"function","function":{"name":"f","arguments":"{}"}}]"#,
            "success 5 9 tool_calls x2",
        ),
        whole(
            "half a token [unverified]",
            CHAT,
            r#"{"finish_reason":"COMPLETE","usage":{"billed_units":{"input_tokens":1.5,"output_tokens":9}}}"#,
            "success . 9 stop -invalid",
        ),
        whole(
            "no usage [unverified]",
            CHAT,
            r#"{"finish_reason":"COMPLETE","message":{"content":[]},"usage":null}"#,
            "success . . stop -not_reported",
        ),
    ]);
}

#[test]
fn details_of_the_raw_counts_fit_what_is_counted() {
    let row = |name, usage: &str, learnt| {
        let body = format!(r#"{{"finish_reason":"COMPLETE","usage":{usage}}}"#);
        whole(name, CHAT, body, learnt)
    };
    check([
        row(
            "cached tokens, where nothing is billed [unverified]",
            r#"{"tokens":{"input_tokens":71,"output_tokens":10},"cached_tokens":16}"#,
            "success 71 10 cache_read=16 stop",
        ),
        row(
            "thoughts that are more than what is billed [unverified]",
            r#"{"billed_units":{"input_tokens":5,"output_tokens":9},"tokens":{"input_tokens":71,"output_tokens":40,"reasoning_tokens":30}}"#,
            "success 5 9 stop",
        ),
    ]);
}

#[test]
fn embeddings_are_billed_by_tokens_or_by_images() {
    let row = |name, meta: &str, learnt| {
        let body = format!(r#"{{"id":"e","embeddings":{{"float":[[0.1,-2e-3]]}},"meta":{meta}}}"#);
        Row {
            request: r#"{"model":"m","texts":["hi"],"input_type":"search_document"}"#,
            ..whole(name, EMBED, body, learnt)
        }
    };
    check([
        row(
            "texts [docs]",
            r#"{"api_version":{"version":"2"},"billed_units":{"input_tokens":8}}"#,
            "success 8 .",
        ),
        row(
            "images [docs]",
            r#"{"api_version":{"version":"2"},"billed_units":{"images":2}}"#,
            "success . . images=2",
        ),
        row(
            "both [docs]",
            r#"{"billed_units":{"images":2,"input_tokens":8}}"#,
            "success 8 . images=2",
        ),
        row(
            "neither [unverified]",
            r#"{"api_version":{"version":"2"}}"#,
            "success . . -not_reported",
        ),
    ]);
}

#[test]
fn errors_are_classified_by_their_status_only() {
    for (status, learnt) in [
        (400, "error(invalid_request) . ."),
        (401, "error(auth) . ."),
        (402, "error(quota) . ."),
        (403, "error(permission) . ."),
        (404, "error(not_found) . ."),
        (422, "error(invalid_request) . ."),
        (429, "error(rate_limited) . ."),
        (500, "error(server_error) . ."),
        (503, "error(overloaded) . ."),
        (504, "error(timeout) . ."),
    ] {
        check([CHAT, EMBED].map(|path| Row {
            status,
            ..whole("[docs]", path, r#"{"id":"e","message":"secret"}"#, learnt)
        }));
    }
}
