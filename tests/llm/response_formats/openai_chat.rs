//! `OpenAI`'s Chat Completions, and how compatible APIs differ.

use crate::response_formats::{CHAT, Row, check, events, stream, whole};

const USAGE: &str = r#"{"choices":[],"usage":{"prompt_tokens":21,"completion_tokens":4,"total_tokens":25,"prompt_tokens_details":{"cached_tokens":16,"audio_tokens":2},"completion_tokens_details":{"reasoning_tokens":3,"audio_tokens":1}}}"#;
const WORD: &str =
    r#"{"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}],"usage":null}"#;
const ROLE: &str =
    r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#;
const STOP: &str = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#;
const SHORT: &str = r#"{"choices":[],"usage":{"prompt_tokens":21,"completion_tokens":4}}"#;
const DONE: &str = "[DONE]";

const ALL: &str = "success 21 4 cache_read=16 reasoning=3 audio_input=2 audio_output=1 stop first";

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn chat_is_understood_in_all_its_dialects() {
    check([
        stream(
            "a stream, whole [docs]",
            CHAT,
            events(&[ROLE, WORD, STOP, USAGE, DONE]),
            ALL,
        ),
        stream(
            "a role alone is no token [docs]",
            CHAT,
            events(&[ROLE, STOP, SHORT, DONE]),
            "success 21 4 stop",
        ),
        stream(
            "Azure's filter comes first and is no token [docs]",
            CHAT,
            events(&[
                r#"{"choices":[],"prompt_filter_results":[{"content_filter_results":{}}]}"#,
                STOP,
                SHORT,
                DONE,
            ]),
            "success 21 4 stop",
        ),
        stream(
            "usage beside an empty delta, by some gateways [idx]",
            CHAT,
            events(&[
                WORD,
                STOP,
                r#"{"choices":[{"index":0,"delta":{}}],"usage":{"prompt_tokens":21,"completion_tokens":4}}"#,
                DONE,
            ]),
            "success 21 4 stop first",
        ),
        stream(
            "Groq's usage [src]",
            CHAT,
            events(&[
                WORD,
                r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"r","usage":{"queue_time":0.01,"prompt_tokens":9,"completion_tokens":3}}}"#,
                DONE,
            ]),
            "success 9 3 stop first ~queue",
        ),
        stream(
            "vLLM's usage in every chunk, of which the last counts [idx]",
            CHAT,
            events(&[
                r#"{"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"prompt_tokens":9,"completion_tokens":1}}"#,
                r#"{"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":2}}"#,
                r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2}}"#,
                DONE,
            ]),
            "success 9 2 stop first",
        ),
        stream(
            "no usage, and no mark of the end [unverified]",
            CHAT,
            events(&[WORD, STOP]),
            "success . . stop first -not_reported",
        ),
        stream(
            "three answers, which end one after the other [docs]",
            CHAT,
            events(&[
                r#"{"choices":[{"index":0,"delta":{"content":"a"}}]}"#,
                r#"{"choices":[{"index":1,"delta":{"content":"b"}}]}"#,
                r#"{"choices":[{"delta":{"content":"c"},"index":2,"finish_reason":"length"}]}"#,
                r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
                r#"{"choices":[{"index":1,"delta":{},"finish_reason":"content_filter"}]}"#,
                r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#,
                SHORT,
                DONE,
            ]),
            "success 21 4 content_filter length stop first",
        ),
        stream(
            "one of two has ended, and the stream has, too: it broke off [docs]",
            CHAT,
            events(&[
                WORD,
                r#"{"choices":[{"index":1,"delta":{},"finish_reason":"stop"}]}"#,
            ]),
            "truncated(truncated) . . stop first -truncated",
        ),
        stream(
            "thoughts are tokens: DeepSeek's [docs]",
            CHAT,
            events(&[
                r#"{"choices":[{"index":0,"delta":{"content":null,"reasoning_content":"hm"}}]}"#,
                STOP,
                SHORT,
                DONE,
            ]),
            "success 21 4 stop first",
        ),
        stream(
            "thoughts are tokens: OpenRouter's [docs]",
            CHAT,
            events(&[
                r#"{"choices":[{"index":0,"delta":{"content":"","reasoning":"hm"}}]}"#,
                STOP,
                SHORT,
                DONE,
            ]),
            "success 21 4 stop first",
        ),
        stream(
            "thoughts are tokens: Mistral's, in parts [src]",
            CHAT,
            events(&[
                r#"{"choices":[{"index":0,"delta":{"content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}]}}]}"#,
                STOP,
                SHORT,
                DONE,
            ]),
            "success 21 4 stop first",
        ),
        whole(
            "DeepSeek's cache, and its filler before the answer [docs]",
            CHAT,
            "\n\n\n {\"choices\":[{\"index\":0,\"message\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":30,\"prompt_cache_hit_tokens\":20,\"prompt_cache_miss_tokens\":10,\"completion_tokens\":2}}",
            "success 30 2 cache_read=20 stop",
        ),
        whole(
            "thoughts beside the output, which the total shows: xAI's [src]",
            CHAT,
            r#"{"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":22,"completion_tokens_details":{"reasoning_tokens":7}}}"#,
            "success 10 12 reasoning=7 stop",
        ),
        whole(
            "Mistral's cache [src]",
            CHAT,
            r#"{"choices":[{"finish_reason":"model_length"}],"usage":{"prompt_tokens":10,"completion_tokens":5,"num_cached_tokens":4}}"#,
            "success 10 5 cache_read=4 length",
        ),
        whole(
            "Moonshot's cache [idx]",
            CHAT,
            r#"{"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":5,"cached_tokens":4}}"#,
            "success 10 5 cache_read=4 stop",
        ),
        whole(
            "a cache that was read and written to [docs]",
            CHAT,
            r#"{"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":3}}}"#,
            "success 10 5 cache_read=4 cache_write=3 stop",
        ),
        stream(
            "a refusal is a token [docs]",
            CHAT,
            events(&[
                r#"{"choices":[{"index":0,"delta":{"refusal":"no"}}]}"#,
                STOP,
                SHORT,
                DONE,
            ]),
            "success 21 4 stop first",
        ),
        stream(
            "sound is a token [docs]",
            CHAT,
            events(&[
                r#"{"choices":[{"index":0,"delta":{"audio":{"id":"a","data":"AAAA"}}}]}"#,
                STOP,
                SHORT,
                DONE,
            ]),
            "success 21 4 stop first",
        ),
        whole(
            "a cache greater than the input is all of it [unverified]",
            CHAT,
            r#"{"choices":[{"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":5,"prompt_tokens_details":{"cached_tokens":99}}}"#,
            "success 10 5 cache_read=10 stop -inconsistent",
        ),
        whole(
            "embeddings have no output [docs]",
            "/v1/embeddings",
            r#"{"object":"list","data":[{"embedding":[0.1,-2e-3],"index":0}],"model":"e","usage":{"prompt_tokens":8,"total_tokens":8}}"#,
            "success 8 .",
        ),
        whole(
            "completions have texts [docs]",
            "/v1/completions",
            r#"{"choices":[{"text":"a","index":0,"finish_reason":"length"},{"text":"b","index":1,"finish_reason":"stop"}],"usage":{"prompt_tokens":2,"completion_tokens":9}}"#,
            "success 2 9 length stop",
        ),
    ]);
}

