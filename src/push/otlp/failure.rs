//! Why metrics were not delivered, in errors and warnings.

use std::fmt;

use http::{StatusCode, Uri};
use tokio::task::JoinError;

use crate::error::Error;
use crate::push::http_error::{HttpError, HttpErrorKind};

/// Why an export did not succeed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Failure {
    /// There was no response, and no time for another attempt.
    NoResponse(HttpError),
    /// The receiver was not ready, and there was no time for another attempt.
    Unavailable(StatusCode),
    /// The receiver rejected a request.
    Rejected(StatusCode),
    /// The receiver accepted all requests, but rejected this many of their points.
    Partial(u64),
    /// The time limit of the export was over before a request was sent.
    Timeout,
    /// The receiver has asked for a delay that ends after the time limit of the export.
    Delayed,
    /// Reading the registry panicked.
    ReadPanic,
    /// The registry was not read, since the runtime is shutting down.
    RuntimeEnd,
}

/// Warns of failures: once for each kind, until an export succeeds.
#[derive(Debug)]
pub(super) struct FailureLog {
    /// The scheme, host and port that requests are sent to.
    origin: String,
    is_grpc_port: bool,
    warned: Vec<Failure>,
}

impl Failure {
    /// Returns why the task that reads the registry has no result.
    pub(super) fn unread(error: &JoinError) -> Self {
        if error.is_panic() {
            Self::ReadPanic
        } else {
            Self::RuntimeEnd
        }
    }

    /// Returns what the user can do.
    fn remedy(self) -> &'static str {
        match self {
            Self::NoResponse(error) => match error.kind() {
                HttpErrorKind::Redirect => "set the endpoint to the URL that it redirects to",
                HttpErrorKind::Resolve => "check the host of the endpoint",
                HttpErrorKind::Panic => {
                    "see the panic message; if I/O or timers of the tokio runtime are disabled, \
                     call `enable_all` on its builder"
                }
                _ => "check that the receiver is running, and that it accepts OTLP over HTTP there",
            },
            Self::ReadPanic => "see the panic message",
            Self::RuntimeEnd => "shut the exporter down before the runtime",
            Self::Unavailable(_) | Self::Delayed => "check the load of the receiver",
            Self::Timeout => {
                "raise the export timeout, or find the collector of metrics that is slow"
            }
            Self::Partial(_) => "the log of the receiver has the reason",
            Self::Rejected(status) => match status.as_u16() {
                300..=399 => "set the endpoint to the URL that it redirects to",
                400 => {
                    "the log of the receiver has the reason; some receivers accept only one \
                     temporality"
                }
                401 | 403 => "check the credentials in the headers",
                404 | 405 => {
                    "check the path of the endpoint, which usually ends with `/v1/metrics`"
                }
                413 => "raise the limit of the receiver for the size of requests",
                415 => "the receiver must accept `http/protobuf`",
                _ => "the log of the receiver has the reason",
            },
        }
    }

    /// Returns true if a warning of one failure is enough for the other.
    fn is_like(self, other: Self) -> bool {
        match (self, other) {
            (Self::NoResponse(one), Self::NoResponse(other)) => one.kind() == other.kind(),
            (Self::Partial(_), Self::Partial(_)) | (Self::Unavailable(_), Self::Delayed) => true,
            (one, other) => one == other,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoResponse(error) => error.fmt(f),
            Self::Unavailable(status) => write!(f, "the receiver was not ready (status {status})"),
            Self::Rejected(status) => {
                write!(f, "the receiver rejected a request (status {status})")
            }
            Self::Partial(points) => write!(f, "the receiver rejected {points} points"),
            Self::Timeout => f.write_str("the time limit was over before all requests were sent"),
            Self::Delayed => f.write_str(
                "the receiver asked for a delay (`Retry-After`) that ends after the time limit of \
                 the export",
            ),
            Self::ReadPanic => f.write_str("reading the metrics panicked"),
            Self::RuntimeEnd => {
                f.write_str("the metrics could not be read, since the runtime is shutting down")
            }
        }
    }
}

impl FailureLog {
    pub(super) fn new(endpoint: &Uri) -> Self {
        let scheme = endpoint.scheme_str().unwrap_or("http");
        let authority = endpoint
            .authority()
            .map_or("", |authority| authority.as_str());
        Self {
            origin: format!("{scheme}://{authority}"),
            is_grpc_port: endpoint.port_u16() == Some(4317),
            warned: Vec::new(),
        }
    }

    /// Returns the failure as the error of a flush.
    pub(super) fn error(&self, failure: Failure) -> Error {
        let remedy = self.remedy(failure);
        let origin = &self.origin;
        Error::failed_push(format_args!(
            "the export to {origin} did not succeed: {failure}: {remedy}"
        ))
    }

    /// Warns of later failures again.
    pub(super) fn record_success(&mut self) {
        self.warned.clear();
    }

    pub(super) fn warn(&mut self, failure: Failure) {
        if self.warned.iter().any(|warned| warned.is_like(failure)) {
            return;
        }
        self.warned.push(failure);
        let (endpoint, remedy) = (&*self.origin, self.remedy(failure));
        match failure {
            Failure::NoResponse(_) => tracing::warn!(
                endpoint, %failure, remedy,
                "metrics were not exported over OTLP, since there was no response; the next export \
                 includes them"
            ),
            Failure::Unavailable(_) | Failure::Delayed => tracing::warn!(
                endpoint, %failure, remedy,
                "metrics were not exported over OTLP, since the receiver is not ready; the next \
                 export includes them"
            ),
            Failure::Rejected(_) => tracing::warn!(
                endpoint, %failure, remedy,
                "metrics were not exported over OTLP, since the receiver rejects them"
            ),
            Failure::Partial(_) => tracing::warn!(
                endpoint, %failure, remedy,
                "a part of the metrics was rejected by the OTLP receiver; \
                 `tachometer_otlp_rejected_points_total` counts further points"
            ),
            Failure::Timeout => tracing::warn!(
                endpoint, %failure, remedy,
                "metrics were not exported over OTLP in time; the next export includes them"
            ),
            Failure::ReadPanic | Failure::RuntimeEnd => tracing::warn!(
                endpoint, %failure, remedy,
                "metrics were not exported over OTLP, since they could not be read"
            ),
        }
    }

    fn remedy(&self, failure: Failure) -> &'static str {
        let is_protocol_error = matches!(failure, Failure::NoResponse(_) | Failure::Rejected(_));
        if self.is_grpc_port && is_protocol_error {
            return "receivers usually use port 4317 for gRPC and port 4318 for HTTP, which this \
                    exporter uses";
        }
        failure.remedy()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_while_the_registry_is_read_is_named() {
        let task = tokio::task::spawn_blocking(|| panic!("the read panics"));
        let failure = Failure::unread(&task.await.unwrap_err());
        let text = failure.to_string();
        assert_eq!(text, "reading the metrics panicked");
        assert!(
            failure.remedy().contains("panic message"),
            "{}",
            failure.remedy()
        );
    }
}
