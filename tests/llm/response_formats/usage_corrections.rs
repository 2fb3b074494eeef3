//! Usage that is reported more than once, and counts that contradict each other.

use crate::response_formats::{
    CHAT, EVENTS, GEMINI, MESSAGES, RESPONSES, Row, check, events, stream, whole,
};
use crate::support::{Call, Ends, SIZES};

fn anthropic(name: &'static str, start: &str, delta: &str, learnt: &'static str) -> Row {
    let start = format!(r#"{{"type":"message_start","message":{{"model":"c","usage":{start}}}}}"#);
    let delta = format!(
        r#"{{"type":"message_delta","delta":{{"stop_reason":"end_turn"}},"usage":{delta}}}"#
    );
    let end = r#"{"type":"message_stop"}"#;
    stream(name, MESSAGES, events(&[&start, &delta, end]), learnt)
}

#[test]
fn a_placeholder_of_zero_discards_nothing() {
    check([
        anthropic(
            "zeros at the end [iss ai-gateway#1631]",
            r#"{"input_tokens":1200,"cache_read_input_tokens":300}"#,
            r#"{"input_tokens":0,"cache_read_input_tokens":0,"output_tokens":57}"#,
            "success 1500 57 cache_read=300 stop",
        ),
        anthropic(
            "zeros at the start [iss sglang#20678]",
            r#"{"input_tokens":0,"output_tokens":0}"#,
            r#"{"input_tokens":1200,"output_tokens":57}"#,
            "success 1200 57 stop",
        ),
        anthropic(
            "the cache is known only at the end [iss bifrost#5354]",
            r#"{"input_tokens":10000,"cache_read_input_tokens":0}"#,
            r#"{"input_tokens":100,"cache_read_input_tokens":9900,"output_tokens":5}"#,
            "success 10000 5 cache_read=9900 stop",
        ),
        anthropic(
            "and it held all of the prompt [iss bifrost#5354]",
            r#"{"input_tokens":10000,"cache_read_input_tokens":0}"#,
            r#"{"input_tokens":0,"cache_read_input_tokens":10000,"output_tokens":5}"#,
            "success 10000 5 cache_read=10000 stop",
        ),
        anthropic(
            "a correction downwards [unverified]",
            r#"{"input_tokens":1200,"cache_read_input_tokens":300}"#,
            r#"{"input_tokens":900,"cache_read_input_tokens":0,"output_tokens":5}"#,
            "success 900 5 stop",
        ),
        stream(
            "usage in each chunk, and zeros in the last [unverified]",
            CHAT,
            events(&[
                r#"{"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":100,"completion_tokens":2,"total_tokens":102}}"#,
                r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":0,"completion_tokens":0,"total_tokens":0}}"#,
                "[DONE]",
            ]),
            "success 100 2 stop first",
        ),
        stream(
            "a cost and searches, and zeros in the last [unverified]",
            CHAT,
            events(&[
                r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":100,"completion_tokens":2,"cost":0.5,"server_tool_use":{"web_search_requests":2}}}"#,
                r#"{"choices":[],"usage":{"prompt_tokens":100,"completion_tokens":2,"cost":0,"server_tool_use":{"web_search_requests":0}}}"#,
                "[DONE]",
            ]),
            "success 100 2 stop web_searches=2 $reported=500000000",
        ),
        whole(
            "two names for one count, one of which is 0 [src: gateways to Anthropic]",
            CHAT,
            r#"{"choices":[{"index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":5,"total_tokens":1005,"cache_read_input_tokens":900,"prompt_tokens_details":{"cached_tokens":0}}}"#,
            "success 1000 5 cache_read=900 stop",
        ),
    ]);
}

#[test]
fn a_later_complete_usage_replaces_an_earlier_one() {
    check([
        stream(
            "a count of 0 is left out [rec: Gemini]",
            GEMINI,
            events(&[
                r#"{"candidates":[{"content":{"parts":[{"text":"a"}]}}],"usageMetadata":{"promptTokenCount":9,"toolUsePromptTokenCount":4,"candidatesTokenCount":21,"thoughtsTokenCount":35,"totalTokenCount":69}}"#,
                r#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":87,"thoughtsTokenCount":78,"totalTokenCount":165}}"#,
            ]),
            "success 87 78 reasoning=78 stop first",
        ),
        stream(
            "a correction downwards, and details that are gone [unverified]",
            CHAT,
            events(&[
                r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":100,"completion_tokens":9,"total_tokens":109,"prompt_tokens_details":{"cached_tokens":64}}}"#,
                r#"{"choices":[],"usage":{"prompt_tokens":90,"completion_tokens":8,"total_tokens":98}}"#,
                "[DONE]",
            ]),
            "success 90 8 stop first",
        ),
        stream(
            "the input in one event, and the output in another [unverified]",
            CHAT,
            events(&[
                r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}],"usage":{"prompt_tokens":100}}"#,
                r#"{"choices":[],"usage":{"completion_tokens":8}}"#,
                "[DONE]",
            ]),
            "success 100 8 stop first",
        ),
    ]);
}

