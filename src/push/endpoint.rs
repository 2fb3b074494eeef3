//! URLs that requests are sent to.

use http::Uri;

use crate::error::Error;

/// Parses the URL of an endpoint.
///
/// `setting` is the method or the variable that has the URL, for the text of an error.
pub(crate) fn parse_endpoint(setting: &str, url: &str) -> Result<Uri, Error> {
    let fault = match url.trim().parse::<Uri>() {
        Ok(uri) => match endpoint_fault(&uri) {
            None => return Ok(uri),
            Some(fault) => fault,
        },
        Err(_) => "is not a URL: use one such as `http://host:port`",
    };
    let url = without_secrets(url);
    Err(Error::invalid_push(format_args!(
        "the URL {url:?} of `{setting}` {fault}"
    )))
}

/// Returns an error if the endpoint needs TLS, which the built-in client does not have.
pub(crate) fn check_scheme_without_client(setting: &str, endpoint: &Uri) -> Result<(), Error> {
    if endpoint.scheme_str() != Some("https") {
        return Ok(());
    }
    let url = without_secrets(&endpoint.to_string());
    Err(Error::invalid_push(format_args!(
        "the URL {url:?} of `{setting}` needs TLS, and the built-in client has none: pass a client \
         with TLS to `client`, or to `reqwest_client` (feature `reqwest`)"
    )))
}

/// Returns why requests cannot be sent to a URL, and what to do instead.
pub(crate) fn endpoint_fault(uri: &Uri) -> Option<&'static str> {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    match uri.scheme_str() {
        Some("http" | "https") if authority.contains('@') => {
            Some("has a user name: pass credentials in the header `authorization`")
        }
        Some("http" | "https") if uri.host().is_none_or(str::is_empty) => Some("has no host"),
        Some("http" | "https") => None,
        _ => Some("does not start with `http://` or `https://`"),
    }
}

/// Returns a URL without the parts that may contain a secret: its user, password and query.
pub(crate) fn without_secrets(url: &str) -> String {
    let (scheme, rest) = match url.split_once("://") {
        Some((scheme, rest)) => (format!("{scheme}://"), rest),
        None => (String::new(), url),
    };
    let query = rest.find(['?', '#']).unwrap_or(rest.len());
    match rest.rfind('@') {
        // A password with `?`, or a query with `@`.
        Some(at) if at > query => format!("{scheme}***"),
        Some(at) => format!("{scheme}***{}", &rest[at..query]),
        None => format!("{scheme}{}", &rest[..query]),
    }
}

#[cfg(test)]
mod tests {
    use super::{check_scheme_without_client, parse_endpoint, without_secrets};

    #[test]
    fn urls_that_requests_cannot_be_sent_to_are_errors() {
        for url in [
            "http://localhost:4318",
            " https://h/v1/metrics ",
            "http://[::1]:1/?a=b",
        ] {
            assert!(parse_endpoint("endpoint", url).is_ok(), "{url}");
        }
        for (url, fault) in [
            ("", "is not a URL"),
            ("http://", "is not a URL"),
            ("http://a b/", "is not a URL"),
            ("localhost:4318", "does not start with `http://`"),
            ("/v1/metrics", "does not start with `http://`"),
            ("ftp://host/", "does not start with `http://`"),
            ("http://:4318/", "has no host"),
            ("http://u:p@host/", "has a user name"),
        ] {
            let error = parse_endpoint("Otlp::endpoint", url).expect_err(url);
            assert!(error.is_invalid_push(), "{url}");
            let text = error.to_string();
            assert!(
                text.contains(fault) && text.contains("`Otlp::endpoint`"),
                "{text}"
            );
        }
    }

    #[test]
    fn https_without_a_client_is_an_error_that_says_what_to_add() {
        let url = |url: &str| parse_endpoint("endpoint", url).expect("a valid URL");
        assert!(check_scheme_without_client("endpoint", &url("http://h/")).is_ok());
        let error = check_scheme_without_client("endpoint", &url("HTTPS://h/"));
        let text = error.expect_err("no TLS").to_string();
        assert!(text.contains("`reqwest_client`"), "{text}");
    }

    #[test]
    fn texts_of_urls_have_no_credentials() {
        for (url, text) in [
            ("http://host:1/a?key=s", "http://host:1/a"),
            ("http://host/#s", "http://host/"),
            ("http://u:secret@host/a?key=s", "http://***@host/a"),
            ("u:secret@host/a", "***@host/a"),
            ("http://u:sec?ret@host/a", "http://***"),
            ("http://host?key=s@b", "http://***"),
            ("http://u:se@cret@host", "http://***@host"),
        ] {
            assert_eq!(without_secrets(url), text);
        }
    }
}
