//! What a request is called in the layer's labels: only values of closed sets,
//! never what a client wrote.

use http::{Method, StatusCode, Version};

use crate::middleware::head::RequestHead;

/// The value of a label of which nothing is known.
pub(super) const NONE: &str = "none";
/// The value that stands for all that are not known.
pub(super) const OTHER: &str = "_OTHER";

/// A method, as far as it is one of HTTP's nine (RFC 9110, section 9.3, and RFC 5789).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum MethodLabel {
    Get,
    Post,
    Put,
    Delete,
    Head,
    Options,
    Patch,
    Connect,
    Trace,
    Other,
}

impl MethodLabel {
    pub(super) fn from_method(method: &Method) -> Self {
        match *method {
            Method::GET => Self::Get,
            Method::POST => Self::Post,
            Method::PUT => Self::Put,
            Method::DELETE => Self::Delete,
            Method::HEAD => Self::Head,
            Method::OPTIONS => Self::Options,
            Method::PATCH => Self::Patch,
            Method::CONNECT => Self::Connect,
            Method::TRACE => Self::Trace,
            _ => Self::Other,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Patch => "PATCH",
            Self::Connect => "CONNECT",
            Self::Trace => "TRACE",
            Self::Other => OTHER,
        }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_one_of_nine_or_another() {
        let nine = [
            "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE",
        ];
        for name in nine {
            let method = name.parse().expect("a method");
            assert_eq!(MethodLabel::from_method(&method).as_str(), name);
        }
        for name in ["get", "PROPFIND", "_OTHER"] {
            let method = name.parse().expect("a method");
            assert_eq!(
                MethodLabel::from_method(&method),
                MethodLabel::Other,
                "{name}"
            );
        }
    }

    #[test]
    fn a_status_is_one_of_five_classes_or_another_or_none() {
        for (status, alone, class) in [
            (100, "100", "1xx"),
            (226, "226", "2xx"),
            (308, "308", "3xx"),
            (499, "499", "4xx"),
            (599, "599", "5xx"),
            (600, "_OTHER", "_OTHER"),
            (999, "_OTHER", "_OTHER"),
        ] {
            let status = StatusCode::from_u16(status).expect("a status");
            assert_eq!(status_label(Some(&status), false), alone);
            assert_eq!(status_label(Some(&status), true), class);
        }
        assert_eq!(status_label(None, true), "none");
    }
}
