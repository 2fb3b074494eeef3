//! Uncommon formats: counts next to totals or inside of them, nested runs, and unusual ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tachometer::{LlmLayer, Registry};

use crate::response_formats::{CHAT, MESSAGES, RESPONSES, Row, check, events, stream, whole};
use crate::support::{Call, Ends};

const TRANSCRIBE: &str = "/v1/audio/transcriptions";
const GENERATE: &str = "/v1beta/models/g:generateContent";
const PREDICT: &str =
    "/v1/projects/p/locations/l/publishers/google/models/text-embedding-005:predict";

#[test]
fn counts_next_to_others_are_added() {
    check([
        whole(
            "every run of the model counts [docs: compaction]",
            MESSAGES,
            r#"{"type":"message","model":"c","content":[{"type":"compaction","content":"s"},{"type":"text","text":"hi"}],"stop_reason":"end_turn","usage":{"input_tokens":23000,"output_tokens":1000,"iterations":[{"type":"compaction","input_tokens":180000,"output_tokens":3500},{"type":"message","input_tokens":23000,"output_tokens":1000}]}}"#,
            "success 203000 4500 stop",
        ),
        stream(
            "runs that are told twice count once [docs: compaction]",
            MESSAGES,
            events(&[
                r#"{"type":"message_start","message":{"model":"c","usage":{"input_tokens":5,"output_tokens":1}}}"#,
                r#"{"type":"message_delta","delta":{},"usage":{"output_tokens":3,"iterations":[{"input_tokens":7,"output_tokens":2},{"input_tokens":5,"output_tokens":3}]}}"#,
                r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":3,"iterations":[{"input_tokens":7,"cache_read_input_tokens":100,"output_tokens":2},{"input_tokens":5,"output_tokens":3}]}}"#,
                r#"{"type":"message_stop"}"#,
            ]),
            "success 112 5 cache_read=100 stop",
        ),
        whole(
            "an invoked model has runs, too [docs: compaction at AWS]",
            "/model/anthropic.claude/invoke",
            r#"{"type":"message","stop_reason":"end_turn","usage":{"input_tokens":5,"output_tokens":3,"iterations":[{"input_tokens":7,"output_tokens":2},{"input_tokens":5,"output_tokens":3}]}}"#,
            "success 12 5 stop",
        ),
        whole(
            "sound beside the prompt, in a transcription [src: a recorded answer of Mistral's]",
            TRANSCRIBE,
            r#"{"model":"v","text":"Ja","usage":{"prompt_audio_seconds":12,"prompt_tokens":3,"total_tokens":419,"completion_tokens":41,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":375}}}"#,
            "success 378 41 audio_input=375 audio_seconds=12",
        ),
        whole(
            "and in a chat [src: a recorded answer of Mistral's]",
            CHAT,
            r#"{"model":"v","choices":[{"finish_reason":"stop"}],"usage":{"prompt_audio_seconds":12,"prompt_tokens":3,"total_tokens":419,"completion_tokens":41,"prompt_tokens_details":{"cached_tokens":0,"audio_tokens":375}}}"#,
            "success 378 41 audio_input=375 stop audio_seconds=12",
        ),
        whole(
            "pictures beside the text [docs: Cohere's API]",
            "/v2/embed",
            r#"{"embeddings":{"float":[[0.1]]},"meta":{"billed_units":{"input_tokens":2,"image_tokens":512}}}"#,
            "success 514 .",
        ),
        whole(
            "pictures alone [docs: Cohere's API]",
            "/v2/embed",
            r#"{"embeddings":{"float":[[0.1]]},"meta":{"billed_units":{"images":1,"image_tokens":512}}}"#,
            "success 512 . images=1",
        ),
        whole(
            "thoughts that only the total has [src: gateways to Gemini]",
            CHAT,
            r#"{"model":"gemini-x","choices":[{"finish_reason":"stop","index":0,"message":{"content":"a"}}],"usage":{"completion_tokens":424,"prompt_tokens":20,"total_tokens":1016}}"#,
            "success 20 996 stop",
        ),
        whole(
            "more in the total, and nobody knows what [unverified]",
            CHAT,
            r#"{"model":"x","choices":[{"finish_reason":"stop","index":0}],"usage":{"completion_tokens":424,"prompt_tokens":20,"total_tokens":1016}}"#,
            "success 20 424 stop -inconsistent",
        ),
        whole(
            "sound of which only the seconds are told [docs: Mistral's API]",
            CHAT,
            r#"{"choices":[{"finish_reason":"stop","index":0}],"usage":{"prompt_audio_seconds":203,"prompt_tokens":4,"completion_tokens":635,"total_tokens":3264}}"#,
            "success 2629 635 stop audio_seconds=203",
        ),
        whole(
            "a cost that someone else charges the rest of [docs: OpenRouter]",
            MESSAGES,
            r#"{"type":"message","stop_reason":"end_turn","usage":{"input_tokens":1000,"output_tokens":100,"cost":0.0005,"is_byok":true,"cost_details":{"upstream_inference_cost":0.01}}}"#,
            "success 1000 100 stop $reported=10500000",
        ),
        whole(
            "more thoughts than an output has tokens [docs: Perplexity]",
            "https://api.perplexity.ai/chat/completions",
            r#"{"choices":[{"index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":33,"completion_tokens":7163,"total_tokens":7196,"citation_tokens":20016,"num_search_queries":18,"reasoning_tokens":73997}}"#,
            "success 33 81160 reasoning=73997 stop web_searches=18",
        ),
        whole(
            "a gateway's cache of Anthropic [src: LiteLLM]",
            CHAT,
            r#"{"choices":[{"index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":1000,"completion_tokens":5,"total_tokens":1005,"prompt_tokens_details":{"cached_tokens":0},"cache_creation_input_tokens":900,"cache_read_input_tokens":0}}"#,
            "success 1000 5 cache_write=900 stop",
        ),
        whole(
            "and one that has it beside the prompt [unverified]",
            CHAT,
            r#"{"choices":[{"index":0,"finish_reason":"stop"}],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":1015,"cache_creation_input_tokens":900,"cache_read_input_tokens":100}}"#,
            "success 1010 5 cache_read=100 cache_write=900 stop",
        ),
        stream(
            "usage within the last choice [src: Moonshot]",
            CHAT,
            events(&[
                r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop","usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}]}"#,
                "[DONE]",
            ]),
            "success 10 5 stop",
        ),
    ]);
}

