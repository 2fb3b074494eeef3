//! Gemini: streams as events or as one JSON array, whole responses, and errors.

use crate::response_formats::{EVENTS, JSON, Row, check, events, stream, whole};

const WHOLE: &str = "/v1beta/models/gemini-x:generateContent";
const STREAM: &str = "/v1beta/models/gemini-x:streamGenerateContent";
const SSE: &str = "/v1beta/models/gemini-x:streamGenerateContent?alt=sse";
const ASK: &str = r#"{"contents":[{"role":"user","parts":[{"text":"hi"}]}]}"#;

pub(super) const HI: &str = r#"{"candidates":[{"content":{"parts":[{"text":"hi"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":1,"totalTokenCount":8},"modelVersion":"gemini-x"}"#;
pub(super) const END: &str = r#"{"candidates":[{"content":{"parts":[{"text":"!"}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":2,"totalTokenCount":9},"modelVersion":"gemini-x"}"#;

pub(super) fn whole_response(
    name: &'static str,
    body: impl Into<Vec<u8>>,
    learnt: &'static str,
) -> Row {
    Row {
        request: ASK,
        ..whole(name, WHOLE, body, learnt)
    }
}

pub(super) fn sse(name: &'static str, data: &[&str], learnt: &'static str) -> Row {
    Row {
        request: ASK,
        ..stream(name, SSE, events(data), learnt)
    }
}

/// A stream that is one JSON array, as it comes without `alt=sse`.
pub(super) fn array(name: &'static str, data: &[&str], learnt: &'static str) -> Row {
    Row {
        request: ASK,
        kind: JSON,
        ..stream(
            name,
            STREAM,
            format!("[{}\n]\n", data.join("\n,\r\n")),
            learnt,
        )
    }
}

/// A stream in both ways.
fn sse_and_array(name: &'static str, data: &[&str], learnt: &'static str) -> [Row; 2] {
    [sse(name, data, learnt), array(name, data, learnt)]
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn streams_are_understood() {
    let rows = [
        sse_and_array(
            "the usage of the last chunk counts [docs]",
            &[HI, END],
            "success 7 2 stop first",
        ),
        sse_and_array(
            "one chunk is all of it [docs]",
            &[END],
            "success 7 2 stop first",
        ),
        sse_and_array(
            "a reason with nothing before it ends nothing [iss CLIProxyAPI#5640]",
            &[
                r#"{"candidates":[{"content":{"role":"model","parts":[]},"finishReason":"STOP","index":0}]}"#,
                HI,
                END,
            ],
            "success 7 2 stop first",
        ),
        sse_and_array(
            "a reason that says nothing is none [iss google-cloud-dotnet#15173]",
            &[
                r#"{"candidates":[{"content":{"parts":[{"text":"hi"}]},"finishReason":"FINISH_REASON_UNSPECIFIED"}]}"#,
                r#"{"candidates":[{"finishReason":"MAX_TOKENS"}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":2}}"#,
            ],
            "success 7 2 length first",
        ),
        sse_and_array(
            "a signature on an empty text is no token [iss vercel/ai#12402]",
            &[
                r#"{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"AAAA"}]},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":2}}"#,
            ],
            "success 7 2 stop",
        ),
        sse_and_array(
            "thoughts are tokens, beside those of the answer [docs]",
            &[
                r#"{"candidates":[{"content":{"parts":[{"text":"hm","thought":true}],"role":"model"}}],"usageMetadata":{"promptTokenCount":7,"totalTokenCount":37,"thoughtsTokenCount":30}}"#,
                r#"{"candidates":[{"content":{"parts":[{"text":"hi"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":2,"totalTokenCount":39,"thoughtsTokenCount":30}}"#,
            ],
            "success 7 32 reasoning=30 stop first",
        ),
        sse_and_array(
            "thoughts took all there was, and the count of 0 is left out [docs]",
            &[
                r#"{"candidates":[{"content":{"role":"model"},"finishReason":"MAX_TOKENS","index":0}],"usageMetadata":{"promptTokenCount":7,"totalTokenCount":37,"thoughtsTokenCount":30}}"#,
            ],
            "success 7 30 reasoning=30 length",
        ),
        sse_and_array(
            "a function is called, and the reason is STOP [docs]",
            &[
                r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{"finishReason":"SAFETY","usageMetadata":{"promptTokenCount":999}}}}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":5,"totalTokenCount":12}}"#,
            ],
            "success 7 5 tool_calls x1 first",
        ),
        sse_and_array(
            "functions are called in several chunks, and the last says only why it ends [iss]",
            &[
                r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}},{"functionCall":{"name":"g","args":{}}}]}}]}"#,
                r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","args":{}}}]}}]}"#,
                r#"{"candidates":[{"content":{"parts":[{"text":""}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":5,"totalTokenCount":12}}"#,
            ],
            "success 7 5 tool_calls x3 first",
        ),
        sse_and_array(
            "a call whose arguments come in parts is one [src]",
            &[
                r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"f","willContinue":true}}]}}]}"#,
                r#"{"candidates":[{"content":{"parts":[{"functionCall":{"partialArgs":[{"jsonPath":"$.a","stringValue":"b"}],"willContinue":true}}]}}]}"#,
                r#"{"candidates":[{"content":{"parts":[{"functionCall":{}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":5,"totalTokenCount":12}}"#,
            ],
            "success 7 5 tool_calls x1 first",
        ),
        sse_and_array(
            "an image is what was asked for [docs]",
            &[
                r#"{"candidates":[{"content":{"parts":[{"inlineData":{"mimeType":"image/png","data":"AAAA"}}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":1290,"totalTokenCount":1297,"candidatesTokensDetails":[{"modality":"IMAGE","tokenCount":1290}]}}"#,
            ],
            "success 7 1290 image_output=1290 stop first",
        ),
        sse_and_array(
            "two candidates, one after the other [docs]",
            &[
                r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"index":0},{"content":{"parts":[{"text":"b"}]},"index":1}]}"#,
                r#"{"candidates":[{"finishReason":"MAX_TOKENS","index":1}]}"#,
                r#"{"candidates":[{"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":4,"totalTokenCount":11}}"#,
            ],
            "success 7 4 length stop first",
        ),
        sse_and_array(
            "the prompt was blocked [docs]",
            &[
                r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"},"usageMetadata":{"promptTokenCount":7,"totalTokenCount":7},"modelVersion":"gemini-x"}"#,
            ],
            "success 7 . content_filter",
        ),
        sse_and_array(
            "the answer was blocked after it had begun [docs]",
            &[
                HI,
                r#"{"candidates":[{"finishReason":"SAFETY","index":0,"safetyRatings":[{"category":"c","blocked":true}]}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":3,"totalTokenCount":10}}"#,
            ],
            "success 7 3 content_filter first",
        ),
        sse_and_array(
            "a text that looks like what is between two chunks [unverified]",
            &[
                r#"{"candidates":[{"content":{"parts":[{"text":"}\n,\r\n{\"usageMetadata\":{\"promptTokenCount\":999}}]"}]}}]}"#,
                END,
            ],
            "success 7 2 stop first",
        ),
        sse_and_array(
            "cut before its end [docs]",
            &[HI],
            "truncated(truncated) 7 1 first -truncated",
        ),
        sse_and_array(
            "cut, and nothing is known of its tokens [docs]",
            &[r#"{"candidates":[{"content":{"parts":[{"text":"hi"}]}}]}"#],
            "truncated(truncated) . . first -truncated",
        ),
        sse_and_array(
            "no usage [unverified]",
            &[r#"{"candidates":[{"content":{"parts":[{"text":"hi"}]},"finishReason":"STOP"}]}"#],
            "success . . stop first -not_reported",
        ),
        sse_and_array(
            "an error after it had begun [src]",
            &[
                HI,
                r#"{"error":{"code":503,"message":"secret","status":"UNAVAILABLE"}}"#,
            ],
            "error(overloaded) 7 1 first -error",
        ),
    ];
    check(rows.into_iter().flatten());
}

