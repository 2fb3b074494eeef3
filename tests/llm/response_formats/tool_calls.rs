//! Tool calls: how they are distinguished, and who runs them.

use crate::response_formats::{CHAT, MESSAGES, RESPONSES, Row, check, events, stream, whole};

fn chat(name: &'static str, parts: &[&str], learnt: &'static str) -> Row {
    let chunks: Vec<_> = parts
        .iter()
        .map(|parts| format!(r#"{{"choices":[{{"index":0,"delta":{{"tool_calls":[{parts}]}}}}]}}"#))
        .collect();
    let end = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
    let mut data: Vec<_> = chunks.iter().map(String::as_str).collect();
    data.extend([end, "[DONE]"]);
    stream(name, CHAT, events(&data), learnt)
}

#[test]
fn a_tool_call_is_known_by_its_id() {
    let a = r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{"}}"#;
    let b = r#"{"index":0,"id":"b","function":{"name":"g","arguments":"{"}}"#;
    let both = format!("{a},{b}");
    let two = "success 1 2 tool_calls x2 first";
    let one = "success 1 2 tool_calls x1 first";
    check([
        chat("one index for two [iss: Google's endpoint]", &[a, b], two),
        chat("in one chunk [iss: Google's endpoint]", &[&both], two),
        chat(
            "parts that repeat id and name [unverified]",
            &[a, a, r#"{"index":0,"id":"a","function":{"arguments":"}"}}"#],
            one,
        ),
        chat(
            "parts whose id and name are empty [unverified]",
            &[
                a,
                r#"{"index":0,"id":"","function":{"name":"","arguments":"}"}}"#,
            ],
            one,
        ),
        chat(
            "a part with a name and without an id [unverified]",
            &[
                a,
                r#"{"index":0,"id":"","function":{"name":"f","arguments":"}"}}"#,
            ],
            one,
        ),
        chat(
            "without an index [iss new-api#2701]",
            &[
                r#"{"id":"a","function":{"name":"f","arguments":"{"}}"#,
                r#"{"id":"a","function":{"name":"f","arguments":"}"}}"#,
                r#"{"id":"b","function":{"name":"f","arguments":"{}"}}"#,
            ],
            two,
        ),
        chat(
            "a part with an id of its own and an empty name [unverified]",
            &[
                a,
                r#"{"index":1,"id":"b","function":{"name":"","arguments":"}"}}"#,
            ],
            one,
        ),
        whole(
            "whole calls with the same id [unverified]",
            CHAT,
            r#"{"choices":[{"index":0,"finish_reason":"tool_calls","message":{"tool_calls":[{"id":"call","function":{"name":"f"}},{"id":"call","function":{"name":"g"}}]}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
            "success 1 2 tool_calls x2",
        ),
        stream(
            "blocks with one index [unverified]",
            MESSAGES,
            events(&[
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"f"}}"#,
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"b","name":"g"}}"#,
                r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"input_tokens":1,"output_tokens":2}}"#,
                r#"{"type":"message_stop"}"#,
            ]),
            two,
        ),
        stream(
            "items with one index, each of them twice [unverified]",
            RESPONSES,
            events(&[
                r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","call_id":"a"}}"#,
                r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"function_call","call_id":"b"}}"#,
                r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","call_id":"a"}}"#,
                r#"{"type":"response.output_item.done","output_index":0,"item":{"type":"function_call","call_id":"b"}}"#,
                r#"{"type":"response.completed","response":{"status":"completed","usage":{"input_tokens":1,"output_tokens":2}}}"#,
            ]),
            two,
        ),
    ]);
}

