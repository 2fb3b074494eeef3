//! Compares the time that the layer adds to LLM responses with that of parsing them by other
//! means.
//!
//! `cargo run --release --bin calls` in this folder.

use std::convert::Infallible;
use std::fmt::Write as _;
use std::future::{Ready, ready};
use std::hint::black_box;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use eventsource_stream::Eventsource;
use futures_util::Stream;
use http::{Request, Response};
use http_body::{Body, Frame};
use serde::Deserialize;
use serde::de::IgnoredAny;
use tachometer::llm::{Price, PriceTable};
use tachometer::{LlmLayer, Registry};
use tachometer_rivals::{Candidate, compare};
use tower::Service;

const MIB: usize = 1 << 20;
/// The size of a frame.
const FRAME: usize = 16 << 10;

fn main() {
    let embeddings = embeddings(32 * MIB);
    whole("32 MiB of embeddings", "/v1/embeddings", &embeddings);
    whole("an answer of 300 bytes", "/v1/chat/completions", CHAT);
    let stream = stream(1_000);
    compare(
        "a stream of 1,000 events, each in a frame",
        1,
        &passing(
            "/v1/chat/completions",
            "text/event-stream",
            &events(&stream),
        ),
    );
    let path = "/model/m/converse-stream";
    compare(
        "1,000 messages of Bedrock's, each in a frame",
        1,
        &passing(
            path,
            AWS,
            &messages(|| {
                message(
                    "contentBlockDelta",
                    r#"{"contentBlockIndex":0,"delta":{"text":" word"},"p":"abcdefghijklmnop"}"#,
                )
            }),
        ),
    );
    let path = "/model/m/invoke-with-response-stream";
    compare(
        "1,000 messages of Bedrock's with events of Anthropic's in them",
        1,
        &passing(
            path,
            AWS,
            &messages(|| {
                let event = r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":" word"}}"#;
                message(
                    "chunk",
                    &format!(r#"{{"bytes":"{}","p":"abcdef"}}"#, STANDARD.encode(event)),
                )
            }),
        ),
    );
    // The other crate takes quadratic time: minutes for 8 MiB.
    for (size, with_peer) in [
        (MIB / 4, true),
        (2 * MIB, true),
        (MIB, false),
        (8 * MIB, false),
    ] {
        let line = ["data: {\"x\":\"", &"y".repeat(size)].concat();
        let frames = cut(line.as_bytes(), 1 << 10);
        let mut candidates = passing("/v1/chat/completions", "text/event-stream", &frames);
        if with_peer {
            candidates.push(Candidate::new("eventsource-stream 0.2", move |_| {
                let frames = frames.iter().cloned().map(Ok::<_, Infallible>);
                drain(futures_util::stream::iter(frames).eventsource());
            }));
        }
        let title = format!(
            "{} KiB without an end of line, in frames of 1 KiB",
            size >> 10
        );
        compare(&title, 1, &candidates);
    }
}

/// Compares a response that is not streamed with parsing it from a buffer.
fn whole(title: &str, path: &'static str, body: &str) {
    let frames = cut(body.as_bytes(), FRAME);
    let mut candidates = passing(path, "application/json", &frames);
    let prices = PriceTable::new().model("gpt-x", Price::per_million(1.25, 10.0));
    let priced = LlmLayer::new()
        .registry(&Registry::new())
        .prices(prices)
        .route_metrics();
    let upstream = Upstream {
        kind: "application/json",
        frames: frames.into(),
    };
    candidates.push(Candidate::new(
        "tachometer, with its cost and route",
        move |_| {
            call(priced.layer(upstream.clone()), path);
        },
    ));
    let buffered: Bytes = body.to_owned().into();
    candidates.push(Candidate::new(
        "serde_json, what is wanted, from a buffer",
        {
            let buffered = buffered.clone();
            move |_| {
                black_box(serde_json::from_slice::<Answer>(&buffered).expect("it is JSON"));
            }
        },
    ));
    candidates.push(Candidate::new(
        "serde_json, a Value, from a buffer",
        move |_| {
            black_box(serde_json::from_slice::<serde_json::Value>(&buffered).expect("it is JSON"));
        },
    ));
    compare(title, 1, &candidates);
}

/// Returns candidates that pass a response with and without the layer.
fn passing(path: &'static str, kind: &'static str, frames: &[Bytes]) -> Vec<Candidate> {
    let upstream = Upstream {
        kind,
        frames: frames.to_vec().into(),
    };
    let layer = LlmLayer::new().registry(&Registry::new());
    let bare = upstream.clone();
    vec![
        Candidate::new("without the layer", move |_| call(bare.clone(), path)),
        Candidate::new("tachometer", move |_| {
            call(layer.layer(upstream.clone()), path);
        }),
    ]
}

const CHAT: &str = r#"{"id":"chatcmpl-1","object":"chat.completion","created":1,"model":"gpt-x-2026","choices":[{"index":0,"message":{"role":"assistant","content":"Hello, what can I do?"},"finish_reason":"stop"}],"usage":{"prompt_tokens":21,"completion_tokens":4,"total_tokens":25,"prompt_tokens_details":{"cached_tokens":16}}}"#;

/// The fields that serde_json parses.
#[derive(Deserialize)]
#[expect(dead_code, reason = "it is found, and that is all")]
struct Answer {
    model: String,
    usage: Usage,
    #[serde(default)]
    data: IgnoredAny,
    #[serde(default)]
    choices: IgnoredAny,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "it is found, and that is all")]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: Option<u64>,
}

