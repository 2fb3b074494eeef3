//! The declared format of a response.

use http::{HeaderMap, header};

use crate::llm::response::DeclaredFormat;

/// Returns the format that the headers declare. If `has_lines`, the dialect streams JSON lines.
/// If `is_free_form`, the dialect also has responses that are not JSON, such as audio or text; then
/// a response is JSON only if its content type says so.
pub(crate) fn declared_format(
    headers: &HeaderMap,
    has_lines: bool,
    is_free_form: bool,
) -> DeclaredFormat {
    let content_type = headers.get(header::CONTENT_TYPE);
    let content_type = content_type.and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or("");
    // The fast path for the most frequent content type.
    if content_type.starts_with("application/json") && !has_lines {
        return DeclaredFormat::Other;
    }
    let content_type = content_type.to_ascii_lowercase();
    let contains = |part: &str| content_type.contains(part);
    if contains("ndjson") || contains("jsonl") || has_lines {
        DeclaredFormat::JsonLines
    } else if contains("vnd.amazon.eventstream") {
        DeclaredFormat::AwsEventStream
    } else if contains("event-stream") {
        DeclaredFormat::Sse
    } else if is_free_form && !contains("json") {
        DeclaredFormat::Opaque
    } else {
        DeclaredFormat::Other
    }
}

/// Returns true if the body is compressed. The layer cannot read such a body.
pub(crate) fn is_encoded(headers: &HeaderMap) -> bool {
    let codings = headers.get_all(header::CONTENT_ENCODING);
    codings
        .iter()
        .any(|coding| !coding.as_bytes().eq_ignore_ascii_case(b"identity") && !coding.is_empty())
}
