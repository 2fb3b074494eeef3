//! Responses that end too early: after every byte, in every way.

use tachometer::{LlmLayer, Registry};

use crate::response_formats::aws_event_stream::{chunk, event};
use crate::response_formats::{CHAT, EVENTS, JSON, LINES, MESSAGES, OLLAMA, RESPONSES};
use crate::support::{Call, Ends, readings};

const STREAM: &str = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#;
pub(crate) const WHOLE: &str = r#"{"model":"m","stream":false}"#;

/// Responses of each dialect. `END` marks where a caller may know that the text is complete:
/// after the event with the finish reason.
const ANSWERS: [(&str, &str, &str, &str); 15] = [
    (
        CHAT,
        STREAM,
        EVENTS,
        concat!(
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}],\"usage\":null}\n\n",
            "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}END\n\n",
            "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":123,\"completion_tokens\":45}}\n\n",
            "data: [DONE]\n\n",
        ),
    ),
    (
        MESSAGES,
        STREAM,
        EVENTS,
        concat!(
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":123,\"output_tokens\":1}}}\n\n",
            "event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"delta\":{\"text\":\"hi\"}}\n\n",
            "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"output_tokens\":45}}END\n\n",
            "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        ),
    ),
    (
        RESPONSES,
        STREAM,
        EVENTS,
        concat!(
            "data: {\"type\":\"response.output_text.delta\",\"delta\":\"hi\"}\n\n",
            "data: {\"type\":\"response.completed\",\"response\":{\"status\":\"completed\",\"usage\":{\"input_tokens\":123,\"output_tokens\":45}}}END\n\n",
        ),
    ),
    (
        OLLAMA,
        STREAM,
        LINES,
        concat!(
            "{\"message\":{\"content\":\"hi\"},\"done\":false}\n",
            "{\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":123,\"eval_count\":45}END\n",
        ),
    ),
    (
        CHAT,
        WHOLE,
        JSON,
        "{\"choices\":[{\"index\":0,\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":123,\"completion_tokens\":45}}END",
    ),
    (
        MESSAGES,
        WHOLE,
        JSON,
        "{\"type\":\"message\",\"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":123,\"output_tokens\":45}}END",
    ),
    (
        RESPONSES,
        WHOLE,
        JSON,
        "{\"status\":\"completed\",\"output\":[{\"type\":\"message\"}],\"usage\":{\"input_tokens\":123,\"output_tokens\":45}}END",
    ),
    (
        OLLAMA,
        WHOLE,
        JSON,
        "{\"message\":{\"content\":\"hi\"},\"done\":true,\"prompt_eval_count\":123,\"eval_count\":45}END",
    ),
    (
        "/v1/completions",
        STREAM,
        EVENTS,
        concat!(
            "data: {\"choices\":[{\"index\":0,\"text\":\"hi\"},{\"index\":1,\"text\":\"ho\"}]}\r\n\r\n",
            "data: {\"choices\":[{\"index\":1,\"text\":\"\",\"finish_reason\":\"stop\"}]}\r\n\r\n",
            "data: {\"choices\":[{\"index\":0,\"text\":\"\",\"finish_reason\":\"length\"}],\"usage\":{\"prompt_tokens\":123,\"completion_tokens\":45}}END\r\n\r\n",
            "data: [DONE]\r\n\r\n",
        ),
    ),
    // A stream without a finish reason ends with its end mark only.
    (
        CHAT,
        STREAM,
        EVENTS,
        concat!(
            "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"}}]}\n\n",
            "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":123,\"completion_tokens\":45}}\n\n",
            "data: [DONE]END\n\n",
        ),
    ),
    // Reasoning and tool calls do not end a response.
    (
        MESSAGES,
        STREAM,
        EVENTS,
        concat!(
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"cache_read_input_tokens\":100,\"input_tokens\":23,\"output_tokens\":7}}}\n\n",
            "event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"tool_use\",\"name\":\"f\",\"input\":{\"stop_reason\":\"x\"}}}\n\n",
            "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"tool_use\"},\"usage\":{\"output_tokens\":45}}END\n\n",
            "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        ),
    ),
    (
        GEMINI,
        STREAM,
        EVENTS,
        concat!(
            "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hi\"}]}}]}\r\n\r\n",
            "data: {\"candidates\":[{\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":123,\"candidatesTokenCount\":45}}END\r\n\r\n",
        ),
    ),
    // One array over time.
    (
        GEMINI,
        STREAM,
        JSON,
        concat!(
            "[{\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"hi\"}]}}]}\n,\r\n",
            "{\"candidates\":[{\"finishReason\":\"STOP\"}],\"usageMetadata\":{\"promptTokenCount\":123,\"candidatesTokenCount\":45}}END\n]\n",
        ),
    ),
    (
        "/v2/chat",
        STREAM,
        EVENTS,
        concat!(
            "event: message-start\ndata: {\"type\":\"message-start\"}\n\n",
            "event: content-delta\ndata: {\"type\":\"content-delta\",\"delta\":{\"message\":{\"content\":{\"text\":\"hi\"}}}}\n\n",
            "event: message-end\ndata: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":\"COMPLETE\",\"usage\":{\"billed_units\":{\"input_tokens\":123,\"output_tokens\":45}}}}END\n\n",
        ),
    ),
    (
        "/model/m/converse",
        WHOLE,
        JSON,
        "{\"output\":{\"message\":{\"content\":[{\"text\":\"hi\"}]}},\"stopReason\":\"end_turn\",\"usage\":{\"inputTokens\":123,\"outputTokens\":45}}END",
    ),
];

