//! Reranking, and embeddings that report only one token count.

use crate::response_formats::{Row, check, whole};

const V1: &str = "/v1/rerank";
const V2: &str = "/v2/rerank";

fn row(name: &'static str, path: &'static str, body: &str, learnt: &'static str) -> Row {
    Row {
        request: r#"{"model":"m","query":"hi","documents":["a","b"]}"#,
        ..whole(name, path, body, learnt)
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn reranking_is_billed_by_searches_or_by_tokens() {
    check([
        row(
            "Cohere's [docs]",
            V2,
            r#"{"results":[{"index":1,"relevance_score":0.999},{"index":0,"relevance_score":7.8e-4}],"id":"r","meta":{"api_version":{"version":"2"},"billed_units":{"search_units":1}}}"#,
            "success . . search_units=1",
        ),
        row(
            "Cohere's, before [docs]",
            V1,
            r#"{"id":"r","results":[{"index":1,"relevance_score":0.9,"document":{"text":"usage"}}],"meta":{"api_version":{"version":"1"},"billed_units":{"search_units":3}}}"#,
            "success . . search_units=3",
        ),
        row(
            "Cohere's, as a float [src]",
            V2,
            r#"{"results":[],"meta":{"billed_units":{"search_units":2.0}}}"#,
            "success . . search_units=2",
        ),
        row(
            "Cohere's, with tokens besides [src]",
            V2,
            r#"{"results":[],"meta":{"billed_units":{"search_units":1},"tokens":{"input_tokens":71,"output_tokens":0}}}"#,
            "success 71 . search_units=1",
        ),
        row(
            "Cohere's, without a bill [unverified]",
            V2,
            r#"{"results":[],"meta":{"api_version":{"version":"2"}}}"#,
            "success . . -not_reported",
        ),
        row(
            "Cohere's, of searches that are none [unverified]",
            V2,
            r#"{"results":[],"meta":{"billed_units":{"search_units":-1}}}"#,
            "success . . -invalid",
        ),
        row(
            "Jina's [src]",
            V1,
            r#"{"model":"jina-reranker-x","object":"list","usage":{"total_tokens":815},"results":[{"index":0,"relevance_score":0.9,"document":{"text":"a"}}]}"#,
            "success 815 .",
        ),
        row(
            "LocalAI's, after Jina [src]",
            V1,
            r#"{"model":"m","usage":{"total_tokens":815,"prompt_tokens":815},"results":[{"index":0,"relevance_score":0.9}]}"#,
            "success 815 .",
        ),
        row(
            "Voyage's [src]",
            V1,
            r#"{"object":"list","data":[{"relevance_score":0.4,"index":0}],"model":"rerank-x","usage":{"total_tokens":26}}"#,
            "success 26 .",
        ),
        row(
            "vLLM's [src]",
            V1,
            r#"{"id":"rerank-a","model":"m","usage":{"total_tokens":56},"results":[{"index":1,"document":{"text":"a"},"relevance_score":0.99}]}"#,
            "success 56 .",
        ),
        row(
            "newer vLLM's [unverified]",
            V2,
            r#"{"id":"rerank-a","model":"m","usage":{"prompt_tokens":56,"total_tokens":56},"results":[]}"#,
            "success 56 .",
        ),
        row(
            "llama.cpp's [src]",
            V1,
            r#"{"model":"m","object":"list","usage":{"prompt_tokens":74,"total_tokens":74},"results":[{"index":0,"relevance_score":-2.5}]}"#,
            "success 74 .",
        ),
        row(
            "OpenRouter's: both [docs]",
            V1,
            r#"{"id":"gen-rerank-a","model":"cohere/rerank-x","provider":"Cohere","results":[],"usage":{"search_units":1,"total_tokens":150}}"#,
            "success 150 . search_units=1",
        ),
        row(
            "half a token [unverified]",
            V1,
            r#"{"results":[],"usage":{"total_tokens":1.5}}"#,
            "success . . -invalid",
        ),
        Row {
            status: 429,
            ..row(
                "too many [docs]",
                V2,
                r#"{"message":"secret"}"#,
                "error(rate_limited) . .",
            )
        },
        Row {
            status: 400,
            ..row(
                "Voyage's error [docs]",
                V1,
                r#"{"detail":"secret"}"#,
                "error(invalid_request) . .",
            )
        },
    ]);
}

#[test]
fn all_tokens_of_embeddings_are_input() {
    let row = |name, body: &str, learnt| Row {
        request: r#"{"model":"m","input":["hi"]}"#,
        ..whole(name, "/v1/embeddings", body, learnt)
    };
    check([
        row(
            "Voyage's [docs]",
            r#"{"object":"list","data":[{"object":"embedding","embedding":[0.1,-2e-3],"index":0}],"model":"voyage-x","usage":{"total_tokens":10}}"#,
            "success 10 .",
        ),
        row(
            "Jina's [src]",
            r#"{"model":"jina-x","object":"list","usage":{"total_tokens":6,"prompt_tokens":6},"data":[{"index":0,"embedding":[0.1]}]}"#,
            "success 6 .",
        ),
        row(
            "Mistral's, with an output of none [docs]",
            r#"{"id":"e","object":"list","data":[],"model":"m","usage":{"prompt_tokens":15,"completion_tokens":0,"total_tokens":15}}"#,
            "success 15 .",
        ),
    ]);
    // In other APIs, the sum determines neither of the two.
    check([whole(
        "of a chat [unverified]",
        crate::response_formats::CHAT,
        r#"{"choices":[{"index":0,"finish_reason":"stop"}],"usage":{"total_tokens":10}}"#,
        "success . . stop -not_reported",
    )]);
}
