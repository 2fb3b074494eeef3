//! What the head of an answer tells.

use http::HeaderMap;

use crate::llm::facts::{Phase, TimeUnit};
use crate::llm::response::answer::{Answer, Field};
use crate::llm::response::json::{Sink, Value};

/// The headers that tell something, and what.
const HEADERS: [(&str, Field); 9] = [
    (
        "openai-processing-ms",
        Field::Took(Phase::Total, TimeUnit::Millis),
    ),
    // Bedrock's, of models that it invokes.
    ("x-amzn-bedrock-input-token-count", Field::Input),
    ("x-amzn-bedrock-output-token-count", Field::Output),
    (
        "x-amzn-bedrock-cache-read-input-token-count",
        Field::CacheRead,
    ),
    (
        "x-amzn-bedrock-cache-write-input-token-count",
        Field::CacheWrite,
    ),
    (
        "x-amzn-bedrock-invocation-latency",
        Field::Took(Phase::Total, TimeUnit::Millis),
    ),
    ("x-amzn-errortype", Field::ErrorCode),
    // A gateway's.
    ("x-litellm-response-cost", Field::Cost),
    ("x-amzn-bedrock-service-tier", Field::ServiceTier),
];

/// Reads the head of an answer.
pub(crate) fn read_headers(headers: &HeaderMap, answer: &mut Answer) {
    // One look at each name, of which most begin otherwise, costs less than asking for all.
    for (name, value) in headers {
        let name = name.as_str();
        if !name.starts_with("x-") && !name.starts_with("openai-") {
            continue;
        }
        let known = HEADERS.iter().find(|(known, _)| *known == name);
        let (Some((_, field)), Ok(text)) = (known, value.to_str()) else {
            continue;
        };
        match *field {
            // What follows is the address of who explains it.
            Field::ErrorCode => {
                let word = text.split(':').next().unwrap_or(text);
                answer.take(Field::ErrorCode, Value::Text(word));
            }
            Field::ServiceTier => answer.take(Field::ServiceTier, Value::Text(text)),
            // A gateway that knows no price says 0.
            Field::Cost if text.parse() == Ok(0.0) => {}
            field => answer.take(field, Value::Number(text)),
        }
    }
    answer.end_head();
}