#[test]
fn each_tool_call_is_counted_once() {
    check([
        stream(
            "two calls in parts, at once [docs]",
            CHAT,
            events(&[
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"f","arguments":""}}]}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{\"usage\":{\"prompt_tokens\":1}}"}}]}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"g","arguments":"{}"}}]}}]}"#,
                r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#,
                SHORT,
                DONE,
            ]),
            "success 21 4 tool_calls x2 first",
        ),
        stream(
            "the name again in every part [unverified]",
            CHAT,
            events(&[
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"name":"f","arguments":"{"}}]}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"function":{"name":"f","arguments":"}"},"index":0}]},"finish_reason":"tool_calls"}]}"#,
                SHORT,
                DONE,
            ]),
            "success 21 4 tool_calls x1 first",
        ),
        stream(
            "the same number in two answers, told after their calls [docs]",
            CHAT,
            events(&[
                r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"name":"f"}}]},"finish_reason":"tool_calls","index":0},{"delta":{"tool_calls":[{"index":0,"function":{"name":"f"}}]},"finish_reason":"tool_calls","index":1}]}"#,
                SHORT,
                DONE,
            ]),
            "success 21 4 tool_calls tool_calls x2 first",
        ),
        stream(
            "a function, as it was before tools [docs]",
            CHAT,
            events(&[
                r#"{"choices":[{"index":0,"delta":{"function_call":{"name":"f","arguments":""}}}]}"#,
                r#"{"choices":[{"index":0,"delta":{"function_call":{"arguments":"{}"}}}]}"#,
                r#"{"choices":[{"index":0,"delta":{},"finish_reason":"function_call"}]}"#,
                SHORT,
                DONE,
            ]),
            "success 21 4 tool_calls x1 first",
        ),
        whole(
            "whole calls without numbers [docs]",
            CHAT,
            r#"{"choices":[{"index":0,"message":{"content":null,"tool_calls":[{"id":"a","function":{"name":"f","arguments":"{}"}},{"id":"b","function":{"name":"f","arguments":"{}"}}]},"finish_reason":"tool_calls"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
            "success 1 2 tool_calls x2",
        ),
    ]);
}

#[test]
fn an_empty_finish_reason_is_ignored() {
    const EMPTY: &str = r#"{"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":""}]}"#;
    const WORD_NULL: &str =
        r#"{"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"null"}]}"#;
    for (chunk, name) in [
        (
            EMPTY,
            "SGLang and older Ollama [iss sglang#3912, ollama#4357]",
        ),
        (WORD_NULL, "older KoboldCpp [iss PowerShell/AIShell#350]"),
    ] {
        check([
            stream(
                name,
                CHAT,
                events(&[chunk, STOP, SHORT, DONE]),
                "success 21 4 stop first",
            ),
            stream(
                name,
                CHAT,
                events(&[chunk]),
                "truncated(truncated) . . first -truncated",
            ),
        ]);
    }
}

#[test]
fn an_error_of_one_choice_is_an_error() {
    check([
        whole(
            "a gateway whose provider failed after it had begun [iss genkit#6259]",
            CHAT,
            r#"{"choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"error","error":{"code":502,"message":"secret"}}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
            "error(server_error) 1 2 error",
        ),
        whole(
            "none of it [unverified]",
            CHAT,
            r#"{"choices":[{"index":0,"finish_reason":"stop","error":null}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
            "success 1 2 stop",
        ),
    ]);
}

#[test]
fn a_stream_without_requested_usage_is_counted_as_such() {
    check([
        Row {
            request: r#"{"model":"m","stream":true}"#,
            ..stream(
                "[docs]",
                CHAT,
                events(&[WORD, STOP, DONE]),
                "success . . stop first -not_requested",
            )
        },
        Row {
            request: r#"{"model":"m","stream":true,"stream_options":{"include_usage":false}}"#,
            ..stream(
                "[docs]",
                CHAT,
                events(&[WORD, STOP, DONE]),
                "success . . stop first -not_requested",
            )
        },
    ]);
}
