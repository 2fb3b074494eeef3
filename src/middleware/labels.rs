//! What a request is called in the layer's labels: only values of closed sets,
//! never what a client wrote.

use http::{Method, StatusCode, Version};

use crate::middleware::head::RequestHead;

/// The value of a label of which nothing is known.
pub(super) const NONE: &str = "none";
/// The value that stands for all that are not known.
pub(super) const OTHER: &str = "_OTHER";

/// Returns the method's name if it is one of HTTP's nine, or `_OTHER`.
pub(super) fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => OTHER,
    }
}

/// Returns the status's digits, or its class; `_OTHER` where it is none of HTTP's
/// five classes, and `none` where there was none.
pub(super) fn status_label(status: Option<&StatusCode>, class: bool) -> &str {
    let Some(status) = status else {
        return NONE;
    };
    match (status.as_u16() / 100, class) {
        (1..=5, false) => status.as_str(),
        (1, true) => "1xx",
        (2, true) => "2xx",
        (3, true) => "3xx",
        (4, true) => "4xx",
        (5, true) => "5xx",
        _ => OTHER,
    }
}

pub(super) const VERSIONS: [&str; 5] = ["0.9", "1.0", "1.1", "2", "3"];

pub(super) fn version_label(head: &RequestHead<'_>) -> &'static str {
    match head.version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_11 => "1.1",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => OTHER,
    }
}

/// Returns the scheme where the request has one: over HTTP/1.1 it mostly has none.
pub(super) fn scheme_label(head: &RequestHead<'_>) -> &'static str {
    match head.uri.scheme_str() {
        Some("http") => "http",
        Some("https") => "https",
        Some(_) => OTHER,
        None => NONE,
    }
}
