//! Google's other APIs: embeddings, images, and models of other vendors on Vertex.

use crate::response_formats::gemini::{END, HI, array, sse, whole_response};
use crate::response_formats::{Row, check, events, stream, whole};

macro_rules! vertex {
    ($model:literal) => {
        concat!("/v1/projects/p/locations/l/publishers/", $model)
    };
}

#[test]
fn embeddings_and_images_are_understood() {
    const TEXTS: &str = vertex!("google/models/text-embedding-005:predict");
    const BATCH: &str = "/v1beta/models/e:batchEmbedContents";
    let row = |name, path, body: &str, learnt| Row {
        request: r#"{"instances":[{"content":"hi"}]}"#,
        ..whole(name, path, body, learnt)
    };
    check([
        row(
            "one, and nothing of its tokens [docs]",
            "/v1beta/models/e:embedContent",
            r#"{"embedding":{"values":[0.1,-2e-3]}}"#,
            "success . . -not_reported",
        ),
        row(
            "one, and its tokens [docs]",
            "/v1beta/models/e:embedContent",
            r#"{"embedding":{"values":[0.1]},"usageMetadata":{"promptTokenCount":8,"totalTokenCount":8}}"#,
            "success 8 .",
        ),
        row(
            "many [docs]",
            BATCH,
            r#"{"embeddings":[{"values":[0.1]},{"values":[0.2]}]}"#,
            "success . . -not_reported",
        ),
        row(
            "many, and their tokens [docs]",
            BATCH,
            r#"{"embeddings":[{"values":[0.1]}],"usageMetadata":{"promptTokenCount":8}}"#,
            "success 8 .",
        ),
        row(
            "each with its tokens, which add up [docs]",
            TEXTS,
            r#"{"predictions":[{"embeddings":{"statistics":{"truncated":false,"token_count":4},"values":[0.1]}},{"embeddings":{"values":[0.2],"statistics":{"token_count":5.0,"truncated":false}}}],"metadata":{"billableCharacterCount":30}}"#,
            "success 9 .",
        ),
        row(
            "a list that comes again, which stands for the first [unverified]",
            TEXTS,
            r#"{"predictions":[{"embeddings":{"statistics":{"token_count":4}}}],"predictions":[{"embeddings":{"statistics":{"token_count":5}}}]}"#,
            "success 5 .",
        ),
        row(
            "one with tokens that are none [unverified]",
            TEXTS,
            r#"{"predictions":[{"embeddings":{"statistics":{"token_count":-4}}}]}"#,
            "success . . -invalid",
        ),
        row(
            "images [docs]",
            vertex!("google/models/imagen-x:predict"),
            r#"{"predictions":[{"mimeType":"image/png","bytesBase64Encoded":"AAAA"}]}"#,
            "success . . -not_reported",
        ),
    ]);
}

#[test]
fn vertex_serves_models_of_other_vendors() {
    const GOOGLE: &str = vertex!("google/models/g:streamGenerateContent");
    const CLAUDE: &str = vertex!("anthropic/models/claude-x:streamRawPredict");
    const START: &str = r#"{"type":"message_start","message":{"model":"c","usage":{"input_tokens":12,"cache_read_input_tokens":900,"cache_creation_input_tokens":88,"output_tokens":1}}}"#;
    const TEXT: &str =
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"hi"}}"#;
    let claude = |name, data: &[&str], learnt| Row {
        request: r#"{"anthropic_version":"vertex-2023-10-16","stream":true}"#,
        ..stream(name, CLAUDE, events(data), learnt)
    };
    check([
        Row {
            path: GOOGLE,
            ..array(
                "Google's, as an array [docs]",
                &[HI, END],
                "success 7 2 stop first",
            )
        },
        Row {
            path: vertex!("google/models/g:streamGenerateContent?alt=sse"),
            ..sse(
                "Google's, as events [docs]",
                &[HI, END],
                "success 7 2 stop first",
            )
        },
        Row {
            path: vertex!("google/models/g:generateContent"),
            ..whole_response("Google's, whole [docs]", END, "success 7 2 stop")
        },
        claude(
            "Anthropic's [docs]",
            &[
                START,
                TEXT,
                r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":57}}"#,
                r#"{"type":"message_stop"}"#,
            ],
            "success 1000 57 cache_read=900 cache_write=88 stop first",
        ),
        claude(
            "Anthropic's, cut [docs]",
            &[START, TEXT],
            "truncated(truncated) 1000 . cache_read=900 cache_write=88 first -truncated",
        ),
        claude(
            "Anthropic's error [docs]",
            &[
                START,
                r#"{"type":"error","error":{"type":"overloaded_error"}}"#,
            ],
            "error(overloaded) 1000 . cache_read=900 cache_write=88 -error",
        ),
        Row {
            status: 429,
            ..claude("no stream [unverified]", &[], "error(rate_limited) . .")
        },
        Row {
            request: r#"{"anthropic_version":"vertex-2023-10-16"}"#,
            ..whole(
                "Anthropic's, whole [docs]",
                vertex!("anthropic/models/claude-x:rawPredict"),
                r#"{"type":"message","model":"c","content":[{"type":"tool_use","input":{}}],"stop_reason":"tool_use","usage":{"input_tokens":3,"cache_read_input_tokens":5,"output_tokens":4}}"#,
                "success 8 4 cache_read=5 tool_calls x1",
            )
        },
        whole(
            "Mistral's, whole [src]",
            vertex!("mistralai/models/m:rawPredict"),
            r#"{"choices":[{"index":0,"message":{"content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":6}}"#,
            "success 5 6 stop",
        ),
        stream(
            "Mistral's [src]",
            vertex!("mistralai/models/m:streamRawPredict"),
            events(&[
                r#"{"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}"#,
                r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":6}}"#,
                "[DONE]",
            ]),
            "success 5 6 stop first",
        ),
    ]);
}
