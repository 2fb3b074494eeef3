//! Why a request got no response.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use hyper_util::client::legacy::Error as LegacyError;
use tokio::time::error::Elapsed;

/// Why a request got no response.
///
/// It does not contain the error text of the client, which may have a header or a URL with
/// credentials.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HttpError {
    kind: HttpErrorKind,
    /// What the operating system says.
    io: Option<io::ErrorKind>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HttpErrorKind {
    /// The host name has no address.
    Resolve,
    /// There was no connection, so the request was not sent.
    Connect,
    /// There was no response within the time limit. The server may have processed the request.
    Timeout,
    /// The client followed a redirect, so the response is not that of this request.
    #[cfg_attr(
        not(feature = "reqwest"),
        allow(dead_code, reason = "only reqwest follows redirects")
    )]
    Redirect,
    /// The client panicked.
    Panic,
    /// Any other failure. The server may have processed the request.
    Other,
}

impl HttpError {
    /// Classifies the error of a client.
    pub(super) fn new(error: &(dyn StdError + 'static)) -> Self {
        let mut kind = HttpErrorKind::Other;
        let mut io = None;
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(error) = error.downcast_ref::<io::Error>() {
                io = io.or(Some(error.kind()));
            }
            kind = classify(error).unwrap_or(kind);
            next = error.source();
        }
        // A connection that timed out stays an error of connecting.
        if kind == HttpErrorKind::Other && io == Some(io::ErrorKind::TimedOut) {
            kind = HttpErrorKind::Timeout;
        }
        Self { kind, io }
    }

    pub(super) fn timeout() -> Self {
        HttpErrorKind::Timeout.into()
    }

    pub(super) fn panic() -> Self {
        HttpErrorKind::Panic.into()
    }

    #[cfg(feature = "reqwest")]
    pub(super) fn redirect() -> Self {
        HttpErrorKind::Redirect.into()
    }

    pub(crate) fn kind(self) -> HttpErrorKind {
        self.kind
    }
}

/// Returns the kind of an error whose type or text says it.
fn classify(error: &(dyn StdError + 'static)) -> Option<HttpErrorKind> {
    if let Some(error) = error.downcast_ref::<LegacyError>() {
        return error.is_connect().then_some(HttpErrorKind::Connect);
    }
    #[cfg(feature = "reqwest")]
    if let Some(error) = error.downcast_ref::<reqwest::Error>() {
        return match error {
            error if error.is_connect() => Some(HttpErrorKind::Connect),
            error if error.is_timeout() => Some(HttpErrorKind::Timeout),
            error if error.is_redirect() => Some(HttpErrorKind::Redirect),
            _ => None,
        };
    }
    if error.is::<Elapsed>() {
        return Some(HttpErrorKind::Timeout);
    }
    // The type of hyper-util's error is private.
    let is_dns_error = error.to_string().starts_with("dns error");
    is_dns_error.then_some(HttpErrorKind::Resolve)
}

impl From<HttpErrorKind> for HttpError {
    fn from(kind: HttpErrorKind) -> Self {
        Self { kind, io: None }
    }
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            HttpErrorKind::Resolve => "the host name of the endpoint has no address",
            HttpErrorKind::Connect => "the client cannot connect to the endpoint",
            HttpErrorKind::Timeout => "there was no response within the time limit",
            HttpErrorKind::Redirect => "the endpoint redirects to another URL",
            HttpErrorKind::Panic => "the client panicked",
            HttpErrorKind::Other => "the client failed",
        })?;
        match self.io {
            Some(io) if self.kind != HttpErrorKind::Resolve => write!(f, " ({io})"),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use bytes::Bytes;
    use http::{Request, Uri};
    use http_body_util::Empty;
    use hyper_util::client::legacy::Client;
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use tokio::net::TcpStream;
    use tower::util::service_fn;

    use super::*;

    #[tokio::test]
    async fn a_connection_that_times_out_is_an_error_of_connecting() {
        let connector = service_fn(|_: Uri| {
            let error = io::Error::from(io::ErrorKind::TimedOut);
            ready(Err::<TokioIo<TcpStream>, _>(error))
        });
        let client = Client::builder(TokioExecutor::new()).build(connector);
        let request = Request::get("http://host/").body(Empty::<Bytes>::new());
        let error = client.request(request.expect("a request")).await;
        let error = HttpError::new(&error.expect_err("no connection"));
        assert_eq!(error.kind(), HttpErrorKind::Connect);
        assert_eq!(
            error.to_string(),
            "the client cannot connect to the endpoint (timed out)"
        );
    }
}
