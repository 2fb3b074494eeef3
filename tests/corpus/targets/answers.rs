//! Target `answers`: an LLM call with URL, request, headers and response. The bytes pass
//! unchanged, there is at most one outcome, and the metrics do not depend on how the response
//! is cut into chunks.

use std::collections::BTreeMap;
use std::io;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Request, Response};
use http_body::{Body, Frame};
use http_body_util::Full;
use tachometer::llm::{Price, PriceTable};
use tachometer::testing::Exposition;
use tachometer::{LlmLayer, Registry};
use tower::{Service, service_fn};

use super::{byte, choice, fields};

const URLS: [&str; 32] = [
    "https://api.openai.com/v1/chat/completions",
    "https://api.openai.com/v1/responses",
    "https://api.openai.com/v1/completions",
    "https://api.openai.com/v1/embeddings",
    "https://api.openai.com/v1/images/generations",
    "https://api.openai.com/v1/audio/transcriptions",
    "https://api.openai.com/v1/audio/speech",
    "https://api.openai.com/v1/moderations",
    "https://api.anthropic.com/v1/messages",
    "https://generativelanguage.googleapis.com/v1beta/models/g:generateContent",
    "https://generativelanguage.googleapis.com/v1beta/models/g:streamGenerateContent",
    "https://generativelanguage.googleapis.com/v1beta/models/g:embedContent",
    "https://a.googleapis.com/v1/projects/p/locations/l/publishers/anthropic/models/m:rawPredict",
    "https://a.googleapis.com/v1/projects/p/locations/l/publishers/google/models/m:predict",
    "https://bedrock-runtime.eu.amazonaws.com/model/m/converse",
    "https://bedrock-runtime.eu.amazonaws.com/model/m/converse-stream",
    "https://bedrock-runtime.eu.amazonaws.com/model/cohere.m/invoke",
    "https://bedrock-runtime.eu.amazonaws.com/model/ai21.m/invoke",
    "https://bedrock-runtime.eu.amazonaws.com/model/anthropic.m/invoke-with-response-stream",
    "https://bedrock-runtime.eu.amazonaws.com/model/amazon.titan/invoke",
    "https://bedrock-runtime.eu.amazonaws.com/model/meta.llama/invoke",
    "https://api.cohere.com/v2/chat",
    "https://api.cohere.com/v1/chat",
    "https://api.cohere.com/v2/embed",
    "https://api.cohere.com/v2/rerank",
    "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=1",
    "https://openrouter.ai/api/v1/chat/completions",
    "https://api.groq.com/openai/v1/chat/completions",
    "https://api.x.ai/v1/chat/completions",
    "http://localhost:11434/api/chat",
    "http://localhost:11434/api/embed",
    "http://localhost/v1/chat/completions",
];
const STATUSES: [u16; 8] = [200, 200, 200, 200, 201, 400, 429, 529];
const KINDS: [&str; 8] = [
    "application/json",
    "text/event-stream",
    "application/x-ndjson",
    "application/vnd.amazon.eventstream",
    "application/json; charset=utf-8",
    "application/jsonl",
    "audio/mpeg",
    "",
];
const HEADERS: [&str; 8] = [
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-tokens",
    "anthropic-ratelimit-tokens-remaining",
    "anthropic-ratelimit-tokens-reset",
    "retry-after",
    "x-amzn-bedrock-input-token-count",
    "openai-processing-ms",
    "x-amzn-errortype",
];
/// Metrics that depend on when chunks arrive, or on the time of day.
const TIMED: [&str; 3] = ["time_per_output", "ratelimit", "rate_limit"];

struct Call<'a> {
    url: &'static str,
    status: u16,
    kind: &'static str,
    encoded: bool,
    header: (&'static str, &'a [u8]),
    breaks: bool,
    request: &'a [u8],
    answer: &'a [u8],
}

/// Runs the target on choices, a request, a header's value and a response, separated by 0xff.
pub(crate) fn run(input: &[u8]) {
    let [mut choices, request, header, answer] = fields(input);
    let choices = &mut choices;
    let call = Call {
        url: choice(choices, &URLS),
        status: choice(choices, &STATUSES),
        kind: choice(choices, &KINDS),
        header: (choice(choices, &HEADERS), header),
        encoded: byte(choices) % 16 == 1,
        breaks: byte(choices) % 4 == 1,
        request,
        answer,
    };
    let size = usize::from(byte(choices) % 64) + 1;
    let whole = call.counted(usize::MAX, usize::MAX);
    assert_eq!(call.counted(size, usize::MAX), whole, "cut into {size}");
    // The caller stops reading after a part.
    call.counted(size, usize::from(byte(choices) % 8));
}

