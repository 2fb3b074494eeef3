//! What the headers of a response report: times, tokens, cost, service tier and errors.

use http::HeaderMap;

use crate::llm::response::answer::Answer;
use crate::llm::response::json::Value;

type Take = fn(&mut Answer, Value<'_>);

/// The headers that are read, and the methods that take their values.
const HEADERS: [(&str, Take); 9] = [
    ("openai-processing-ms", Answer::total_millis),
    // Bedrock, for the models that it invokes.
    ("x-amzn-bedrock-input-token-count", Answer::input),
    ("x-amzn-bedrock-output-token-count", Answer::output),
    (
        "x-amzn-bedrock-cache-read-input-token-count",
        Answer::cache_read,
    ),
    (
        "x-amzn-bedrock-cache-write-input-token-count",
        Answer::cache_write,
    ),
    ("x-amzn-bedrock-invocation-latency", Answer::total_millis),
    ("x-amzn-bedrock-service-tier", Answer::service_tier),
    ("x-amzn-errortype", aws_error_type),
    ("x-litellm-response-cost", litellm_cost),
];

/// Reads the headers of a response.
pub(crate) fn read_headers(headers: &HeaderMap, answer: &mut Answer) {
    // One pass over the names, most of which start with something else, is cheaper than nine
    // look-ups.
    for (name, value) in headers {
        let name = name.as_str();
        if !name.starts_with("x-") && !name.starts_with("openai-") {
            continue;
        }
        let header = HEADERS.iter().find(|(header, _)| *header == name);
        if let (Some((_, take)), Ok(text)) = (header, value.to_str()) {
            take(answer, Value::Text(text));
        }
    }
    answer.end_headers();
}

/// An error type, which a colon and a URL may follow.
fn aws_error_type(answer: &mut Answer, value: Value<'_>) {
    let error_type = value.scalar().and_then(|text| text.split(':').next());
    answer.set_error(error_type.unwrap_or(""));
}

/// A cost in US dollars, or 0 if LiteLLM knows no price.
fn litellm_cost(answer: &mut Answer, value: Value<'_>) {
    if value.to_f64() != Some(0.0) {
        answer.cost(value);
    }
}
