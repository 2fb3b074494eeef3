//! The cost of measuring LLM responses, by dialect.
//!
//! `cargo bench --all-features --bench answers` prints nanoseconds per call. To count
//! instructions, which do not depend on the load of the machine, run it with a dialect and two
//! different numbers of calls, and divide the difference of the instructions by the difference of
//! the numbers of calls:
//!
//! ```sh
//! cargo bench --all-features --bench answers --no-run
//! valgrind --tool=callgrind target/release/deps/answers-* gemini 20
//! valgrind --tool=callgrind target/release/deps/answers-* gemini 120
//! ```

use std::convert::Infallible;
use std::future::ready;
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use tachometer::{LlmLayer, Registry};
use tower::{Service, service_fn};

/// The number of events with text in a streamed response.
const EVENTS: usize = 300;
/// The default number of calls per dialect.
const CALLS: usize = 2_000;

/// The request and the response of a call.
struct Exchange {
    dialect: &'static str,
    url: &'static str,
    request: &'static str,
    content_type: &'static str,
    frames: Vec<Bytes>,
}

fn main() {
    // Ignore the options that `cargo bench` adds.
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let selected = match &arguments[..] {
        [dialect, calls] => calls.parse().ok().map(|calls: usize| (dialect, calls)),
        _ => None,
    };
    for exchange in exchanges() {
        let calls = match selected {
            Some((dialect, calls)) if *dialect == exchange.dialect => calls,
            Some(_) => continue,
            None => CALLS,
        };
        let registry = Registry::new();
        let layer = LlmLayer::new().registry(&registry);
        let started = Instant::now();
        for _ in 0..calls {
            exchange.call(&layer);
        }
        let time_per_call = started.elapsed() / u32::try_from(calls.max(1)).unwrap_or(u32::MAX);
        println!(
            "{:10} {:>9} ns per call",
            exchange.dialect,
            time_per_call.as_nanos()
        );
    }
}

impl Exchange {
    fn call(&self, layer: &LlmLayer) {
        let mut frames = Some(self.frames.clone().into_iter());
        let mut client = layer.layer(service_fn(|_: Request<String>| {
            let response = Response::builder().header("content-type", self.content_type);
            let body = Frames(frames.take().unwrap_or_default());
            ready(response.body(body))
        }));
        let request = Request::post(self.url).body(self.request.to_owned());
        let mut context = Context::from_waker(Waker::noop());
        let mut call = pin!(client.call(request.expect("a valid request")));
        let Poll::Ready(Ok(response)) = call.as_mut().poll(&mut context) else {
            panic!("the answer is there");
        };
        let mut body = pin!(response.into_body());
        while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(&mut context) {
            let _ = black_box(frame);
        }
    }
}

/// A body that yields one frame at a time.
struct Frames(std::vec::IntoIter<Bytes>);

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.next().map(|bytes| Ok(Frame::data(bytes))))
    }
}