#[test]
fn counts_that_include_others_are_not_added() {
    let gemini = |name, usage: &str, learnt| {
        let readings = r#"{"candidates":[{"content":{"parts":[{"text":"hi"}]},"finishReason":"STOP"}],"usageMetadata":USAGE}"#;
        whole(name, GENERATE, readings.replace("USAGE", usage), learnt)
    };
    check([
        gemini(
            "thoughts within the candidates [src: LiteLLM]",
            r#"{"promptTokenCount":7,"candidatesTokenCount":32,"thoughtsTokenCount":30,"totalTokenCount":39}"#,
            "success 7 32 reasoning=30 stop",
        ),
        gemini(
            "and with what tools put in [unverified]",
            r#"{"promptTokenCount":7,"toolUsePromptTokenCount":5,"candidatesTokenCount":32,"thoughtsTokenCount":30,"totalTokenCount":44}"#,
            "success 12 32 reasoning=30 stop",
        ),
        gemini(
            "thoughts beside them [docs]",
            r#"{"promptTokenCount":7,"candidatesTokenCount":2,"thoughtsTokenCount":30,"totalTokenCount":39}"#,
            "success 7 32 reasoning=30 stop",
        ),
        gemini(
            "no candidates, and a total that has some: not known, and never 0 [unverified]",
            r#"{"promptTokenCount":7,"totalTokenCount":9}"#,
            "success 7 . stop -not_reported",
        ),
        gemini(
            "no candidates, no total, and a text [unverified]",
            r#"{"promptTokenCount":7}"#,
            "success 7 . stop -not_reported",
        ),
        gemini(
            "no candidates, and none in the total [docs]",
            r#"{"promptTokenCount":7,"totalTokenCount":7}"#,
            "success 7 . stop",
        ),
        whole(
            "a sum of some parts is none [docs]",
            PREDICT,
            r#"{"predictions":[{"embeddings":{"statistics":{"token_count":4},"values":[0.1]}},{"embeddings":{"values":[0.2"#,
            "truncated(truncated) . . -truncated",
        ),
    ]);
}

#[test]
fn ends_and_errors_are_recognized_in_many_forms() {
    check([
        stream(
            "a transcription of Mistral's [src: its client]",
            TRANSCRIBE,
            events(&[
                r#"{"type":"transcription.language","audio_language":"en"}"#,
                r#"{"type":"transcription.text.delta","text":"Hello, "}"#,
                r#"{"type":"transcription.done","model":"v","text":"Hello","language":"en","usage":{"prompt_tokens":8,"completion_tokens":4,"total_tokens":12,"prompt_audio_seconds":3}}"#,
            ]),
            "success 8 4 first audio_seconds=3",
        ),
        stream(
            "an error beside the usage [src: Groq's client]",
            CHAT,
            events(&[
                r#"{"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}"#,
                r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"x_groq":{"id":"r","error":"over capacity"}}"#,
                "[DONE]",
            ]),
            "error(other) . . stop first -error",
        ),
        whole(
            "an error as a reason [src: Mistral's client]",
            CHAT,
            r#"{"choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"error"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
            "error(server_error) 1 2 error",
        ),
        whole(
            "an interruption as a reason [docs: DeepSeek]",
            CHAT,
            r#"{"choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"insufficient_system_resource"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#,
            "error(overloaded) 1 2 error",
        ),
        whole(
            "an array that is all of an answer [src: text-embeddings-inference]",
            "/rerank",
            r#"[{"index":0,"score":0.9},{"index":1,"score":0.1}]"#,
            "success . . -not_reported",
        ),
        whole(
            "and one that is cut [src: text-embeddings-inference]",
            "/rerank",
            r#"[{"index":0,"score":0.9},{"index":1,"#,
            "truncated(truncated) . . -truncated",
        ),
        Row {
            status: 429,
            kind: "application/vnd.amazon.eventstream",
            ..whole(
                "a refusal in another form than is said [unverified]",
                "/model/m/converse-stream",
                r#"{"message":"Too many requests"}"#,
                "error(rate_limited) . .",
            )
        },
        whole(
            "a call that the caller has to run [docs: computer use]",
            RESPONSES,
            r#"{"object":"response","status":"completed","model":"g","output":[{"type":"computer_call","call_id":"c","action":{}}],"usage":{"input_tokens":1,"output_tokens":2}}"#,
            "success 1 2 tool_calls x1",
        ),
    ]);
}

