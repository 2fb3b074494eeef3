//! The differences between the providers' APIs.

use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::fake_answer::FakeAnswer;
use super::limits::RemainingLimits;

pub(super) trait Dialect: 'static {
    /// The content type of a stream.
    const STREAM_CONTENT_TYPE: &'static str = "text/event-stream";

    /// Returns true if the request asks for a stream.
    fn is_streamed(request: &Value) -> bool {
        request["stream"] == true
    }

    /// Returns the body of a complete answer.
    fn complete_body(answer: &FakeAnswer) -> Value;

    /// Returns the events of a streamed answer.
    fn events(answer: &FakeAnswer) -> Vec<String>;

    /// Returns the body of an error response.
    fn error_body(status: StatusCode) -> Value;

    /// Returns the event that reports an error in a stream.
    fn error_event() -> String;

    /// Sets the rate limit headers of a response.
    fn set_limit_headers(limits: &RemainingLimits, headers: &mut HeaderMap);
}
