//! The trace that a request belongs to, for exemplars.

use std::borrow::Cow;

use http::HeaderMap;

use crate::context::Hook;
use crate::middleware::head::{RequestFn, RequestHead};

/// Where the trace's id comes from.
#[derive(Debug, Clone)]
pub(super) enum TraceIdSource {
    /// From the header `traceparent`.
    Traceparent,
    /// From a closure of the user's.
    Closure(Hook<RequestFn>),
}

impl TraceIdSource {
    /// Returns the id of the trace, if the request belongs to one that is kept.
    pub(super) fn trace_id(&self, head: &RequestHead<'_>) -> Option<Cow<'static, str>> {
        match self {
            Self::Traceparent => {
                let id = sampled_trace(head.headers)?;
                Some(Cow::Owned(id.to_owned()))
            }
            Self::Closure(hook) => hook.call(|trace_id| trace_id(head)).flatten(),
        }
    }
}

/// Returns the trace id of a `traceparent` whose trace is sampled, and so can be
/// looked up (W3C Trace Context, sections 3.2.2 and 4.3).
fn sampled_trace(headers: &HeaderMap) -> Option<&str> {
    let header = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = header.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let (parent, flags) = (parts.next()?, parts.next()?);
    // Of a later version there may be more parts; of this one there may not.
    let ends = version != "00" || parts.next().is_none();
    let valid = ends
        && version != "ff"
        && is_hex(version, 2)
        && is_hex(trace, 32)
        && is_hex(parent, 16)
        && is_hex(flags, 2)
        && trace.contains(|digit| digit != '0')
        && parent.contains(|digit| digit != '0');
    let sampled = u8::from_str_radix(flags, 16).is_ok_and(|flags| flags & 1 == 1);
    (valid && sampled).then_some(trace)
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
        fn check(header: &str, id: Option<&str>) {
            let mut headers = HeaderMap::new();
            headers.insert("traceparent", header.parse().expect("a header"));
            assert_eq!(sampled_trace(&headers), id, "{header}");
        }
        let with = |version: &str, rest: &str| format!("{version}-{TRACE}-{rest}");
        check(&with("00", "00f067aa0ba902b7-01"), Some(TRACE));
        check(&with("00", "00f067aa0ba902b7-03"), Some(TRACE));
        check(&with("cc", "00f067aa0ba902b7-01-more"), Some(TRACE));
        check(&with("00", "00f067aa0ba902b7-00"), None);
        check(&with("00", "00f067aa0ba902b7-01-more"), None);
        check(&with("ff", "00f067aa0ba902b7-01"), None);
        check(&with("00", "0000000000000000-01"), None);
        check(&with("00", "00f067aa0ba902b-01"), None);
        check(&with("00", "00F067AA0BA902B7-01"), None);
        check(
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            None,
        );
        check("00-\"} evil 1-00f067aa0ba902b7-01", None);
        check("", None);
    }
}
