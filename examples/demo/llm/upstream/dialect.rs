//! What differs from one provider's way to answer to another's.

use axum::http::{HeaderMap, StatusCode};
use serde_json::Value;

use super::limits::Left;
use super::said::Said;

pub(super) trait Dialect: 'static {
    /// The media type of a stream.
    const STREAM: &'static str = "text/event-stream";

    /// Whether a request wants its answer in pieces.
    fn is_streamed(asked: &Value) -> bool {
        asked["stream"] == true
    }

    /// Returns an answer in one piece.
    fn whole(said: &Said) -> Value;

    /// Returns the events of a streamed answer, as they are sent.
    fn events(said: &Said) -> Vec<String>;

    /// Returns the body of a refusal.
    fn refusal(status: StatusCode) -> Value;

    /// Returns the event by which a stream fails.
    fn failure() -> String;

    /// Says in an answer's head what is left of the rate limits.
    fn tell_limits(left: &Left, headers: &mut HeaderMap);
}
