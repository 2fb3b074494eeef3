//! Responses of providers, complete enough for clients that validate them.

use serde_json::{Value, json};

use crate::support::upstream::Answer;

pub(crate) const CHAT: &str = "/v1/chat/completions";

/// A chat's request, which may ask for a stream with its usage.
pub(crate) fn question(model: &str, streams: bool) -> String {
    let mut body = json!({"model": model, "messages": [{"role": "user", "content": "hi"}]});
    if streams {
        body["stream"] = json!(true);
        body["stream_options"] = json!({"include_usage": true});
    }
    body.to_string()
}

pub(crate) fn usage(input: u64, output: u64) -> Value {
    json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output})
}

/// A chat's answer of a few words.
pub(crate) fn chat(model: &str, input: u64, output: u64) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model,
        "choices": [{
            "index": 0, "finish_reason": "stop", "logprobs": null,
            "message": {"role": "assistant", "content": "Four words of answer.", "refusal": null},
        }],
        "usage": usage(input, output),
    })
}

/// One event of a chat's stream.
pub(crate) fn chunk(model: &str, delta: &Value, finish: Option<&str>) -> Value {
    json!({
        "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": model,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    })
}

/// The events of a chat's stream, with its usage and its end.
pub(crate) fn chunks(model: &str, input: u64, output: u64) -> Vec<String> {
    let mut last = chunk(model, &json!({}), None);
    last["choices"] = json!([]);
    last["usage"] = usage(input, output);
    let events = [
        chunk(model, &json!({"role": "assistant", "content": ""}), None),
        chunk(model, &json!({"content": "Two "}), None),
        chunk(model, &json!({"content": "words."}), None),
        chunk(model, &json!({}), Some("stop")),
        last,
    ];
    let events = events.iter().map(Value::to_string);
    events.chain(["[DONE]".to_owned()]).collect()
}

pub(crate) fn failure(status: u16, kind: &str, code: &str) -> Answer {
    let error = json!({"message": "It went wrong.", "type": kind, "param": null, "code": code});
    Answer::json(status, json!({ "error": error }).to_string())
}
