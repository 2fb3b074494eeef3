//! Label values for status, version and scheme. They come from closed sets, and
//! never from the text of a client.

use http::{StatusCode, Uri, Version};

/// The value of a label without a value.
pub(super) const NONE: &str = "none";
/// The value that stands for all that are not in the closed set.
pub(super) const OTHER: &str = "_OTHER";

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
