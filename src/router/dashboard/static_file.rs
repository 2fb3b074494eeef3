//! Files of the crate that browsers cache until they change.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, ETAG, IF_NONE_MATCH, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use http_body::Frame;

/// A file with its entity tag.
#[derive(Debug, Clone)]
pub(super) struct StaticFile {
    text: &'static str,
    /// It is weak, since it is the same for all codings of the file (RFC 9110, 8.8.3.3).
    etag: String,
}

impl StaticFile {
    pub(super) fn new(text: &'static str) -> Self {
        let etag = etag(text.as_bytes());
        Self { text, etag }
    }

    /// Returns `response` with this file as its body, or with status 304 if the client has the
    /// file already. Browsers may cache it, but must revalidate it.
    pub(super) fn respond(&self, mut response: Response, request: &HeaderMap) -> Response {
        *response.body_mut() = if is_cached_by_client(request, &self.etag) {
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            Body::new(NoContent)
        } else {
            Body::from(Bytes::from_static(self.text.as_bytes()))
        };
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if let Ok(etag) = HeaderValue::from_str(&self.etag) {
            headers.insert(ETAG, etag);
        }
        if cfg!(feature = "compression") {
            // Also in a 304, which is never compressed (RFC 9110, 15.4.5).
            headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
        }
        response
    }
}

/// Returns true if `If-None-Match` contains this entity tag.
///
/// The comparison is weak: it ignores `W/` (RFC 9110, 13.1.2).
fn is_cached_by_client(request: &HeaderMap, etag: &str) -> bool {
    let values = request.get_all(IF_NONE_MATCH).iter();
    let mut lists = values.filter_map(|value| value.to_str().ok());
    lists.any(|list| {
        let mut tags = list.split(',').map(str::trim);
        tags.any(|tag| tag == "*" || opaque_tag(tag) == opaque_tag(etag))
    })
}

fn opaque_tag(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

/// Returns a weak entity tag: the 64-bit FNV-1a hash of the content. It needs no protection
/// from deliberate collisions, since only files of this crate are served.
fn etag(content: &[u8]) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in content {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("W/\"{hash:016x}\"")
}

/// The body of a 304. It declares no length: axum would send the length of an empty body instead
/// of that of the file (RFC 9110, 8.6).
struct NoContent;

impl http_body::Body for NoContent {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(None)
    }

    fn is_end_stream(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_cached_if_its_tag_is_in_the_list() {
        let tag = etag(b"content");
        assert_ne!(tag, etag(b"contents"));
        let strong = opaque_tag(&tag).to_owned();
        assert_ne!(strong, tag);
        for (lists, expected) in [
            (vec![tag.clone()], true),
            (vec![strong.clone()], true),
            (vec![format!("\"a\", W/\"b\",{tag} ")], true),
            (vec!["\"a\"".into(), format!("\t{strong}")], true),
            (vec!["*".into()], true),
            (vec![" * ".into()], true),
            (vec![], false),
            (vec![String::new()], false),
            (vec!["\"a\"".into()], false),
            (vec![strong.trim_matches('"').into()], false),
            (vec![format!("w/{strong}")], false),
            (vec![format!("W/{tag}")], false),
        ] {
            let mut headers = HeaderMap::new();
            for list in &lists {
                headers.append(IF_NONE_MATCH, list.parse().unwrap());
            }
            assert_eq!(is_cached_by_client(&headers, &tag), expected, "{lists:?}");
        }
    }
}
