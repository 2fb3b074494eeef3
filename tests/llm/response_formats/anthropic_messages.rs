//! Anthropic's Messages.

use crate::response_formats::{MESSAGES, check, events, stream, whole};

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
