//! The id of the trace that a request belongs to, for exemplars.

use std::borrow::Cow;

use http::{HeaderMap, request};

use crate::context::UserClosure;
use crate::middleware::closures::RequestFn;

/// The source of a request's trace id.
#[derive(Debug, Clone)]
pub(super) enum TraceIdSource {
    /// The header `traceparent`.
    Traceparent,
    /// A closure of the user.
    Closure(UserClosure<RequestFn>),
}

impl TraceIdSource {
    /// Returns the trace id, if the request has one and its trace is sampled.
    pub(super) fn trace_id<'a>(&self, parts: &'a request::Parts) -> Option<Cow<'a, str>> {
        match self {
            Self::Traceparent => sampled_trace_id(&parts.headers).map(Cow::Borrowed),
            Self::Closure(closure) => closure.call(|trace_id| trace_id(parts)).flatten(),
        }
    }
}

/// A trace id until the end of its request. One of up to 32 bytes, as all of W3C Trace Context are,
/// needs no allocation.
pub(super) enum TraceId {
    Short { bytes: [u8; 32], len: usize },
    Long(Box<str>),
}

impl TraceId {
    pub(super) fn new(text: Cow<'_, str>) -> Self {
        let mut bytes = [0; 32];
        let len = text.len();
        match bytes.get_mut(..len) {
            Some(start) => {
                start.copy_from_slice(text.as_bytes());
                Self::Short { bytes, len }
            }
            None => Self::Long(text.into()),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Short { bytes, len } => str::from_utf8(&bytes[..*len]).unwrap_or_default(),
            Self::Long(text) => text,
        }
    }
}

/// Returns the trace id of a valid `traceparent` whose trace is sampled, so that it can be
/// looked up (W3C Trace Context, sections 3.2.2 and 4.3).
fn sampled_trace_id(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = header.split('-');
    let (version, trace_id) = (parts.next()?, parts.next()?);
    let (parent_id, flags) = (parts.next()?, parts.next()?);
    // Later versions may append further parts; version 00 has exactly four.
    let has_valid_length = version != "00" || parts.next().is_none();
    let is_valid = has_valid_length
        && version != "ff"
        && is_hex(version, 2)
        && is_hex(trace_id, 32)
        && is_hex(parent_id, 16)
        && is_hex(flags, 2)
        && trace_id.contains(|digit| digit != '0')
        && parent_id.contains(|digit| digit != '0');
    let is_sampled = u8::from_str_radix(flags, 16).is_ok_and(|flags| flags & 1 == 1);
    (is_valid && is_sampled).then_some(trace_id)
}

fn is_hex(text: &str, digits: usize) -> bool {
    let is_digit = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    text.len() == digits && text.bytes().all(is_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_valid_traceparent_of_a_sampled_trace_gives_an_id() {
        const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
        #[track_caller]
        fn check(header: &str, trace_id: Option<&str>) {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", header.parse().expect("a header"));
            assert_eq!(sampled_trace_id(&headers), trace_id, "{header}");
        }
        let header = |version: &str, parent: &str| format!("{version}-{TRACE}-{parent}");
        check(&header("00", "00f067aa0ba902b7-01"), Some(TRACE));
        check(&header("00", "00f067aa0ba902b7-03"), Some(TRACE));
        check(&header("cc", "00f067aa0ba902b7-01-more"), Some(TRACE));
        check(&header("00", "00f067aa0ba902b7-00"), None);
        check(&header("00", "00f067aa0ba902b7-01-more"), None);
        check(&header("ff", "00f067aa0ba902b7-01"), None);
        check(&header("00", "0000000000000000-01"), None);
        check(&header("00", "00f067aa0ba902b-01"), None);
        check(&header("00", "00F067AA0BA902B7-01"), None);
        check(
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            None,
        );
        check("00-\"} evil 1-00f067aa0ba902b7-01", None);
        check("", None);
    }
}
