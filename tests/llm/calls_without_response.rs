//! Calls that end before their response: dropped, failed, panicked, or refused and never read.

use std::convert::Infallible;
use std::future::{Pending, pending};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body::{Body, Frame};
use tachometer::{LlmLayer, Registry};
use tower::{Service, service_fn};

use crate::cut_off_responses::WHOLE;
use crate::response_formats::CHAT;
use crate::support::{Call, Ends, Readings, next_frame, readings};

#[test]
fn an_error_response_that_is_not_read_is_classified_by_its_status() {
    let registry = Registry::new();
    let call = Call {
        path: CHAT,
        request: WHOLE,
        status: 429,
        headers: vec![],
        body: br#"{"error":{"code":"insufficient_quota"}}"#,
        ends: Ends::Whole,
    };
    let layer = LlmLayer::new().registry(&registry);
    drop(call.send(&layer, usize::MAX));
    assert_eq!(
        readings(&registry).label_values("llm_requests_error"),
        ["rate_limited"]
    );
    let mut read = call.send(&layer, usize::MAX);
    assert!(next_frame(&mut read).is_some());
    drop(read);
    let readings = readings(&registry);
    assert_eq!(
        readings.label_values("llm_requests_error"),
        ["quota", "rate_limited"]
    );
    assert!(readings.label_values("llm_usage_missing_total").is_empty());
}

fn request() -> Request<String> {
    let request = Request::post("http://localhost/v1/chat/completions");
    request.body(WHOLE.to_owned()).unwrap()
}

/// A client that returns the given response.
fn outcome<F, E>(answer: impl FnMut(Request<String>) -> F) -> Readings
where
    F: Future<Output = Result<Response<Panicking>, E>>,
    E: 'static,
{
    let registry = Registry::new();
    let mut client = LlmLayer::new()
        .registry(&registry)
        .layer(service_fn(answer));
    let mut context = Context::from_waker(Waker::noop());
    let _ = catch_unwind(AssertUnwindSafe(|| {
        let mut call = Box::pin(client.call(request()));
        if let Poll::Ready(Ok(response)) = call.as_mut().poll(&mut context) {
            let _ = pin!(response.into_body()).poll_frame(&mut context);
        }
    }));
    readings(&registry)
}

#[test]
fn a_call_dropped_before_its_response_is_cancelled() {
    let readings = outcome(|_| pending::<Result<_, Infallible>>());
    assert_eq!(readings.label_values("llm_requests_total"), ["cancelled"]);
    assert_eq!(
        readings.label_values("llm_usage_missing_total"),
        ["cancelled"]
    );
    assert_eq!(readings.count("llm_requests_in_flight", ""), None);
}

#[test]
fn a_call_that_fails_before_its_response_is_classified_by_its_error() {
    // If the provider may have worked on the call, its usage is unknown.
    for (kind, expected, missing) in [
        (io::ErrorKind::TimedOut, "timeout", &["error"][..]),
        (io::ErrorKind::ConnectionRefused, "connect", &[]),
        (io::ErrorKind::BrokenPipe, "transport", &["error"]),
    ] {
        let readings = outcome(|_| async move { Err(io::Error::from(kind)) });
        assert_eq!(readings.label_values("llm_requests_error"), [expected]);
        assert_eq!(readings.label_values("llm_usage_missing_total"), missing);
    }
    let boxed = |_| async { Err(Box::<dyn std::error::Error + Send + Sync>::from("no")) };
    assert_eq!(
        outcome(boxed).label_values("llm_requests_error"),
        ["transport"]
    );
}

#[test]
fn a_panic_of_the_client_is_counted_as_a_panic() {
    let readings = outcome(|_| -> Pending<Result<_, Infallible>> { panic!("in the call") });
    assert_eq!(readings.label_values("llm_requests_error"), ["panic"]);
    let readings = outcome(|_| async { panic!("in the future") as Result<_, Infallible> });
    assert_eq!(readings.label_values("llm_requests_error"), ["panic"]);
    let readings = outcome(|_| async { Ok::<_, Infallible>(Response::new(Panicking)) });
    assert_eq!(readings.label_values("llm_requests_error"), ["panic"]);
}

/// A body whose reading panics.
#[derive(Debug)]
struct Panicking;

impl Body for Panicking {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        panic!("in the body");
    }
}
