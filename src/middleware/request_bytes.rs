//! Counts the bytes of a request's body.

use std::sync::Arc;

use http::{Method, Request, Version, header};

use crate::middleware::body_sizes::RequestSize;
use crate::middleware::endpoint::Endpoint;
use crate::middleware::unrouted::Unrouted;

/// Counts the bytes of a request's body, under the route that is known when they are read.
pub(super) struct RequestBytes {
    endpoint: Arc<Endpoint>,
    /// Set until the route is known.
    unrouted: Option<Unrouted>,
    /// Set if the record needs to know how many bytes were read.
    size: Option<Arc<RequestSize>>,
}

impl RequestBytes {
    pub(super) fn new(endpoint: Arc<Endpoint>) -> Self {
        Self::with_optional_state(endpoint, None, None)
    }

    pub(super) fn with_optional_state(
        endpoint: Arc<Endpoint>,
        unrouted: Option<Unrouted>,
        size: Option<Arc<RequestSize>>,
    ) -> Self {
        Self {
            endpoint,
            unrouted,
            size,
        }
    }

    pub(super) fn add(&mut self, bytes: usize) {
        if let Some(unrouted) = &mut self.unrouted
            && let Some(endpoint) = unrouted.endpoint_from_slot(&self.endpoint)
        {
            self.endpoint = endpoint;
        }
        if let Some(size) = &self.size {
            // Only the end of the request decides whether it counts.
            if self.unrouted.as_ref().is_some_and(Unrouted::is_skipped) {
                return size.add_pending(bytes as u64);
            }
            size.add(bytes as u64);
        }
        self.endpoint.request_bytes().inc_by(bytes);
    }
}

/// Returns true if a request may have a body, by its head.
///
/// Without a declared length, the method decides, in HTTP/1 too: a client sends `Content-Length: 0`
/// with a POST that has no body (RFC 9110, section 8.6), and middleware that changes a body, such
/// as a decompression, removes the header.
pub(super) fn may_have_body<B>(request: &Request<B>) -> bool {
    let headers = request.headers();
    match headers.get(header::CONTENT_LENGTH) {
        Some(length) => length != "0",
        None => {
            headers.contains_key(header::TRANSFER_ENCODING)
                || match *request.method() {
                    Method::POST | Method::PUT | Method::PATCH => true,
                    Method::GET
                    | Method::HEAD
                    | Method::OPTIONS
                    | Method::DELETE
                    | Method::TRACE
                    | Method::CONNECT => false,
                    // A body without a length needs no header in HTTP/2.
                    _ => request.version() > Version::HTTP_11,
                }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_decides_whether_a_request_without_a_length_may_have_a_body() {
        for (method, version, expected) in [
            ("GET", Version::HTTP_2, false),
            ("DELETE", Version::HTTP_2, false),
            ("POST", Version::HTTP_11, true),
            ("POST", Version::HTTP_2, true),
            ("PROPFIND", Version::HTTP_11, false),
            ("PROPFIND", Version::HTTP_2, true),
        ] {
            let request = Request::builder().method(method).version(version).body(());
            let request = request.expect("a valid request");
            assert_eq!(may_have_body(&request), expected, "{method} {version:?}");
        }
        for (name, value, expected) in [
            (header::CONTENT_LENGTH, "0", false),
            (header::CONTENT_LENGTH, "1", true),
            (header::TRANSFER_ENCODING, "chunked", true),
        ] {
            let request = Request::put("/").header(&name, value).body(());
            let request = request.expect("a valid request");
            assert_eq!(may_have_body(&request), expected, "{name}: {value}");
        }
    }
}