#[test]
fn an_array_may_be_cut_anywhere() {
    let cut = |name, body: String, learnt| Row {
        body: body.into(),
        ..array(name, &[], learnt)
    };
    check([
        cut(
            "after a comma [unverified]",
            format!("[{HI}\n,\r\n"),
            "truncated(truncated) 7 1 first -truncated",
        ),
        cut(
            "within a chunk [unverified]",
            format!("[{HI}\n,\r\n{}", &END[..40]),
            "truncated(truncated) 7 1 first -truncated",
        ),
        cut(
            "after its first bracket [unverified]",
            "[".to_owned(),
            "truncated(truncated) . . -truncated",
        ),
        cut(
            "not at all, and written on many lines [docs]",
            format!("[{HI}\n,\r\n{END}\n]\n").replace(":{", ": {\n  "),
            "success 7 2 stop first",
        ),
        Row {
            kind: EVENTS,
            ..cut(
                "not at all, and labelled as events [unverified]",
                format!("[{HI},\n{END}]"),
                "success 7 2 stop first",
            )
        },
    ]);
}

#[test]
fn whole_answers_are_understood() {
    let usage = |name, usage: &str, learnt| {
        let body = format!(
            r#"{{"candidates":[{{"content":{{"parts":[{{"text":"hi"}}]}},"finishReason":"STOP"}}],"usageMetadata":{usage}}}"#
        );
        whole_response(name, body, learnt)
    };
    check([
        whole_response("a text [docs]", END, "success 7 2 stop"),
        usage(
            "a cache is part of the prompt [docs]",
            r#"{"promptTokenCount":100,"cachedContentTokenCount":80,"candidatesTokenCount":2,"totalTokenCount":102}"#,
            "success 100 2 cache_read=80 stop",
        ),
        usage(
            "what tools put into the prompt is beside it [docs]",
            r#"{"promptTokenCount":7,"toolUsePromptTokenCount":13,"candidatesTokenCount":2,"thoughtsTokenCount":3,"totalTokenCount":25}"#,
            "success 20 5 reasoning=3 stop",
        ),
        usage(
            "sound in both directions [docs]",
            r#"{"promptTokenCount":7,"promptTokensDetails":[{"modality":"TEXT","tokenCount":2},{"modality":"AUDIO","tokenCount":5}],"candidatesTokenCount":9,"candidatesTokensDetails":[{"modality":"AUDIO","tokenCount":9}],"totalTokenCount":16}"#,
            "success 7 9 audio_input=5 audio_output=9 stop",
        ),
        usage(
            "the modality after its tokens [unverified]",
            r#"{"promptTokensDetails":[{"tokenCount":5,"modality":"AUDIO"},{"tokenCount":2,"modality":"TEXT"}],"promptTokenCount":7,"candidatesTokenCount":9}"#,
            "success 7 9 audio_input=5 stop",
        ),
        usage(
            "none of it is told [unverified]",
            "null",
            "success . . stop -not_reported",
        ),
        usage(
            "less than nothing [unverified]",
            r#"{"promptTokenCount":-1,"candidatesTokenCount":2}"#,
            "success . 2 stop -invalid",
        ),
        usage(
            "half a token [unverified]",
            r#"{"promptTokenCount":7,"candidatesTokenCount":1.5}"#,
            "success 7 . stop -invalid",
        ),
        whole_response(
            "three functions, of two candidates [docs]",
            r#"{"candidates":[{"content":{"parts":[{"text":"hm","thought":true},{"functionCall":{"name":"f","args":{"functionCall":{"name":"h"}}}},{"functionCall":{"name":"g"}}]},"finishReason":"STOP","index":0},{"content":{"parts":[{"functionCall":{"name":"f"}}]},"finishReason":"STOP","index":1}],"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":5,"thoughtsTokenCount":1}}"#,
            "success 7 6 reasoning=1 tool_calls tool_calls x3",
        ),
        whole_response(
            "the prompt was blocked [docs]",
            r#"{"promptFeedback":{"blockReason":"SAFETY","safetyRatings":[]},"usageMetadata":{"promptTokenCount":7,"totalTokenCount":7}}"#,
            "success 7 . content_filter",
        ),
        whole_response(
            "nothing was blocked, and that is said [docs]",
            r#"{"candidates":[{"finishReason":"STOP"}],"promptFeedback":{"safetyRatings":[]},"usageMetadata":{"promptTokenCount":7,"candidatesTokenCount":2}}"#,
            "success 7 2 stop",
        ),
    ]);
}