impl Call<'_> {
    /// Makes the call, reads some frames of the response, and returns the metrics.
    fn counted(&self, size: usize, frames: usize) -> BTreeMap<String, String> {
        let registry = Registry::new();
        let now = Instant::now();
        let prices = PriceTable::new().model_prefix("g", Price::per_million(1.0, 2.0));
        let layer = LlmLayer::new()
            .registry(&registry)
            .prices(prices)
            .clock(move || now);
        self.pass(&layer, size, frames);
        let text = registry.export_prometheus();
        let mut counted = BTreeMap::new();
        let mut requests = 0.0;
        let exposition = Exposition::parse(&text).expect("an export is valid");
        for (name, labels, value) in exposition.samples() {
            let is_valid = value.is_finite() && value >= 0.0;
            assert!(is_valid, "{name} {labels:?} {value}");
            if name == "llm_requests_total" {
                requests += value;
            }
            assert!(name != "llm_requests_in_flight" || value == 0.0, "{text}");
            if name.starts_with("llm_") && !TIMED.iter().any(|timed| name.contains(timed)) {
                let key = format!("{name}{labels:?}");
                counted.insert(key, value.to_string());
            }
        }
        assert!(requests <= 1.0, "{requests} outcomes:\n{text}");
        counted
    }

    fn pass(&self, layer: &LlmLayer, size: usize, frames: usize) {
        let Some(response) = self.response(size) else {
            return;
        };
        let mut context = Context::from_waker(Waker::noop());
        let expected = response.body().rest.clone();
        let mut response = Some(response);
        let mut client = layer.layer(service_fn(move |request: Request<Full<Bytes>>| {
            let response = response.take().ok_or(io::ErrorKind::Other.into());
            drop(request);
            std::future::ready(response)
        }));
        let request = Bytes::copy_from_slice(self.request);
        let request = Request::post(self.url).body(Full::new(request));
        let request = request.expect("the URL is one of ours");
        let future: Result<Response<_>, io::Error> =
            match pin!(client.call(request)).poll(&mut context) {
                Poll::Ready(response) => response,
                Poll::Pending => unreachable!("the answer is there"),
            };
        let mut body = pin!(future.expect("there is an answer").into_body());
        let mut read = Vec::new();
        for _ in 0..frames {
            match body.as_mut().poll_frame(&mut context) {
                Poll::Ready(Some(Ok(frame))) => {
                    read.extend(frame.into_data().expect("there are no trailers"));
                }
                Poll::Ready(Some(Err(_))) => {
                    assert!(self.breaks, "an error of our own");
                    break;
                }
                Poll::Ready(None) => {
                    assert_eq!(read, expected, "changed");
                    break;
                }
                Poll::Pending => unreachable!("all pieces are there"),
            }
        }
        assert!(expected.starts_with(&read), "changed");
    }

    /// Returns the response, if the header is valid.
    fn response(&self, size: usize) -> Option<Response<ChunkedBody>> {
        let mut response = Response::builder().status(self.status);
        response = response.header(CONTENT_TYPE, self.kind);
        if self.encoded {
            response = response.header(CONTENT_ENCODING, "gzip");
        }
        let (name, value) = self.header;
        let value = HeaderValue::from_bytes(value).ok()?;
        response = response.header(HeaderName::from_static(name), value);
        let pieces = ChunkedBody {
            rest: Bytes::copy_from_slice(self.answer),
            size,
            breaks: self.breaks,
        };
        response.body(pieces).ok()
    }
}

/// A body in chunks of one size, which may fail at its end.
struct ChunkedBody {
    rest: Bytes,
    size: usize,
    breaks: bool,
}

impl Body for ChunkedBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        let size = self.size.min(self.rest.len());
        if size > 0 {
            return Poll::Ready(Some(Ok(Frame::data(self.rest.split_to(size)))));
        }
        if self.breaks {
            return Poll::Ready(Some(Err(io::ErrorKind::ConnectionReset.into())));
        }
        Poll::Ready(None)
    }
}
