//! The memory of an LLM call while its response is read.
//!
//! Only one test, since the allocator counts for the whole process.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::convert::Infallible;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use cap::Cap;
use http::{Request, Response};
use http_body::{Body, Frame};
use tachometer::{LlmLayer, Registry};
use tower::{Service, service_fn};

#[global_allocator]
static ALLOCATOR: Cap<std::alloc::System> = Cap::new(std::alloc::System, usize::MAX);

/// The maximum memory of a call, in bytes.
const MOST: usize = 64 << 10;
/// The length of each response, in bytes.
const SIZE: usize = 1 << 20;
const FRAME: usize = 16 << 10;

#[test]
fn a_call_uses_less_than_64_kib_for_any_response() {
    for (path, start, over_and_over) in [
        ("/v1/chat/completions", "data: {\"x\":\"", "y"),
        ("/v1/chat/completions", "data: {\"model\":\"", "y"),
        ("/v1/chat/completions", "data: {\"model\":\"", "\\u0041"),
        ("/v1/chat/completions", "data: {\"", "name"),
        ("/v1/chat/completions", "data: ", "["),
        ("/v1/chat/completions", "data: ", "{\"choices\":["),
        (
            "/v1/chat/completions",
            "data: {\"usage\":{\"prompt_tokens\":1",
            "0",
        ),
        ("/v1/chat/completions", "", "event: aaaaaaaaaaaaaaaa"),
        ("/v1/chat/completions", "", ": keep-alive\n\n"),
        (
            "/v1/chat/completions",
            "{\"choices\":[",
            "{\"message\":{\"tool_calls\":[{\"function\":{\"name\":\"f\"}}]}},",
        ),
        (
            "/v1/chat/completions",
            "{\"choices\":[{\"message\":{\"tool_calls\":[",
            "{\"function\":{\"name\":\"f\"}},",
        ),
        ("/v1/embeddings", "{\"data\":[", "[1,2,[3,{\"usage\":4}]],"),
        (
            "/v1/messages",
            "",
            "data: {\"type\":\"content_block_start\",\"content_block\":{\"type\":\"tool_use\"}}\n\n",
        ),
        (
            "/v1/responses",
            "{\"output\":[",
            "{\"type\":\"function_call\"},",
        ),
        (
            "/api/chat",
            "",
            "{\"message\":{\"tool_calls\":[{\"function\":{\"name\":\"f\"}}]}}\n",
        ),
    ] {
        check(
            path,
            &[start, &over_and_over.repeat(SIZE / over_and_over.len())].concat(),
        );
    }
    // What is read element by element, and message by message.
    check(
        "/v1/x:streamGenerateContent",
        &array(
            "{\"candidates\":[{\"content\":{\"parts\":[{\"functionCall\":{\"name\":\"f\"}}]}}]},",
        ),
    );
    check("/v1/x:streamGenerateContent", &array(" "));
    check("/v1/x:streamGenerateContent", &array("["));
    for (path, headers, over_and_over) in [
        (
            "/model/m/converse-stream",
            "",
            "{\"delta\":{\"text\":\"a\"}}",
        ),
        (
            "/model/m/invoke-with-response-stream",
            "\u{b}:event-type\u{7}\0\u{5}chunk",
            "A",
        ),
        (
            "/model/m/invoke-with-response-stream",
            "\u{b}:event-type\u{7}\0\u{5}chunk",
            "{\"bytes\":\"eyJ0eXBl",
        ),
    ] {
        let payload = over_and_over.repeat(SIZE / over_and_over.len());
        check_bytes(path, message(headers.as_bytes(), payload.as_bytes()));
        let short = message(headers.as_bytes(), over_and_over.as_bytes());
        check_bytes(path, short.repeat(SIZE / short.len()));
    }
    // Headers of which not all are kept.
    check_bytes(
        "/model/m/converse-stream",
        message(&vec![1; 100_000], b"{}"),
    );
    // All different, so distinguishing them would need to store all.
    let numbered = |of: &dyn Fn(usize) -> String| (0..10_000).map(of).collect::<String>();
    check(
        "/v1/chat/completions",
        &numbered(&|at| {
            format!(
                "data: {{\"choices\":[{{\"index\":{at},\"finish_reason\":\"stop\",\"delta\":{{\"tool_calls\":[{{\"index\":{at},\"function\":{{\"name\":\"f\"}}}}]}}}}]}}\n\n"
            )
        }),
    );
    check(
        "/v1/responses",
        &numbered(&|at| {
            format!(
                "data: {{\"type\":\"response.output_item.added\",\"output_index\":{at},\"item\":{{\"type\":\"function_call\"}}}}\n\n"
            )
        }),
    );
}

/// One endless array.
fn array(element: &str) -> String {
    ["[", &element.repeat(SIZE / element.len())].concat()
}

/// A message of AWS's event streams.
fn message(headers: &[u8], payload: &[u8]) -> Vec<u8> {
    let lengths = [16 + headers.len() + payload.len(), headers.len()];
    let lengths = lengths.map(|length| u32::try_from(length).unwrap().to_be_bytes());
    let mut message = lengths.concat();
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message.extend(headers);
    message.extend(payload);
    message.extend(crc32fast::hash(&message).to_be_bytes());
    message
}

#[track_caller]
fn check(path: &str, answer: &str) {
    check_bytes(path, answer.into());
}

#[track_caller]
fn check_bytes(path: &str, answer: Vec<u8>) {
    let answer = Bytes::from(answer);
    let registry = Registry::new();
    let layer = LlmLayer::new().registry(&registry);
    // The first call makes the series, which stay.
    pass(&layer, path, &answer);
    let before = ALLOCATOR.allocated();
    let most = pass(&layer, path, &answer) - before;
    assert!(most < MOST, "{most} bytes for {:?}", &answer[..60]);
}

/// Reads a response, and returns the peak of allocated memory.
fn pass(layer: &LlmLayer, path: &str, answer: &Bytes) -> usize {
    let mut client = layer.layer(service_fn(|_: Request<String>| async {
        let body = SharedBody(answer.clone());
        Ok::<_, Infallible>(Response::new(body))
    }));
    let request = Request::post(path)
        .body("{\"model\":\"m\"}".to_owned())
        .unwrap();
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(response)) = pin!(client.call(request)).poll(&mut context) else {
        unreachable!("the answer is there");
    };
    let mut body = pin!(response.into_body());
    let mut most = 0;
    while let Poll::Ready(Some(Ok(_))) = body.as_mut().poll_frame(&mut context) {
        most = most.max(ALLOCATOR.allocated());
    }
    most
}

/// A body that is in memory already, and shares it.
struct SharedBody(Bytes);

impl Body for SharedBody {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let size = self.0.len().min(FRAME);
        let piece = self.0.split_to(size);
        Poll::Ready((size > 0).then(|| Ok(Frame::data(piece))))
    }
}