const GEMINI: &str = "/v1beta/models/m:streamGenerateContent";

/// The ways in which a response ends after each byte, and the outcome of each before its end.
const ENDS: [Ends; 4] = [Ends::Whole, Ends::Broken, Ends::TimedOut, Ends::Dropped];
const OUTCOMES: [&str; 4] = ["cancelled", "error", "truncated", "truncated"];
const ERRORS: [&str; 3] = ["timeout", "truncated", "truncated"];

/// A response whose connection ends or fails is truncated, one that times out is an error, and
/// one that its caller stops reading is cancelled. At its end it is complete in any case.
#[test]
fn a_response_that_ends_after_any_byte_has_the_right_outcome() {
    for (path, request, kind, marked) in ANSWERS {
        let end = marked.find("END").unwrap();
        let answer = marked.replace("END", "");
        check_cuts(path, request, kind, answer.as_bytes(), end);
    }
}

/// Answers with several models, choices, corrections, searches and errors.
const MIXED: [(&str, &str, &str); 5] = [
    (
        CHAT,
        EVENTS,
        concat!(
            r#"data: {"model":"g","choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]}},{"index":1,"delta":{"content":"b"},"finish_reason":"stop"}]}"#,
            "\n\n",
            r#"data: {"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}"#,
            "\r\n\r\n",
            r#"data: {"choices":[],"usage":{"prompt_tokens":11,"completion_tokens":"7","total_tokens":18.0,"completion_tokens_details":{"reasoning_tokens":3}}}"#,
            "\n\nevent: error\ndata: {\"x\":1}\n\ndata: [DONE]\n\n",
        ),
    ),
    (
        MESSAGES,
        EVENTS,
        concat!(
            r#"data: {"type":"message_start","message":{"model":"m","usage":{"input_tokens":10,"cache_read_input_tokens":5,"output_tokens":1}}}"#,
            "\n\n",
            r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"t"}}"#,
            "\n\n",
            r#"data: {"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":20,"iterations":[{"type":"message","model":"m","input_tokens":10,"output_tokens":5},{"type":"advisor_message","model":"a","input_tokens":3,"output_tokens":4}]}}"#,
            "\n\ndata: {\"type\":\"message_stop\"}\n\n",
        ),
    ),
    (
        "/v1beta/models/gemini-3:streamGenerateContent",
        JSON,
        concat!(
            r#"[{"candidates":[{"content":{"parts":[{"text":"a"}]},"groundingMetadata":{"webSearchQueries":["q","q","r"]}}],"usageMetadata":{"promptTokenCount":5}},"#,
            r#"{"candidates":[{"finishReason":1}],"usageMetadata":{"promptTokenCount":5,"candidatesTokenCount":7,"thoughtsTokenCount":2,"totalTokenCount":14,"promptTokensDetails":[{"modality":4,"tokenCount":2}]},"modelVersion":"gemini-3"}]"#,
        ),
    ),
    (
        RESPONSES,
        EVENTS,
        concat!(
            r#"data: {"type":"response.created","response":{"id":"r","status":"in_progress"}}"#,
            "\n\n",
            r#"data: {"type":"response.output_item.done","output_index":0,"item":{"type":"web_search_call","id":"w","action":{"type":"search"}}}"#,
            "\n\n",
            r#"data: {"type":"response.completed","response":{"id":"r","status":"completed","model":"gpt-x","usage":{"input_tokens":12,"output_tokens":34,"total_tokens":46}}}"#,
            "\n\nerror: late\n\n",
        ),
    ),
    (
        "GET https://api.openai.com/v1/responses/r",
        JSON,
        r#"{"id":"r","background":true,"status":"completed","created_at":1,"completed_at":2,"model":"gpt-x","output":[{"type":"file_search_call"}],"usage":{"input_tokens":12,"output_tokens":34,"total_tokens":46}}"#,
    ),
];