#[test]
fn other_messages_are_no_calls() {
    let sms = r#"{"message_type":"text","text":"hi","to":"1","from":"2","channel":"sms"}"#;
    for (path, request, is_call) in [
        (MESSAGES, sms, false),
        (RESPONSES, sms, false),
        (MESSAGES, r#"{"model":"c","messages":[]}"#, true),
        // llama.cpp's server needs no model.
        (CHAT, r#"{"messages":[]}"#, true),
        // An unread request may be a call.
        (MESSAGES, "", true),
    ] {
        let call = Call {
            path,
            request,
            status: 202,
            headers: vec![("content-type", "application/json")],
            body: br#"{"message_uuid":"a"}"#,
            ends: Ends::Whole,
        };
        let readings = call.readings(64);
        assert_eq!(
            !readings.label_values("llm_requests_total").is_empty(),
            is_call,
            "{path} {request}"
        );
    }
}

/// Without output there is no output series, not even at 0.
#[test]
fn embeddings_have_no_output() {
    for (path, body) in [
        (
            "/v1beta/models/e:embedContent",
            r#"{"embedding":{"values":[0.1]},"usageMetadata":{"promptTokenCount":8,"totalTokenCount":8}}"#,
        ),
        (
            "/api/embed",
            r#"{"model":"m","embeddings":[[0.1]],"prompt_eval_count":8}"#,
        ),
    ] {
        let registry = Registry::new();
        let layer = LlmLayer::new().registry(&registry).otel_names();
        pass(&layer, path, body, "application/json");
        let text = registry.export_prometheus();
        let mut counts = text
            .lines()
            .filter(|line| line.contains("token_usage_count"));
        assert!(
            counts.next().is_some_and(|line| line.contains("\"input\"")),
            "{text}"
        );
        assert_eq!(counts.next(), None);
    }
}

/// A stream with visible reasoning has a time per token from its first one.
#[test]
fn streamed_reasoning_counts_into_the_time_per_token_in_every_dialect() {
    let responses = [
        r#"{"type":"response.reasoning_text.delta","output_index":0,"delta":"hm"}"#,
        r#"{"type":"response.output_text.delta","output_index":1,"delta":"a"}"#,
        r#"{"type":"response.completed","response":{"status":"completed","usage":{"input_tokens":1,"output_tokens":102,"output_tokens_details":{"reasoning_tokens":100}}}}"#,
    ];
    let chat = [
        r#"{"choices":[{"index":0,"delta":{"reasoning_content":"hm"}}]}"#,
        r#"{"choices":[{"index":0,"delta":{"content":"a"},"finish_reason":"stop"}]}"#,
        r#"{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":102,"completion_tokens_details":{"reasoning_tokens":100}}}"#,
    ];
    let times = [(RESPONSES, responses), (CHAT, chat)].map(|(path, data)| {
        let (begun, clock_reads) = (Instant::now(), Arc::new(AtomicU64::new(0)));
        let registry = Registry::new();
        let layer = LlmLayer::new().registry(&registry).clock(move || {
            begun + Duration::from_secs(clock_reads.fetch_add(10, Ordering::Relaxed))
        });
        pass(&layer, path, &events(&data), "text/event-stream");
        let text = registry.export_prometheus();
        let mut lines = text.lines();
        let sum = lines.find(|line| line.starts_with("llm_time_per_output_token_seconds_sum"));
        let (_, sum) = sum.unwrap().rsplit_once(' ').unwrap();
        sum.parse::<f64>().unwrap()
    });
    assert_eq!(times[0], times[1]);
    assert!(times[0] < 1.0, "{times:?}");
}

fn pass(layer: &LlmLayer, path: &str, body: &str, kind: &'static str) {
    let call = Call {
        path,
        request: r#"{"model":"m","stream":true,"stream_options":{"include_usage":true}}"#,
        status: 200,
        headers: vec![("content-type", kind)],
        body: body.as_bytes(),
        ends: Ends::Whole,
    };
    call.pass(layer, 60);
}