#[test]
fn an_output_of_zero_that_follows_from_the_total_is_not_missing() {
    check([
        whole(
            "completions [rec: OpenAI]",
            "/v1/completions",
            r#"{"choices":[{"text":"","index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"total_tokens":11}}"#,
            "success 11 . stop",
        ),
        whole(
            "responses [unverified]",
            RESPONSES,
            r#"{"status":"completed","output":[],"usage":{"input_tokens":11,"total_tokens":11}}"#,
            "success 11 . stop",
        ),
        Row {
            request: r#"{"model":"gemini-x","max_tokens":12}"#,
            ..whole(
                "a total that has as many as the request allows [unverified]",
                CHAT,
                r#"{"choices":[{"index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":5,"total_tokens":23}}"#,
                "success 11 12 stop",
            )
        },
        whole(
            "a prompt that was not blocked, as a number says [unverified]",
            "/v1beta/models/g:generateContent",
            r#"{"promptFeedback":{"blockReason":0},"candidates":[{"finishReason":1}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":15}}"#,
            "success 10 5 stop",
        ),
        whole(
            "a total without the results of tools [unverified]",
            "/v1beta/models/g:generateContent",
            r#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"toolUsePromptTokenCount":4,"candidatesTokenCount":5,"totalTokenCount":15}}"#,
            "success 14 5 stop",
        ),
        whole(
            "a total that is a placeholder [unverified]",
            CHAT,
            r#"{"choices":[{"index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":5,"total_tokens":0}}"#,
            "success 11 5 stop",
        ),
        whole(
            "a total with the tokens of audio beside both [unverified]",
            CHAT,
            r#"{"choices":[{"index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":5,"total_tokens":23,"prompt_tokens_details":{"audio_tokens":7}}}"#,
            "success 18 5 audio_input=7 stop",
        ),
        whole(
            "a total that has more [unverified]",
            CHAT,
            r#"{"choices":[{"index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"total_tokens":12}}"#,
            "success 11 . stop -not_reported",
        ),
    ]);
}

/// A truncated usage object is incomplete, and discards nothing.
#[test]
fn an_incomplete_usage_discards_nothing() {
    let first = r#"{"candidates":[{"content":{"parts":[{"text":"a"}]}}],"usageMetadata":{"promptTokenCount":9,"cachedContentTokenCount":8,"candidatesTokenCount":21,"thoughtsTokenCount":35,"totalTokenCount":65}}"#;
    let last = r#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":9,"cachedContentTokenCount":8,"candidatesTokenCount":22,"thoughtsTokenCount":35,"totalTokenCount":66}}"#;
    let first = events(&[first]);
    let whole = format!("{first}{}", events(&[last]));
    for cut in first.len()..whole.len() {
        let call = Call {
            path: GEMINI,
            request: "{}",
            status: 200,
            headers: vec![("content-type", EVENTS)],
            body: &whole.as_bytes()[..cut],
            ends: Ends::Broken,
        };
        let readings = call.readings(usize::MAX);
        let count = |metric, by| readings.count(metric, by).unwrap_or(0);
        let text = &whole[first.len()..cut];
        assert_eq!(count("llm_tokens_total", "input"), 9, "{text}");
        assert!(count("llm_tokens_total", "output") >= 56, "{text}");
        assert_eq!(count("llm_token_details_total", "cache_read"), 8, "{text}");
        assert_eq!(count("llm_token_details_total", "reasoning"), 35, "{text}");
    }
}

