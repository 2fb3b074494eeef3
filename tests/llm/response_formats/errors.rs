//! Errors: by status, by type and code, and inside a response that started successfully.

use crate::response_formats::{
    CHAT, EVENTS, MESSAGES, OLLAMA, RESPONSES, Row, check, events, stream, whole,
};

const WORD: &str = r#"{"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":null}]}"#;

fn refused(
    name: &'static str,
    path: &'static str,
    status: u16,
    body: &'static str,
    learnt: &'static str,
) -> Row {
    Row {
        status,
        ..whole(name, path, body, learnt)
    }
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn an_error_inside_a_response_is_an_error() {
    check([
        stream(
            "a chunk that is an error [docs]",
            CHAT,
            events(&[
                WORD,
                r#"{"error":{"message":"secret","type":"server_error","code":"server_is_overloaded"}}"#,
                "[DONE]",
            ]),
            "error(overloaded) . . first -error",
        ),
        stream(
            "OpenRouter's, whose code is a number [docs]",
            CHAT,
            events(&[
                WORD,
                r#"{"choices":[{"index":0,"delta":{"content":""},"finish_reason":"error"}],"error":{"code":502,"message":"secret"}}"#,
            ]),
            "error(server_error) . . error first -error",
        ),
        stream(
            "older vLLM's, which has no name of its own [iss]",
            CHAT,
            events(&[
                r#"{"object":"error","message":"secret","type":"BadRequestError","code":400}"#,
            ]),
            "error(other) . . -error",
        ),
        stream(
            "newer vLLM's [iss]",
            CHAT,
            events(&[
                r#"{"error":{"message":"secret","type":"BadRequestError","param":null,"code":400}}"#,
                "[DONE]",
            ]),
            "error(invalid_request) . . -error",
        ),
        stream(
            "Anthropic's event [docs]",
            MESSAGES,
            "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":5}}}\n\nevent: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n",
            "error(overloaded) 5 . -error",
        ),
        stream(
            "an event of responses, with its code beside [docs]",
            RESPONSES,
            events(&[
                r#"{"type":"error","code":"rate_limit_exceeded","message":"secret","param":null}"#,
            ]),
            "error(rate_limited) . . -error",
        ),
        stream(
            "a response that failed [docs]",
            RESPONSES,
            events(&[
                r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"server_error","message":"secret"},"usage":{"input_tokens":5,"output_tokens":1}}}"#,
            ]),
            "error(server_error) 5 1 error",
        ),
        Row {
            kind: "application/x-ndjson",
            request: r#"{"model":"m"}"#,
            ..stream(
                "Ollama's line, with a text alone [docs]",
                OLLAMA,
                "{\"message\":{\"content\":\"hi\"},\"done\":false}\n{\"error\":\"an error was encountered\"}\n",
                "error(other) . . first -error",
            )
        },
        whole(
            "an error where an answer was to be, with 200 [docs]",
            CHAT,
            "\n\n{\"error\":{\"code\":429,\"message\":\"secret\"}}",
            "error(rate_limited) . . -error",
        ),
        whole(
            "a page of a proxy's [unverified]",
            CHAT,
            "<html>busy</html>",
            "error(decode) . . -error",
        ),
        whole(
            "a text that begins like an event [unverified]",
            CHAT,
            "error: busy",
            "error(decode) . . -error",
        ),
        whole(
            "half an answer [unverified]",
            CHAT,
            r#"{"choices":[{"#,
            "truncated(truncated) . . -truncated",
        ),
        whole(
            "nothing [unverified]",
            CHAT,
            "",
            "truncated(truncated) . . -truncated",
        ),
        Row {
            kind: EVENTS,
            ..whole(
                "a stream without an event [unverified]",
                CHAT,
                ": hello\n\n",
                "truncated(truncated) . . -truncated",
            )
        },
        Row {
            encoding: Some("gzip"),
            ..whole(
                "compressed, and not read [exp]",
                CHAT,
                "\u{1f}\u{8b}",
                "success . . -encoded",
            )
        },
        Row {
            encoding: Some("identity"),
            ..whole(
                "not compressed, and said so [unverified]",
                "/v1/embeddings",
                r#"{"usage":{"prompt_tokens":1}}"#,
                "success 1 .",
            )
        },
        Row {
            encoding: Some("identity"),
            headers: &[("content-encoding", "gzip")],
            ..whole(
                "compressed, as the second of two headers says [unverified]",
                CHAT,
                "\u{1f}\u{8b}",
                "success . . -encoded",
            )
        },
        Row {
            encoding: Some("br"),
            ..refused(
                "compressed, and refused [unverified]",
                CHAT,
                429,
                "?",
                "error(rate_limited) . .",
            )
        },
    ]);
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn error_responses_are_classified_by_their_type() {
    let openai = |name, status, body, learnt| refused(name, CHAT, status, body, learnt);
    let anthropic = |name, status, body, learnt| refused(name, MESSAGES, status, body, learnt);
    check([
        openai(
            "[docs]",
            401,
            r#"{"error":{"message":"Incorrect API key provided: sk-secret","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}"#,
            "error(auth) . .",
        ),
        openai(
            "[docs]",
            403,
            r#"{"error":{"type":"forbidden","code":"unsupported_country_region_territory"}}"#,
            "error(permission) . .",
        ),
        openai(
            "[docs]",
            404,
            r#"{"error":{"type":"invalid_request_error","code":"model_not_found"}}"#,
            "error(not_found) . .",
        ),
        openai(
            "[docs]",
            429,
            r#"{"error":{"type":"requests","code":"rate_limit_exceeded"}}"#,
            "error(rate_limited) . .",
        ),
        openai(
            "[docs] Perplexity",
            400,
            r#"{"error":{"message":"secret","type":"too_many_prompt_tokens","code":400}}"#,
            "error(context_length) . .",
        ),
        openai(
            "[docs]",
            429,
            r#"{"error":{"type":"insufficient_quota","code":"insufficient_quota"}}"#,
            "error(quota) . .",
        ),
        openai(
            "[docs]",
            429,
            r#"{"error":{"code":"credit_balance_exhausted"}}"#,
            "error(quota) . .",
        ),
        openai(
            "[docs]",
            400,
            r#"{"error":{"type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
            "error(context_length) . .",
        ),
        openai(
            "[docs]",
            400,
            r#"{"error":{"type":"invalid_request_error","param":null,"code":null}}"#,
            "error(invalid_request) . .",
        ),
        openai(
            "[docs]",
            503,
            r#"{"error":{"type":"server_error","code":"server_is_overloaded"}}"#,
            "error(overloaded) . .",
        ),
        openai(
            "Azure [unverified]",
            400,
            r#"{"error":{"code":"content_filter","status":400,"innererror":{"code":"ResponsibleAIPolicyViolation","content_filter_result":{}}}}"#,
            "error(content_filter) . .",
        ),
        openai(
            "Azure [unverified]",
            404,
            r#"{"error":{"code":"DeploymentNotFound"}}"#,
            "error(not_found) . .",
        ),
        openai(
            "OpenRouter [docs]",
            402,
            r#"{"error":{"code":402,"message":"secret"}}"#,
            "error(quota) . .",
        ),
        openai(
            "OpenRouter [docs]",
            408,
            r#"{"error":{"code":408}}"#,
            "error(timeout) . .",
        ),
        openai(
            "OpenRouter [docs]",
            403,
            r#"{"error":{"code":403,"message":"secret","metadata":{"reasons":[],"flagged_input":"secret"}}}"#,
            "error(permission) . .",
        ),
        openai(
            "OpenRouter [docs]",
            502,
            r#"{"error":{"code":502,"message":"secret"}}"#,
            "error(server_error) . .",
        ),
        openai(
            "DeepSeek [docs]",
            402,
            r#"{"error":{"message":"Insufficient Balance","type":"unknown_error","param":null,"code":"invalid_request_error"}}"#,
            "error(quota) . .",
        ),
        openai(
            "DeepSeek [docs]",
            422,
            r#"{"error":{"type":"invalid_request_error"}}"#,
            "error(invalid_request) . .",
        ),
        openai(
            "vLLM [iss]",
            400,
            r#"{"object":"error","message":"secret","type":"BadRequestError","code":400}"#,
            "error(invalid_request) . .",
        ),
        openai("a proxy", 502, "<html>", "error(server_error) . ."),
        openai("nothing", 504, "", "error(timeout) . ."),
        openai("sent elsewhere", 307, "", "error(other) . ."),
        anthropic(
            "[docs]",
            400,
            r#"{"type":"error","error":{"type":"invalid_request_error","message":"prompt is too long"}}"#,
            "error(invalid_request) . .",
        ),
        anthropic(
            "[docs]",
            401,
            r#"{"type":"error","error":{"type":"authentication_error"}}"#,
            "error(auth) . .",
        ),
        anthropic(
            "[docs]",
            402,
            r#"{"type":"error","error":{"type":"billing_error"}}"#,
            "error(quota) . .",
        ),
        anthropic(
            "[docs]",
            403,
            r#"{"type":"error","error":{"type":"permission_error"}}"#,
            "error(permission) . .",
        ),
        anthropic(
            "[docs]",
            404,
            r#"{"type":"error","error":{"type":"not_found_error"}}"#,
            "error(not_found) . .",
        ),
        anthropic(
            "[docs]",
            409,
            r#"{"type":"error","error":{"type":"conflict_error"}}"#,
            "error(invalid_request) . .",
        ),
        anthropic(
            "[docs]",
            413,
            r#"{"type":"error","error":{"type":"request_too_large"}}"#,
            "error(too_large) . .",
        ),
        anthropic(
            "[docs]",
            429,
            r#"{"type":"error","error":{"type":"rate_limit_error"}}"#,
            "error(rate_limited) . .",
        ),
        anthropic(
            "[docs]",
            500,
            r#"{"type":"error","error":{"type":"api_error"}}"#,
            "error(server_error) . .",
        ),
        anthropic(
            "[docs]",
            504,
            r#"{"type":"error","error":{"type":"timeout_error"}}"#,
            "error(timeout) . .",
        ),
        anthropic(
            "[docs]",
            529,
            r#"{"type":"error","error":{"type":"overloaded_error"}}"#,
            "error(overloaded) . .",
        ),
        refused(
            "[docs]",
            OLLAMA,
            404,
            r#"{"error":"model \"secret\" not found, try pulling it first"}"#,
            "error(not_found) . .",
        ),
        refused(
            "[docs]",
            OLLAMA,
            500,
            r#"{"error":"secret"}"#,
            "error(server_error) . .",
        ),
    ]);
}
