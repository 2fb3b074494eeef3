//! Files that are part of the program, which a browser keeps until they change.

use axum::body::{Body, Bytes};
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;

/// A file with its tag.
#[derive(Debug, Clone)]
pub(super) struct StaticFile {
    text: &'static str,
    tag: String,
}

impl StaticFile {
    pub(super) fn new(text: &'static str) -> Self {
        let tag = tag(text.as_bytes());
        Self { text, tag }
    }

    /// Makes `answer` one with this file, which a browser may keep and has to ask for again:
    /// with 304 if it has the same already.
    pub(super) fn answer(&self, mut answer: Response, request: &HeaderMap) -> Response {
        *answer.body_mut() = if has(request, &self.tag) {
            *answer.status_mut() = StatusCode::NOT_MODIFIED;
            Body::empty()
        } else {
            Body::from(Bytes::from_static(self.text.as_bytes()))
        };
        let headers = answer.headers_mut();
        // Of a 304, too, whose body axum would else call empty (RFC 9110, 8.6).
        headers.insert(CONTENT_LENGTH, HeaderValue::from(self.text.len()));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
        if let Ok(tag) = HeaderValue::from_str(&self.tag) {
            headers.insert(ETAG, tag);
        }
        answer
    }
}

/// Returns true if the client says that it has what this tag stands for.
///
/// Tags are compared without regard to `W/` (RFC 9110, 13.1.2).
fn has(request: &HeaderMap, tag: &str) -> bool {
    let values = request.get_all(IF_NONE_MATCH).iter();
    let mut tags = values.filter_map(|value| value.to_str().ok());
    tags.any(|list| {
        let mut all = list.split(',').map(str::trim);
        all.any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
    })
}

/// Returns a strong tag of some content, by 64 bits of FNV-1a: the files of two versions
/// of the crate differ by chance, and nobody else's are served.
fn tag(content: &[u8]) -> String {
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
    fn a_client_has_what_one_of_its_tags_stands_for() {
        let tag = tag(b"content");
        assert_ne!(tag, super::tag(b"contents"));
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
            assert_eq!(has(&headers, &tag), expected, "{lists:?}");
        }
    }
}