/// Rows of answers whose reasoning is inside the output, or beside it.
#[test]
fn a_rule_of_one_vendor_applies_to_no_other() {
    const VERCEL: &str = "https://ai-gateway.vercel.sh/v1/chat/completions";
    let usage = |model: &str, output: u64, reasoning: u64| {
        let total = 100 + output;
        format!(
            r#"{{"model":"{model}","choices":[{{"index":0,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":100,"completion_tokens":{output},"total_tokens":{total},"completion_tokens_details":{{"reasoning_tokens":{reasoning}}}}}}}"#
        )
    };
    let limited = |row: Row| Row {
        request: r#"{"model":"m","max_tokens":350}"#,
        ..row
    };
    check([
        whole(
            "Gemini behind Vercel [rec: its cost]",
            VERCEL,
            usage("google/gemini-x", 300, 100),
            "success 100 400 reasoning=100 stop",
        ),
        limited(whole(
            "and never above what the request allows [unverified]",
            VERCEL,
            usage("google/gemini-x", 300, 100),
            "success 100 300 reasoning=100 stop -inconsistent",
        )),
        whole(
            "another model behind Vercel [unverified]",
            VERCEL,
            usage("openai/gpt-x", 300, 100),
            "success 100 300 reasoning=100 stop",
        ),
        whole(
            "Gemini elsewhere [unverified]",
            CHAT,
            usage("gemini-x", 300, 100),
            "success 100 300 reasoning=100 stop",
        ),
        whole(
            "reasoning that another tokenizer counted [rec: Doubleword]",
            CHAT,
            usage("qwen-x", 2_298, 2_948),
            "success 100 2298 reasoning=2298 stop -inconsistent",
        ),
    ]);
}

#[test]
fn counts_that_contradict_each_other_are_inconsistent() {
    let chat = |name, usage: &str, learnt| {
        let body =
            format!(r#"{{"choices":[{{"index":0,"finish_reason":"stop"}}],"usage":{usage}}}"#);
        whole(name, CHAT, body, learnt)
    };
    check([
        chat(
            "more cached than there was [rec: Grok at Azure]",
            r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15,"prompt_tokens_details":{"cached_tokens":161}}"#,
            "success 10 5 cache_read=10 stop -inconsistent",
        ),
        chat(
            "a total of less [unverified]",
            r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":12}"#,
            "success 10 5 stop -inconsistent",
        ),
        chat(
            "a total of more [unverified]",
            r#"{"prompt_tokens":10,"completion_tokens":5,"total_tokens":19}"#,
            "success 10 5 stop -inconsistent",
        ),
        whole(
            "responses [unverified]",
            RESPONSES,
            r#"{"status":"completed","output":[],"usage":{"input_tokens":10,"output_tokens":5,"total_tokens":19}}"#,
            "success 10 5 stop -inconsistent",
        ),
        whole(
            "Gemini [unverified]",
            "/v1beta/models/g:generateContent",
            r#"{"candidates":[{"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":10,"candidatesTokenCount":5,"totalTokenCount":19}}"#,
            "success 10 5 stop -inconsistent",
        ),
        whole(
            "more reasoning than output [unverified]",
            MESSAGES,
            r#"{"type":"message","stop_reason":"end_turn","usage":{"input_tokens":10,"output_tokens":5,"output_tokens_details":{"thinking_tokens":6}}}"#,
            "success 10 5 reasoning=5 stop -inconsistent",
        ),
    ]);
}

#[test]
fn an_empty_model_name_does_not_replace_a_name() {
    let body = events(&[
        r#"{"model":"gpt-x","choices":[{"index":0,"delta":{"content":"a"}}]}"#,
        r#"{"model":"","choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
        "[DONE]",
    ]);
    let call = Call {
        path: CHAT,
        request: "not JSON",
        status: 200,
        headers: vec![("content-type", EVENTS)],
        body: body.as_bytes(),
        ends: Ends::Whole,
    };
    for size in SIZES {
        assert_eq!(call.readings(size).model, "gpt-x", "{size}");
    }
}