#[test]
fn every_finish_reason_is_mapped() {
    for (reason, ours) in [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("BLOCKLIST", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("SPII", "content_filter"),
        ("IMAGE_SAFETY", "content_filter"),
        ("MODEL_ARMOR", "content_filter"),
        ("MALFORMED_FUNCTION_CALL", "error"),
        ("UNEXPECTED_TOOL_CALL", "error"),
        ("LANGUAGE", "other"),
        ("OTHER", "other"),
        ("SOMETHING_NEW", "other"),
    ] {
        let body = format!(
            r#"{{"candidates":[{{"finishReason":"{reason}","index":0}}],"usageMetadata":{{"promptTokenCount":7,"totalTokenCount":7}}}}"#
        );
        let learnt = format!("success 7 . {ours}").leak();
        let source = if reason == "SOMETHING_NEW" {
            "unverified"
        } else {
            "docs"
        };
        check([whole_response(
            format!("{reason} [{source}]").leak(),
            body,
            learnt,
        )]);
    }
}

#[test]
fn every_error_is_classified_by_its_status() {
    for (code, status, ours) in [
        (400, "INVALID_ARGUMENT", "invalid_request"),
        (400, "FAILED_PRECONDITION", "invalid_request"),
        (401, "UNAUTHENTICATED", "auth"),
        (403, "PERMISSION_DENIED", "permission"),
        (404, "NOT_FOUND", "not_found"),
        (429, "RESOURCE_EXHAUSTED", "rate_limited"),
        (500, "INTERNAL", "server_error"),
        (503, "UNAVAILABLE", "overloaded"),
        (504, "DEADLINE_EXCEEDED", "timeout"),
    ] {
        let error = format!(
            r#"{{"error":{{"code":{code},"message":"secret","status":"{status}","details":[{{"@type":"t","reason":"r"}}]}}}}"#
        );
        let name: &str = format!("{status} [docs]").leak();
        let refused: &str = format!("error({ours}) . .").leak();
        let in_stream: &str = format!("error({ours}) . . -error").leak();
        let refuse = |row| Row {
            status: code,
            ..row
        };
        check([
            refuse(whole_response(name, error.clone(), refused)),
            refuse(array(name, &[&error], refused)),
            whole_response(name, error.clone(), in_stream),
            sse(name, &[&error], in_stream),
            array(name, &[&error], in_stream),
        ]);
    }
    check([Row {
        status: 400,
        ..whole_response(
            "a wrong key is none of the request's faults [docs]",
            r#"{"error":{"code":400,"message":"secret","status":"INVALID_ARGUMENT","details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}"#,
            "error(auth) . .",
        )
    }]);
}
