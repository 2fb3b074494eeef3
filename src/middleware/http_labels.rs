//! Label values for method, status, version and scheme. They come from closed sets, and
//! never from the text of a client.

use http::{Method, StatusCode, Uri, Version};

/// The value of a label without a value.
pub(super) const NONE: &str = "none";
/// The value that stands for all that are not in the closed set.
pub(super) const OTHER: &str = "_OTHER";

/// One of HTTP's nine methods (RFC 9110, section 9.3, and RFC 5789), or any other.
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
    /// Number of values.
    pub(super) const COUNT: usize = Self::Other as usize + 1;

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

/// Returns the status code, or its class if `is_class`. It is `_OTHER` outside of HTTP's five
/// classes, and `none` without a response.
pub(super) fn status_label(status: Option<&StatusCode>, is_class: bool) -> &str {
    let Some(status) = status else {
        return NONE;
    };
    match (status.as_u16() / 100, is_class) {
        (1..=5, false) => status.as_str(),
        (1, true) => "1xx",
        (2, true) => "2xx",
        (3, true) => "3xx",
        (4, true) => "4xx",
        (5, true) => "5xx",
        _ => OTHER,
    }
}

/// All values of [`version_label`] except `_OTHER`.
pub(super) const VERSIONS: [&str; 5] = ["0.9", "1.0", "1.1", "2", "3"];

pub(super) fn version_label(version: Version) -> &'static str {
    match version {
        Version::HTTP_09 => "0.9",
        Version::HTTP_10 => "1.0",
        Version::HTTP_11 => "1.1",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _ => OTHER,
    }
}

/// Returns the scheme, which requests over HTTP/1.1 mostly do not have.
pub(super) fn scheme_label(uri: &Uri) -> &'static str {
    match uri.scheme_str() {
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