#[test]
fn a_response_that_is_cut_off_is_read_the_same_in_chunks_of_any_size() {
    let request = r#"{"model":"g","stream":true,"n":2,"stream_options":{"include_usage":true}}"#;
    for (path, kind, answer) in MIXED {
        for cut in (0..=answer.len()).rev().step_by(5) {
            let call = Call {
                path,
                request,
                status: 200,
                headers: vec![("content-type", kind)],
                body: &answer.as_bytes()[..cut],
                ends: if cut % 2 == 0 {
                    Ends::Broken
                } else {
                    Ends::Whole
                },
            };
            // A response in one chunk has no time per token.
            let readings = |size| {
                call.readings(size)
                    .without("llm_time_per_output_token_seconds")
            };
            let whole = readings(usize::MAX);
            let calls = whole.label_values("llm_requests_total").len();
            assert!(calls == 1 || path.starts_with("GET"), "{path}, after {cut}");
            for size in [1, 64] {
                assert_eq!(readings(size), whole, "{path}, after {cut}, by {size}");
            }
        }
    }
}

/// The messages of an event stream. A caller knows each only once it is complete, with its
/// checksum.
#[test]
fn an_event_stream_that_ends_after_any_byte_has_the_right_outcome() {
    let converse = [
        event("messageStart", r#"{"role":"assistant"}"#),
        event(
            "contentBlockDelta",
            r#"{"contentBlockIndex":0,"delta":{"text":"hi"}}"#,
        ),
        event("messageStop", r#"{"stopReason":"end_turn"}"#),
        event(
            "metadata",
            r#"{"usage":{"inputTokens":123,"outputTokens":45}}"#,
        ),
    ];
    let invoke = [
        chunk(
            r#"{"type":"message_start","message":{"usage":{"input_tokens":123,"output_tokens":1}}}"#,
        ),
        chunk(r#"{"type":"content_block_delta","delta":{"text":"hi"}}"#),
        chunk(
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":45}}"#,
        ),
        chunk(
            r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":123,"outputTokenCount":45}}"#,
        ),
    ];
    let kind = "application/vnd.amazon.eventstream";
    for (path, frames) in [
        ("/model/m/converse-stream", converse),
        ("/model/m/invoke-with-response-stream", invoke),
    ] {
        let end = frames[..3].concat().len();
        check_cuts(path, STREAM, kind, &frames.concat(), end);
    }
}

/// Cuts a response after each of its bytes. From `end` on a caller knows that the text is
/// complete.
fn check_cuts(path: &str, request: &str, kind: &str, answer: &[u8], end: usize) {
    let mut before = (0, 0);
    for cut in 0..=answer.len() {
        let registry = Registry::new();
        let layer = LlmLayer::new().registry(&registry);
        for ends in ENDS {
            let call = Call {
                path,
                request,
                status: 200,
                headers: vec![("content-type", kind)],
                body: &answer[..cut],
                ends,
            };
            call.pass(&layer, 5);
        }
        let readings = readings(&registry);
        let text = String::from_utf8_lossy(&answer[..cut]);
        let context = format!("{path}, after {cut}: {text:?}");
        let (outcomes, errors) = if cut < end {
            (OUTCOMES, &ERRORS[..])
        } else {
            (["success"; 4], &[][..])
        };
        assert_eq!(
            readings.label_values("llm_requests_total"),
            outcomes,
            "{context}"
        );
        assert_eq!(
            readings.label_values("llm_requests_error"),
            errors,
            "{context}"
        );
        assert_eq!(
            readings.count("llm_requests_in_flight", ""),
            None,
            "{context}"
        );
        let tokens = |direction| readings.count("llm_tokens_total", direction).unwrap_or(0);
        let tokens = (tokens("input"), tokens("output"));
        // Nothing that was counted is removed or counted again, and a number that is cut in
        // two is ignored.
        assert!(tokens.0 >= before.0 && tokens.1 >= before.1, "{context}");
        assert!([0, 4 * 123].contains(&tokens.0), "{context}");
        assert!([0, 4 * 45].contains(&tokens.1), "{context}");
        before = tokens;
        // In a stream, usage may grow until the end.
        let is_whole = cut >= end || request != STREAM;
        let missing = match tokens {
            (1.., 1..) if is_whole => &[][..],
            _ if cut < end => &OUTCOMES,
            // The usage was not read because the response was cut off.
            _ => &["not_reported", "truncated", "truncated", "unread"],
        };
        assert_eq!(
            readings.label_values("llm_usage_missing_total"),
            missing,
            "{context}"
        );
    }
    assert_eq!(before, (4 * 123, 4 * 45), "{path}");
}
