//! Everything that a caller can observe of one reqwest call.

use std::error::Error;
use std::net::SocketAddr;

use http::header::DATE;
use http::{HeaderMap, StatusCode, Version};

#[derive(Debug, PartialEq)]
pub(super) struct ObservedResponse {
    head: Head,
    body: Result<String, ObservedError>,
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

/// The observable properties of an error.
#[derive(Debug, PartialEq)]
pub(super) struct ObservedError {
    text: String,
    cause: String,
    url: Option<String>,
    status: Option<StatusCode>,
    kinds: Vec<&'static str>,
}

impl ObservedError {
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

    pub(super) fn has_kind(&self, kind: &str) -> bool {
        self.kinds.contains(&kind)
    }
}

impl ObservedResponse {
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
                Err(error) => break Err(ObservedError::new(&error)),
            }
        };
        Self { head, body }
    }

    #[track_caller]
    pub(super) fn text(self) -> String {
        self.body.unwrap()
    }

    #[track_caller]
    pub(super) fn failed(self) -> ObservedError {
        self.body.unwrap_err()
    }
}
