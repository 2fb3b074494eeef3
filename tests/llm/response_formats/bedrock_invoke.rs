//! Bedrock's `InvokeModel`: the responses of each vendor, with token counts in headers or in
//! the last frame.

use crate::response_formats::aws_event_stream::{chunk, event, exception};
use crate::response_formats::bedrock::framed;
use crate::response_formats::{Row, check, whole};

const TOKENS: &[(&str, &str)] = &[
    ("x-amzn-bedrock-input-token-count", "7"),
    ("x-amzn-bedrock-output-token-count", "9"),
];
const CACHED: &[(&str, &str)] = &[
    ("x-amzn-bedrock-input-token-count", "12"),
    ("x-amzn-bedrock-output-token-count", "57"),
    ("x-amzn-bedrock-cache-read-input-token-count", "900"),
    ("x-amzn-bedrock-cache-write-input-token-count", "88"),
];

macro_rules! model {
    ($model:literal) => {
        concat!("/model/", $model, "/invoke")
    };
    ($model:literal stream) => {
        concat!("/model/", $model, "/invoke-with-response-stream")
    };
}

/// A whole answer, with headers.
fn headed(
    name: &'static str,
    path: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &str,
    learnt: &'static str,
) -> Row {
    Row {
        request: r#"{"prompt":"hi"}"#,
        headers,
        ..whole(name, path, body, learnt)
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn whole_answers_are_understood() {
    const CLAUDE: &str = model!("anthropic.claude-x-v1%3A0");
    const TITAN: &str = model!("amazon.titan-text-x-v1");
    const LLAMA: &str = model!("meta.llama-x-v1%3A0");
    const MISTRAL: &str = model!("mistral.m-x-v0%3A2");
    const COHERE: &str = model!("cohere.command-r-v1%3A0");
    const NOVA: &str = model!("amazon.nova-x-v1%3A0");
    check([
        headed(
            "Anthropic's, in its head and in its body, which are the same [docs]",
            CLAUDE,
            CACHED,
            r#"{"type":"message","model":"c","content":[{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":12,"cache_read_input_tokens":900,"cache_creation_input_tokens":88,"output_tokens":57}}"#,
            "success 1000 57 cache_read=900 cache_write=88 stop",
        ),
        headed(
            "Anthropic's, in its body alone [docs]",
            CLAUDE,
            &[],
            r#"{"type":"message","content":[{"type":"tool_use","name":"f","input":{}}],"stop_reason":"tool_use","usage":{"input_tokens":12,"output_tokens":57}}"#,
            "success 12 57 tool_calls x1",
        ),
        headed(
            "Anthropic's, in its head alone: caches are beside the input [src]",
            CLAUDE,
            CACHED,
            r#"{"type":"message","content":[],"stop_reason":"max_tokens"}"#,
            "success 1000 57 cache_read=900 cache_write=88 length",
        ),
        headed(
            "Anthropic's, which a guardrail replaced [unverified]",
            CLAUDE,
            &[],
            r#"{"type":"message","content":[],"stop_reason":"end_turn","usage":{"input_tokens":12,"output_tokens":57},"amazon-bedrock-guardrailAction":"INTERVENED"}"#,
            "success 12 57 content_filter",
        ),
        headed(
            "Titan's [docs]",
            TITAN,
            &[],
            r#"{"inputTextTokenCount":7,"results":[{"tokenCount":9,"outputText":"hi","completionReason":"FINISHED"}]}"#,
            "success 7 9 stop",
        ),
        headed(
            "Titan's, in both, and cut at its length [docs]",
            TITAN,
            TOKENS,
            r#"{"inputTextTokenCount":7,"results":[{"tokenCount":9,"outputText":"hi","completionReason":"LENGTH"}]}"#,
            "success 7 9 length",
        ),
        headed(
            "Titan's, which met what was to end it [docs]",
            TITAN,
            &[],
            r#"{"inputTextTokenCount":7,"results":[{"tokenCount":9,"outputText":"hi","completionReason":"STOP_CRITERIA_MET"}]}"#,
            "success 7 9 stop",
        ),
        headed(
            "Titan's, filtered [docs]",
            TITAN,
            &[],
            r#"{"inputTextTokenCount":7,"results":[{"tokenCount":9,"outputText":"hi","completionReason":"CONTENT_FILTERED"}]}"#,
            "success 7 9 content_filter",
        ),
        headed(
            "Titan's embeddings [docs]",
            model!("amazon.titan-embed-text-v2%3A0"),
            &[],
            r#"{"embedding":[0.1,-2e-3],"inputTextTokenCount":8}"#,
            "success 8 .",
        ),
        headed(
            "Llama's [docs]",
            LLAMA,
            &[],
            r#"{"generation":"hi","prompt_token_count":7,"generation_token_count":9,"stop_reason":"stop"}"#,
            "success 7 9 stop",
        ),
        headed(
            "Llama's, in both, and cut at its length [docs]",
            LLAMA,
            TOKENS,
            r#"{"generation":"hi","prompt_token_count":7,"generation_token_count":9,"stop_reason":"length"}"#,
            "success 7 9 length",
        ),
        headed(
            "Mistral's, whose body says nothing of tokens [docs]",
            MISTRAL,
            TOKENS,
            r#"{"outputs":[{"text":"hi","stop_reason":"stop"}]}"#,
            "success 7 9 stop",
        ),
        headed(
            "Mistral's, without a head [unverified]",
            MISTRAL,
            &[],
            r#"{"outputs":[{"text":"hi","stop_reason":"length"}]}"#,
            "success . . length -not_reported",
        ),
        headed(
            "Cohere's [docs]",
            COHERE,
            TOKENS,
            r#"{"response_id":"r","text":"hi","generation_id":"g","chat_history":[{"role":"CHATBOT","message":"hi"}],"finish_reason":"COMPLETE","tool_calls":[]}"#,
            "success 7 9 stop",
        ),
        headed(
            "Cohere's, cut at its length, without a head [src]",
            COHERE,
            &[],
            r#"{"text":"hi","finish_reason":"MAX_TOKENS"}"#,
            "success . . length -not_reported",
        ),
        headed(
            "Nova's [docs]",
            NOVA,
            TOKENS,
            r#"{"output":{"message":{"content":[{"text":"hi"}],"role":"assistant"}},"stopReason":"end_turn","usage":{"inputTokens":7,"outputTokens":9,"totalTokens":16,"cacheReadInputTokenCount":0,"cacheWriteInputTokenCount":0}}"#,
            "success 7 9 stop",
        ),
        headed(
            "Nova's caches, under names of their own [src]",
            NOVA,
            &[],
            r#"{"output":{"message":{"content":[{"toolUse":{"name":"f","input":{}}}]}},"stopReason":"tool_use","usage":{"inputTokens":7,"outputTokens":9,"cacheReadInputTokenCount":3,"cacheWriteInputTokenCount":2}}"#,
            "success 12 9 cache_read=3 cache_write=2 tool_calls x1",
        ),
        headed(
            "a head with a number that is none [unverified]",
            MISTRAL,
            &[
                ("x-amzn-bedrock-input-token-count", "-7"),
                ("x-amzn-bedrock-output-token-count", "9"),
            ],
            r#"{"outputs":[{"text":"hi","stop_reason":"stop"}]}"#,
            "success . 9 stop -invalid",
        ),
    ]);
}

fn chunks(name: &'static str, path: &'static str, json: &[&str], learnt: &'static str) -> Row {
    let frames: Vec<_> = json.iter().map(|json| chunk(json)).collect();
    framed(name, path, &frames, learnt)
}

const START: &str = r#"{"type":"message_start","message":{"model":"c","usage":{"input_tokens":12,"cache_read_input_tokens":900,"cache_creation_input_tokens":88,"output_tokens":1}}}"#;
const TEXT: &str =
    r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}"#;
const CLAUDE: &str = model!("anthropic.claude-x-v1%3A0" stream);

#[test]
fn streams_are_understood() {
    const LLAMA: &str = model!("meta.llama-x-v1%3A0" stream);
    check([
        chunks(
            "Anthropic's, with the tokens again at its end [src]",
            CLAUDE,
            &[
                START,
                TEXT,
                r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":57}}"#,
                r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":12,"outputTokenCount":57,"cacheReadInputTokenCount":900,"cacheWriteInputTokenCount":88}}"#,
            ],
            "success 1000 57 cache_read=900 cache_write=88 stop first",
        ),
        chunks(
            "Anthropic's, with a call of a tool [docs]",
            CLAUDE,
            &[
                r#"{"type":"message_start","message":{"usage":{"input_tokens":12,"output_tokens":1}}}"#,
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"f","input":{}}}"#,
                r#"{"type":"message_delta","delta":{"stop_reason":"tool_use"},"usage":{"output_tokens":57}}"#,
                r#"{"type":"message_stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":12,"outputTokenCount":57}}"#,
            ],
            "success 12 57 tool_calls x1 first",
        ),
        chunks(
            "Anthropic's, cut [docs]",
            CLAUDE,
            &[START, TEXT],
            "truncated(truncated) 1000 . cache_read=900 cache_write=88 first -truncated",
        ),
        chunks(
            "Mistral's, cut after its reason, which comes with the last text [unverified]",
            model!("mistral.m-x-v0%3A2" stream),
            &[r#"{"outputs":[{"text":"hi","stop_reason":"stop"}]}"#],
            "success . . stop first -not_reported",
        ),
        chunks(
            "Titan's [docs]",
            model!("amazon.titan-text-x-v1" stream),
            &[
                r#"{"outputText":"hi","index":0,"totalOutputTextTokenCount":null,"completionReason":null,"inputTextTokenCount":7}"#,
                r#"{"outputText":"!","index":0,"totalOutputTextTokenCount":9,"completionReason":"FINISH","inputTextTokenCount":7,"amazon-bedrock-invocationMetrics":{"inputTokenCount":7,"outputTokenCount":9}}"#,
            ],
            "success 7 9 stop first",
        ),
        chunks(
            "Llama's [src]",
            LLAMA,
            &[
                r#"{"generation":"","prompt_token_count":7,"generation_token_count":1,"stop_reason":null}"#,
                r#"{"generation":"hi","prompt_token_count":null,"generation_token_count":2,"stop_reason":null}"#,
                r#"{"generation":"","prompt_token_count":null,"generation_token_count":9,"stop_reason":"stop","amazon-bedrock-invocationMetrics":{"inputTokenCount":7,"outputTokenCount":9}}"#,
            ],
            "success 7 9 stop first",
        ),
        chunks(
            "Llama's, cut: what was generated until then is known [unverified]",
            LLAMA,
            &[
                r#"{"generation":"hi","prompt_token_count":7,"generation_token_count":1,"stop_reason":null}"#,
            ],
            "truncated(truncated) 7 1 first -truncated",
        ),
        chunks(
            "Mistral's [src]",
            model!("mistral.m-x-v0%3A2" stream),
            &[
                r#"{"outputs":[{"text":"hi","stop_reason":null}]}"#,
                r#"{"outputs":[{"text":"","stop_reason":"length"}],"amazon-bedrock-invocationMetrics":{"inputTokenCount":7,"outputTokenCount":9}}"#,
            ],
            "success 7 9 length first",
        ),
        chunks(
            "Cohere's [src]",
            model!("cohere.command-r-v1%3A0" stream),
            &[
                r#"{"is_finished":false,"event_type":"stream-start","generation_id":"g"}"#,
                r#"{"is_finished":false,"event_type":"text-generation","text":"hi"}"#,
                r#"{"is_finished":true,"event_type":"stream-end","finish_reason":"COMPLETE","response":{"text":"hi","finish_reason":"COMPLETE"},"amazon-bedrock-invocationMetrics":{"inputTokenCount":7,"outputTokenCount":9}}"#,
            ],
            "success 7 9 stop first",
        ),
        chunks(
            "Nova's [docs]",
            model!("amazon.nova-x-v1%3A0" stream),
            &[
                r#"{"messageStart":{"role":"assistant"}}"#,
                r#"{"contentBlockDelta":{"delta":{"text":"hi"},"contentBlockIndex":0}}"#,
                r#"{"contentBlockStop":{"contentBlockIndex":0}}"#,
                r#"{"messageStop":{"stopReason":"end_turn"}}"#,
                r#"{"metadata":{"usage":{"inputTokens":7,"outputTokens":9},"metrics":{},"trace":{}},"amazon-bedrock-invocationMetrics":{"inputTokenCount":7,"outputTokenCount":9}}"#,
            ],
            "success 7 9 stop first",
        ),
    ]);
}

#[test]
fn exceptions_end_a_stream() {
    let throttled = exception("throttlingException", r#"{"message":"secret"}"#);
    let broken = exception(
        "modelStreamErrorException",
        r#"{"message":"secret","originalMessage":"secret","originalStatusCode":500}"#,
    );
    check([
        framed(
            "before anything else [docs]",
            CLAUDE,
            &[throttled],
            "error(rate_limited) . . -error",
        ),
        framed(
            "in the midst [docs]",
            CLAUDE,
            &[chunk(START), chunk(TEXT), broken],
            "error(server_error) 1000 . cache_read=900 cache_write=88 first -error",
        ),
        chunks(
            "an error of the vendor's own, within a frame [unverified]",
            CLAUDE,
            &[
                START,
                r#"{"type":"error","error":{"type":"overloaded_error","message":"secret"}}"#,
            ],
            "error(overloaded) 1000 . cache_read=900 cache_write=88 -error",
        ),
        framed(
            "a frame whose bytes are none [unverified]",
            CLAUDE,
            &[chunk(START), event("chunk", r#"{"bytes":"!!!!"}"#)],
            "truncated(truncated) 1000 . cache_read=900 cache_write=88 -truncated",
        ),
    ]);
}