const AWS: &str = "application/vnd.amazon.eventstream";

fn messages(message: impl Fn() -> Bytes) -> Vec<Bytes> {
    (0..1_000).map(|_| message()).collect()
}

/// Encodes a message of an AWS event stream.
fn message(kind: &str, payload: &str) -> Bytes {
    let mut headers = Vec::new();
    for (name, value) in [(":event-type", kind), (":message-type", "event")] {
        headers.push(name.len() as u8);
        headers.extend(name.as_bytes());
        headers.push(7);
        headers.extend((value.len() as u16).to_be_bytes());
        headers.extend(value.as_bytes());
    }
    let lengths = [16 + headers.len() + payload.len(), headers.len()];
    let mut message = lengths.map(|length| (length as u32).to_be_bytes()).concat();
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message.extend(headers);
    message.extend(payload.as_bytes());
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message.into()
}

fn embeddings(size: usize) -> String {
    let mut text = String::from(r#"{"object":"list","data":["#);
    let mut random = 1_u64;
    while text.len() < size {
        text.push_str(r#"{"object":"embedding","index":0,"embedding":["#);
        for _ in 0..1_536 {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let number = (random >> 33) as f64 / f64::from(1_u32 << 31) - 0.5;
            let _ = write!(text, "{number:.9},");
        }
        text.pop();
        text.push_str("]},");
    }
    text.pop();
    text.push_str(r#"],"model":"emb-x","usage":{"prompt_tokens":8,"total_tokens":8}}"#);
    text
}

fn stream(events: usize) -> String {
    let mut text = String::new();
    for _ in 0..events {
        text.push_str(concat!(
            r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"#,
            r#""model":"gpt-x-2026","choices":[{"index":0,"delta":{"content":" word"},"#,
            r#""finish_reason":null}],"usage":null}"#,
            "\n\n"
        ));
    }
    text
}

fn events(stream: &str) -> Vec<Bytes> {
    let events = stream.split_inclusive("\n\n");
    events.map(|event| event.to_owned().into()).collect()
}

fn cut(bytes: &[u8], size: usize) -> Vec<Bytes> {
    bytes.chunks(size).map(Bytes::copy_from_slice).collect()
}

fn call<S, B>(mut client: S, path: &str)
where
    S: Service<Request<String>, Response = Response<B>, Error = Infallible>,
    B: Body,
{
    let request = Request::post(path).body(r#"{"model":"gpt-x","stream":true}"#.to_owned());
    let request = request.expect("it is a request");
    let mut context = Context::from_waker(Waker::noop());
    let future = pin!(client.call(request));
    let Poll::Ready(Ok(response)) = future.poll(&mut context) else {
        unreachable!("the answer is there");
    };
    let mut body = pin!(response.into_body());
    while let Poll::Ready(Some(Ok(frame))) = body.as_mut().poll_frame(&mut context) {
        let _ = black_box(frame);
    }
}

fn drain(stream: impl Stream) {
    let mut stream = pin!(stream);
    let mut context = Context::from_waker(Waker::noop());
    while let Poll::Ready(Some(item)) = stream.as_mut().poll_next(&mut context) {
        let _ = black_box(item);
    }
}

/// A client with prepared responses.
#[derive(Clone)]
struct Upstream {
    kind: &'static str,
    frames: std::sync::Arc<[Bytes]>,
}

impl<B> Service<Request<B>> for Upstream {
    type Response = Response<Frames>;
    type Error = Infallible;
    type Future = Ready<Result<Response<Frames>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        let body = Frames {
            frames: self.frames.clone(),
            next: 0,
        };
        let response = Response::builder().header("content-type", self.kind);
        ready(Ok(response.body(body).expect("it is a response")))
    }
}

struct Frames {
    frames: std::sync::Arc<[Bytes]>,
    next: usize,
}

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let frame = self.frames.get(self.next).cloned();
        self.next += 1;
        Poll::Ready(frame.map(|frame| Ok(Frame::data(frame))))
    }
}