#[test]
fn a_tool_call_without_an_id_is_known_by_its_index() {
    let two = "success 1 2 tool_calls x2 first";
    check([
        chat(
            "without an id [unverified]",
            &[
                r#"{"index":0,"function":{"name":"f"}}"#,
                r#"{"index":1,"function":{"name":"f"}}"#,
                r#"{"index":1,"function":{"name":"f"}}"#,
            ],
            two,
        ),
        chat(
            "calls with one index in one chunk, without ids [unverified]",
            &[r#"{"index":0,"function":{"name":"f"}},{"index":0,"function":{"name":"g"}}"#],
            two,
        ),
        stream(
            "calls of two answers with one index [docs: OpenAI]",
            CHAT,
            events(&[
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"name":"f"}}]}}]}"#,
                r#"{"choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"function":{"name":"f"}}]}}]}"#,
                r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
                "[DONE]",
            ]),
            two,
        ),
        stream(
            "an item without an id or an index, which comes twice [unverified]",
            RESPONSES,
            events(&[
                r#"{"type":"response.output_item.added","item":{"type":"function_call"}}"#,
                r#"{"type":"response.output_item.done","item":{"type":"function_call"}}"#,
                r#"{"type":"response.completed","response":{"status":"completed","usage":{"input_tokens":1,"output_tokens":2}}}"#,
            ]),
            "success 1 2 tool_calls x1 first",
        ),
    ]);
}

#[test]
fn tools_run_by_the_provider_are_no_tool_calls() {
    check([
        whole(
            "a search of Nova's [rec: Bedrock]",
            "/model/m/converse",
            r#"{"output":{"message":{"content":[{"toolUse":{"name":"search","type":"server_tool_use"}},{"toolUse":{"name":"f"}}]}},"stopReason":"tool_use","usage":{"inputTokens":1,"outputTokens":2}}"#,
            "success 1 2 tool_calls x1",
        ),
        whole(
            "a tool of an MCP server's [unverified]",
            "/model/m/converse",
            r#"{"output":{"message":{"content":[{"toolUse":{"name":"search","type":"mcp_tool_use"}}]}},"stopReason":"end_turn","usage":{"inputTokens":1,"outputTokens":2}}"#,
            "success 1 2 stop",
        ),
        whole(
            "a search in a chat [unverified]",
            CHAT,
            r#"{"choices":[{"index":0,"finish_reason":"stop","message":{"tool_calls":[{"id":"a","type":"web_search_call","function":{"name":"web_search"}}],"content":"hi"}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
            "success 1 2 stop",
        ),
        whole(
            "a custom tool is the caller's [docs]",
            CHAT,
            r#"{"choices":[{"index":0,"finish_reason":"tool_calls","message":{"tool_calls":[{"id":"a","type":"function","function":{"name":"f"}}]}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
            "success 1 2 tool_calls x1",
        ),
        whole(
            "a search of Anthropic's [docs]",
            MESSAGES,
            r#"{"type":"message","stop_reason":"end_turn","content":[{"type":"server_tool_use","id":"a","name":"web_search"}],"usage":{"input_tokens":1,"output_tokens":2,"server_tool_use":{"web_search_requests":1}}}"#,
            "success 1 2 stop web_searches=1",
        ),
    ]);
}

#[test]
fn a_response_cut_off_inside_a_tool_call_has_no_tool_call_finish_reason() {
    check([whole(
        "Gemini's [unverified]",
        "/v1beta/models/g:generateContent",
        r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f"}}]},"finishReason":"MAX_TOKENS"}],"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2,"totalTokenCount":3}}"#,
        "success 1 2 length x1",
    )]);
}

#[test]
fn the_number_of_distinct_tool_calls_is_limited() {
    let parts: Vec<_> = (0..300)
        .map(|number| format!(r#"{{"index":{number},"id":"{number}","function":{{"name":"f"}}}}"#))
        .collect();
    let parts: Vec<_> = parts.iter().map(String::as_str).collect();
    let calls = vec![r#"{"function":{"name":"f"}}"#; 300].join(",");
    check([
        chat(
            "in an event each",
            &parts,
            "success 1 2 tool_calls x256 first",
        ),
        whole(
            "in one answer, without ids",
            CHAT,
            format!(
                r#"{{"choices":[{{"index":0,"finish_reason":"tool_calls","message":{{"tool_calls":[{calls}]}}}}],"usage":{{"prompt_tokens":1,"completion_tokens":2}}}}"#
            ),
            "success 1 2 tool_calls x256",
        ),
    ]);
}
