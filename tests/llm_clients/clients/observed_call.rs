//! All that a caller can see of one call by reqwest.

use std::error::Error;
use std::net::SocketAddr;

use http::header::DATE;
use http::{HeaderMap, StatusCode, Version};

#[derive(Debug, PartialEq)]
pub(super) struct Seen {
    head: Head,
    body: Result<String, Failed>,
}

#[derive(Debug, PartialEq)]
struct Head {
    status: StatusCode,
    version: Version,
    url: String,
    headers: HeaderMap,
    content_length: Option<u64>,
    remote: Option<SocketAddr>,
    extensions: usize,
}

/// What an error tells.
#[derive(Debug, PartialEq)]
pub(super) struct Failed {
    text: String,
    cause: String,
    url: Option<String>,
    status: Option<StatusCode>,
    kinds: Vec<&'static str>,
}

impl Failed {
    pub(super) fn new(error: &reqwest::Error) -> Self {
        let mut cause: &dyn Error = error;
        while let Some(source) = cause.source() {
            cause = source;
        }
        let kinds = [
            ("timeout", error.is_timeout()),
            ("connect", error.is_connect()),
            ("body", error.is_body()),
            ("decode", error.is_decode()),
            ("request", error.is_request()),
            ("builder", error.is_builder()),
            ("redirect", error.is_redirect()),
        ]
        .into_iter();
        Self {
            text: error.to_string(),
            cause: cause.to_string(),
            url: error.url().map(ToString::to_string),
            status: error.status(),
            kinds: kinds.filter_map(|(kind, is)| is.then_some(kind)).collect(),
        }
    }

    pub(super) fn is(&self, kind: &str) -> bool {
        self.kinds.contains(&kind)
    }
}

impl Seen {
    /// Reads an answer to its end.
    pub(super) async fn read(mut response: reqwest::Response) -> Self {
        let mut headers = response.headers().clone();
        headers.remove(DATE);
        let head = Head {
            status: response.status(),
            version: response.version(),
            url: response.url().to_string(),
            headers,
            content_length: response.content_length(),
            remote: response.remote_addr(),
            extensions: response.extensions().len(),
        };
        let mut body = String::new();
        let body = loop {
            match response.chunk().await {
                Ok(Some(chunk)) => body.push_str(str::from_utf8(&chunk).unwrap()),
                Ok(None) => break Ok(body),
                Err(error) => break Err(Failed::new(&error)),
            }
        };
        Self { head, body }
    }

    #[track_caller]
    pub(super) fn text(self) -> String {
        self.body.unwrap()
    }

    #[track_caller]
    pub(super) fn failed(self) -> Failed {
        self.body.unwrap_err()
    }
}
