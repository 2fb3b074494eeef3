//! Files of the crate that browsers cache until they change.

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;

/// A file with its entity tag.
#[derive(Debug, Clone)]
pub(super) struct StaticFile {
    text: &'static str,
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
            Body::empty()
        } else {
            Body::from(Bytes::from_static(self.text.as_bytes()))
        };
        let headers = response.headers_mut();
        // For a 304 axum would otherwise send the length of its empty body (RFC 9110, 8.6).
        headers.insert(CONTENT_LENGTH, HeaderValue::from(self.text.len()));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if let Ok(etag) = HeaderValue::from_str(&self.etag) {
            headers.insert(ETAG, etag);
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
        tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
    })
}

/// Returns a strong entity tag: the 64-bit FNV-1a hash of the content. It needs no protection
/// from deliberate collisions, since only files of this crate are served.
fn etag(content: &[u8]) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in content {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    format!("\"{hash:016x}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_cached_if_its_tag_is_in_the_list() {
        let tag = etag(b"content");
        assert_ne!(tag, etag(b"contents"));
        for (lists, expected) in [
            (vec![tag.clone()], true),
            (vec![format!("W/{tag}")], true),
            (vec![format!("\"a\", W/\"b\",{tag} ")], true),
            (vec!["\"a\"".into(), format!("\t{tag}")], true),
            (vec!["*".into()], true),
            (vec![" * ".into()], true),
            (vec![], false),
            (vec![String::new()], false),
            (vec!["\"a\"".into()], false),
            (vec![tag.trim_matches('"').into()], false),
            (vec![format!("w/{tag}")], false),
            (vec![format!("W/W/{tag}")], false),
        ] {
            let mut headers = HeaderMap::new();
            for list in &lists {
                headers.append(IF_NONE_MATCH, list.parse().unwrap());
            }
            assert_eq!(is_cached_by_client(&headers, &tag), expected, "{lists:?}");
        }
    }
}
