//! Bedrock's Converse: whole responses, and event streams, which may be broken.

use crate::response_formats::aws_event_stream::{event, exception, frame};
use crate::response_formats::{MESSAGES, Row, check, whole};

pub(super) const AWS: &str = "application/vnd.amazon.eventstream";
const WHOLE: &str = "/model/anthropic.claude-x-v1%3A0/converse";
const STREAM: &str = "/model/anthropic.claude-x-v1%3A0/converse-stream";
const ARN: &str =
    "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Ainference-profile%2Fus.x/converse-stream";

/// A row of a stream of frames.
pub(super) fn framed(
    name: &'static str,
    path: &'static str,
    frames: &[Vec<u8>],
    learnt: &'static str,
) -> Row {
    Row {
        request: r#"{"messages":[{"role":"user","content":[{"text":"hi"}]}]}"#,
        kind: AWS,
        ..whole(name, path, frames.concat(), learnt)
    }
}

fn converse(name: &'static str, frames: &[Vec<u8>], learnt: &'static str) -> Row {
    framed(name, STREAM, frames, learnt)
}

fn start() -> Vec<u8> {
    event("messageStart", r#"{"p":"abc","role":"assistant"}"#)
}

fn delta(delta: &str) -> Vec<u8> {
    let payload = format!(r#"{{"contentBlockIndex":0,"delta":{delta},"p":"abcdef"}}"#);
    event("contentBlockDelta", &payload)
}

fn text() -> Vec<u8> {
    delta(r#"{"text":"hi"}"#)
}

fn close() -> Vec<u8> {
    event("contentBlockStop", r#"{"contentBlockIndex":0,"p":"a"}"#)
}

fn stop(reason: &str) -> Vec<u8> {
    event(
        "messageStop",
        &format!(r#"{{"p":"ab","stopReason":"{reason}"}}"#),
    )
}

fn metadata() -> Vec<u8> {
    event(
        "metadata",
        r#"{"metrics":{"latencyMs":640},"p":"abcd","usage":{"inputTokens":33,"outputTokens":8,"totalTokens":41}}"#,
    )
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn streams_are_understood() {
    check([
        converse(
            "a text [docs]",
            &[
                start(),
                text(),
                text(),
                close(),
                stop("end_turn"),
                metadata(),
            ],
            "success 33 8 stop first ~total",
        ),
        framed(
            "of a profile, by its ARN [docs]",
            ARN,
            &[start(), text(), close(), stop("stop_sequence"), metadata()],
            "success 33 8 stop first ~total",
        ),
        converse(
            "nothing but its begin and end [unverified]",
            &[start(), stop("max_tokens"), metadata()],
            "success 33 8 length ~total",
        ),
        converse(
            "caches are beside the input [iss opencode#38427]",
            &[
                start(),
                text(),
                stop("end_turn"),
                event(
                    "metadata",
                    r#"{"usage":{"inputTokens":33,"outputTokens":8,"totalTokens":558,"cacheReadInputTokens":512,"cacheWriteInputTokens":5,"cacheDetails":[{"inputTokens":5,"ttl":"5m"}]},"metrics":{"latencyMs":640}}"#,
                ),
            ],
            "success 550 8 cache_read=512 cache_write=5 stop first ~total",
        ),
        converse(
            "thoughts are tokens [docs]",
            &[
                start(),
                delta(r#"{"reasoningContent":{"text":"hm"}}"#),
                delta(r#"{"reasoningContent":{"signature":"AAAA"}}"#),
                stop("end_turn"),
                metadata(),
            ],
            "success 33 8 stop first ~total",
        ),
        converse(
            "two calls of tools, whose input comes in parts [docs]",
            &[
                start(),
                event(
                    "contentBlockStart",
                    r#"{"contentBlockIndex":0,"start":{"toolUse":{"name":"f","toolUseId":"a"}}}"#,
                ),
                delta(r#"{"toolUse":{"input":"{\"usage\":"}}"#),
                delta(r#"{"toolUse":{"input":"{}}"}}"#),
                close(),
                event(
                    "contentBlockStart",
                    r#"{"contentBlockIndex":1,"start":{"toolUse":{"name":"f","toolUseId":"b"}}}"#,
                ),
                stop("tool_use"),
                metadata(),
            ],
            "success 33 8 tool_calls x2 first ~total",
        ),
        converse(
            "events that are not known are passed over [unverified]",
            &[
                start(),
                event("somethingNew", r#"{"usage":{"inputTokens":999}}"#),
                text(),
                stop("end_turn"),
                metadata(),
            ],
            "success 33 8 stop first ~total",
        ),
        converse(
            "cut [docs]",
            &[start(), text()],
            "truncated(truncated) . . first -truncated",
        ),
        converse(
            "cut before its usage [docs]",
            &[start(), text(), close(), stop("end_turn")],
            "success . . stop first -not_reported",
        ),
        converse(
            "cut within a frame [unverified]",
            &[start(), text(), stop("end_turn"), metadata()[..40].to_vec()],
            "success . . stop first -not_reported",
        ),
        converse(
            "cut within its first number [unverified]",
            &[start()[..3].to_vec()],
            "truncated(truncated) . . -truncated",
        ),
        converse(
            "empty [unverified]",
            &[],
            "truncated(truncated) . . -truncated",
        ),
        converse(
            "half a token [unverified]",
            &[
                text(),
                stop("end_turn"),
                event(
                    "metadata",
                    r#"{"usage":{"inputTokens":1.5,"outputTokens":8}}"#,
                ),
            ],
            "success . 8 stop first -invalid",
        ),
    ]);
}

#[test]
fn every_finish_reason_is_mapped() {
    for (reason, ours) in [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("guardrail_intervened", "content_filter"),
        ("content_filtered", "content_filter"),
        ("malformed_model_output", "error"),
        ("malformed_tool_use", "error"),
        ("something_new", "other"),
    ] {
        let body = format!(
            r#"{{"output":{{"message":{{"role":"assistant","content":[{{"text":"hi"}}]}}}},"stopReason":"{reason}","usage":{{"inputTokens":33,"outputTokens":8,"totalTokens":41}}}}"#
        );
        let source = if reason == "something_new" {
            "unverified"
        } else {
            "docs"
        };
        let name: &str = format!("{reason} [{source}]").leak();
        let streamed = format!("success 33 8 {ours} first ~total").leak();
        check([
            whole(name, WHOLE, body, format!("success 33 8 {ours}").leak()),
            converse(name, &[text(), stop(reason), metadata()], streamed),
        ]);
    }
}

#[test]
fn whole_answers_are_understood() {
    check([
        whole(
            "a text, and caches [docs]",
            WHOLE,
            r#"{"metrics":{"latencyMs":640},"output":{"message":{"content":[{"text":"hi"}],"role":"assistant"}},"stopReason":"end_turn","usage":{"cacheReadInputTokens":512,"cacheWriteInputTokens":5,"inputTokens":33,"outputTokens":8,"totalTokens":558}}"#,
            "success 550 8 cache_read=512 cache_write=5 stop ~total",
        ),
        whole(
            "two tools, with input that has the names that are looked for [docs]",
            WHOLE,
            r#"{"output":{"message":{"role":"assistant","content":[{"reasoningContent":{"reasoningText":{"text":"hm"}}},{"toolUse":{"name":"f","toolUseId":"a","input":{"usage":{"inputTokens":999},"toolUse":{"name":"g"},"stopReason":"max_tokens"}}},{"toolUse":{"name":"f","toolUseId":"b","input":{}}}]}},"stopReason":"tool_use","usage":{"inputTokens":33,"outputTokens":8}}"#,
            "success 33 8 tool_calls x2",
        ),
        whole(
            "less than nothing [unverified]",
            WHOLE,
            r#"{"output":{},"stopReason":"end_turn","usage":{"inputTokens":-33,"outputTokens":8}}"#,
            "success . 8 stop -invalid",
        ),
        whole(
            "no usage [unverified]",
            WHOLE,
            r#"{"output":{"message":{"content":[{"text":"hi"}]}},"stopReason":"end_turn"}"#,
            "success . . stop -not_reported",
        ),
    ]);
}

#[test]
fn exceptions_end_a_stream() {
    for (kind, ours) in [
        ("throttlingException", "rate_limited"),
        ("serviceUnavailableException", "overloaded"),
        ("internalServerException", "server_error"),
        ("modelStreamErrorException", "server_error"),
        ("modelTimeoutException", "timeout"),
        ("validationException", "invalid_request"),
    ] {
        let name: &str = format!("{kind} [docs]").leak();
        let first: &str = format!("error({ours}) . . -error").leak();
        let in_stream: &str = format!("error({ours}) . . first -error").leak();
        let thrown = || exception(kind, r#"{"message":"secret","originalStatusCode":424}"#);
        check([
            converse(name, &[thrown()], first),
            converse(name, &[start(), text(), thrown()], in_stream),
        ]);
    }
    let error = |code, learnt| {
        let headers = [
            (":error-code", code),
            (":error-message", "secret"),
            (":message-type", "error"),
        ];
        let name = format!("{code} [unverified]").leak();
        converse(name, &[start(), text(), frame(&headers, b"")], learnt)
    };
    check([
        error("InternalFailure", "error(server_error) . . first -error"),
        error(
            "ThrottlingException",
            "error(rate_limited) . . first -error",
        ),
        error("SomethingNew", "error(other) . . first -error"),
    ]);
}

#[test]
fn a_broken_frame_and_all_later_ones_are_ignored() {
    const FIRST: &str = "error(decode) . . -invalid";
    const LATER: &str = "error(decode) . . first -invalid";
    /// A frame with other bytes at a place.
    fn with(mut frame: Vec<u8>, at: usize, bytes: &[u8]) -> Vec<u8> {
        frame[at..at + bytes.len()].copy_from_slice(bytes);
        frame
    }
    let bad = |name, frame: Vec<u8>| {
        let rest = [stop("end_turn"), metadata()].concat();
        [
            converse(name, &[frame.clone(), rest.clone()], FIRST),
            converse(name, &[start(), text(), frame, rest], LATER),
        ]
    };
    let last = text().len() - 1;
    let flipped = !text()[last];
    check(
        [
            bad("a wrong checksum [docs]", with(text(), last, &[flipped])),
            bad(
                "a wrong checksum of its lengths [docs]",
                with(text(), 8, b"????"),
            ),
            bad("another payload [docs]", with(text(), last - 6, b"?")),
            bad("longer than any [docs]", with(text(), 0, &[0xFF; 4])),
            bad(
                "shorter than its own ends [docs]",
                with(text(), 0, &[0, 0, 0, 15]),
            ),
            bad("headers longer than it [docs]", with(text(), 4, &[0xFF; 4])),
            bad(
                "a page of a proxy's [unverified]",
                b"<html>busy</html>".to_vec(),
            ),
        ]
        .into_iter()
        .flatten(),
    );
}

#[test]
fn a_broken_frame_discards_earlier_usage() {
    let readings = event(
        "message_delta",
        r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":5,"output_tokens":6,"cost":0.5,"server_tool_use":{"web_search_requests":2},"iterations":[{"type":"message","input_tokens":5,"output_tokens":6}]}}"#,
    );
    let mut broken = text();
    let last = broken.len() - 1;
    broken[last] = !broken[last];
    check([Row {
        kind: AWS,
        ..whole(
            "tokens, units, a cost and runs [unverified]",
            MESSAGES,
            [readings, broken].concat(),
            "error(decode) . . stop -invalid",
        )
    }]);
}

#[test]
fn an_error_response_is_classified_by_the_type_in_its_headers() {
    /// An error response: its name, headers, status, and the expected summary.
    type Refusal = (
        &'static str,
        &'static [(&'static str, &'static str)],
        u16,
        &'static str,
    );
    macro_rules! refusals {
        ($($kind:literal $status:literal $ours:literal,)*) => {
            [$((
                concat!($kind, " [docs]"),
                &[("x-amzn-errortype", $kind)],
                $status,
                concat!("error(", $ours, ") . ."),
            )),*]
        };
    }
    let refusals: [Refusal; 12] = refusals! {
        "ThrottlingException" 429 "rate_limited",
        "ThrottlingException:http://internal.amazon.com/coral/com.amazon.bedrock/" 429 "rate_limited",
        "ValidationException" 400 "invalid_request",
        "AccessDeniedException" 403 "permission",
        "InvalidClientTokenId" 403 "auth",
        "ResourceNotFoundException" 404 "not_found",
        "ModelTimeoutException" 408 "timeout",
        "ServiceQuotaExceededException" 400 "quota",
        "ModelErrorException" 424 "server_error",
        "ModelNotReadyException" 429 "overloaded",
        "InternalServerException" 500 "server_error",
        "ServiceUnavailableException" 503 "overloaded",
    };
    for (name, headers, status, learnt) in refusals {
        for path in [
            WHOLE,
            STREAM,
            "/model/m/invoke",
            "/model/m/invoke-with-response-stream",
        ] {
            let row = whole(name, path, r#"{"message":"secret"}"#, learnt);
            check([Row {
                status,
                headers,
                ..row
            }]);
        }
    }
}