#[expect(clippy::too_many_lines, reason = "a table of answers")]
fn exchanges() -> [Exchange; 7] {
    const STREAM: &str = r#"{"model":"gpt-x","stream":true,"stream_options":{"include_usage":true},"messages":[{"role":"user","content":"hi"}]}"#;
    const SSE: &str = "text/event-stream";
    [
        Exchange {
            dialect: "chat",
            url: "https://api.openai.com/v1/chat/completions",
            request: r#"{"model":"gpt-x","messages":[{"role":"user","content":"hi"}]}"#,
            content_type: "application/json",
            frames: vec![Bytes::from_static(CHAT.as_bytes())],
        },
        Exchange {
            dialect: "stream",
            url: "https://api.openai.com/v1/chat/completions",
            request: STREAM,
            content_type: SSE,
            frames: events(
                &[],
                |at| {
                    format!(
                        r#"data: {{"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"gpt-x-2026","service_tier":"default","choices":[{{"index":0,"delta":{{"content":" word{at}"}},"finish_reason":null}}],"usage":null}}"#
                    )
                },
                &[
                    r#"data: {"id":"chatcmpl-1","model":"gpt-x-2026","choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}"#,
                    r#"data: {"id":"chatcmpl-1","model":"gpt-x-2026","choices":[],"usage":{"prompt_tokens":21,"completion_tokens":300,"total_tokens":321,"prompt_tokens_details":{"cached_tokens":16}}}"#,
                    "data: [DONE]",
                ],
            ),
        },
        Exchange {
            dialect: "anthropic",
            url: "https://api.anthropic.com/v1/messages",
            request: r#"{"model":"claude-x","max_tokens":1000,"stream":true,"messages":[]}"#,
            content_type: SSE,
            frames: events(
                &[
                    "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"id\":\"m\",\"type\":\"message\",\"role\":\"assistant\",\"model\":\"claude-x-1\",\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":25,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,\"output_tokens\":1}}}",
                ],
                |at| {
                    format!(
                        "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\"delta\":{{\"type\":\"text_delta\",\"text\":\" word{at}\"}}}}"
                    )
                },
                &[
                    "event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\",\"stop_sequence\":null},\"usage\":{\"input_tokens\":25,\"cache_creation_input_tokens\":0,\"cache_read_input_tokens\":0,\"output_tokens\":300}}",
                    "event: message_stop\ndata: {\"type\":\"message_stop\"}",
                ],
            ),
        },
        Exchange {
            dialect: "gemini",
            url: "https://generativelanguage.googleapis.com/v1beta/models/gemini-x:streamGenerateContent",
            request: r#"{"contents":[]}"#,
            content_type: SSE,
            frames: events(
                &[],
                |at| {
                    format!(
                        r#"data: {{"candidates":[{{"content":{{"parts":[{{"text":" word{at}"}}],"role":"model"}},"index":0}}],"usageMetadata":{{"promptTokenCount":9,"candidatesTokenCount":{at},"totalTokenCount":{}}},"modelVersion":"gemini-x"}}"#,
                        at + 9
                    )
                },
                &[
                    r#"data: {"candidates":[{"content":{"parts":[{"text":"."}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":9,"candidatesTokenCount":300,"totalTokenCount":309,"promptTokensDetails":[{"modality":"TEXT","tokenCount":9}]},"modelVersion":"gemini-x"}"#,
                ],
            ),
        },
        Exchange {
            dialect: "responses",
            url: "https://api.openai.com/v1/responses",
            request: r#"{"model":"gpt-x","stream":true,"input":"x"}"#,
            content_type: SSE,
            frames: events(
                &[
                    "event: response.created\ndata: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\"status\":\"in_progress\",\"model\":\"gpt-x-1\",\"usage\":null}}",
                ],
                |at| {
                    format!(
                        "event: response.output_text.delta\ndata: {{\"type\":\"response.output_text.delta\",\"item_id\":\"msg_1\",\"output_index\":0,\"content_index\":0,\"delta\":\" word{at}\"}}"
                    )
                },
                &[
                    "event: response.completed\ndata: {\"type\":\"response.completed\",\"response\":{\"id\":\"resp_1\",\"status\":\"completed\",\"model\":\"gpt-x-1\",\"output\":[{\"type\":\"message\",\"content\":[{\"type\":\"output_text\",\"text\":\"long text\"}]}],\"usage\":{\"input_tokens\":12,\"output_tokens\":300,\"total_tokens\":312}}}",
                ],
            ),
        },
        Exchange {
            dialect: "converse",
            url: "https://bedrock-runtime.us-east-1.amazonaws.com/model/amazon.nova-lite-v1%3A0/converse-stream",
            request: r#"{"messages":[]}"#,
            content_type: "application/vnd.amazon.eventstream",
            frames: messages(),
        },
        Exchange {
            dialect: "embeddings",
            url: "https://api.openai.com/v1/embeddings",
            request: r#"{"model":"embed-x","input":"x"}"#,
            content_type: "application/json",
            frames: embeddings(),
        },
    ]
}

const CHAT: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-x-2026","choices":[{"index":0,"message":{"role":"assistant","content":"Hello, what can I do?"},"finish_reason":"stop"}],"usage":{"prompt_tokens":21,"completion_tokens":4,"total_tokens":25,"prompt_tokens_details":{"cached_tokens":16}}}"#;

/// Returns server-sent events, one per frame.
fn events(first: &[&str], text: impl Fn(usize) -> String, last: &[&str]) -> Vec<Bytes> {
    let first = first.iter().map(|event| (*event).to_owned());
    let last = last.iter().map(|event| (*event).to_owned());
    let all = first.chain((0..EVENTS).map(text)).chain(last);
    all.map(|event| format!("{event}\n\n").into()).collect()
}

fn messages() -> Vec<Bytes> {
    let text = |at| {
        format!(r#"{{"contentBlockIndex":0,"delta":{{"text":" word{at}"}},"p":"abcdefghij"}}"#)
    };
    let mut messages = vec![message("messageStart", r#"{"role":"assistant"}"#)];
    messages.extend((0..EVENTS).map(|at| message("contentBlockDelta", &text(at))));
    messages.push(message("messageStop", r#"{"stopReason":"end_turn"}"#));
    messages.push(message(
        "metadata",
        r#"{"usage":{"inputTokens":12,"outputTokens":300,"totalTokens":312},"metrics":{"latencyMs":3514}}"#,
    ));
    messages
}

/// Encodes a message of an AWS event stream.
fn message(event: &str, payload: &str) -> Bytes {
    let mut headers = Vec::new();
    for (name, value) in [
        (":event-type", event),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ] {
        headers.push(u8::try_from(name.len()).expect("a short name"));
        headers.extend(name.as_bytes());
        headers.push(7);
        headers.extend(
            u16::try_from(value.len())
                .expect("a short value")
                .to_be_bytes(),
        );
        headers.extend(value.as_bytes());
    }
    let lengths = [16 + headers.len() + payload.len(), headers.len()];
    let mut message = Vec::new();
    for length in lengths {
        message.extend(
            u32::try_from(length)
                .expect("a short message")
                .to_be_bytes(),
        );
    }
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message.extend(&headers);
    message.extend(payload.as_bytes());
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message.into()
}

/// Returns an embedding of 20,000 numbers, in frames of 16 KiB.
fn embeddings() -> Vec<Bytes> {
    let numbers: Vec<_> = (0..20_000)
        .map(|at| format!("0.0{}", 12_345 + at))
        .collect();
    let body = format!(
        r#"{{"object":"list","data":[{{"object":"embedding","index":0,"embedding":[{}]}}],"model":"embed-x","usage":{{"prompt_tokens":8,"total_tokens":8}}}}"#,
        numbers.join(",")
    );
    body.as_bytes()
        .chunks(16 << 10)
        .map(Bytes::copy_from_slice)
        .collect()
}
