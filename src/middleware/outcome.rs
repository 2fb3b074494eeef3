//! How a request ended.

use http::StatusCode;

use crate::middleware::methods::MethodLabel;

/// How a request ended. Each request has exactly one outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// The response was sent completely, with a status of 1xx to 3xx.
    Ok,
    /// The same with a 4xx.
    ClientError,
    /// The same with a 5xx or above.
    ServerError,
    /// The request was dropped before there was a response.
    CancelledBeforeHead,
    /// The response was dropped before the server had read all of its body.
    CancelledInBody,
    /// The response's body failed, or ended before its declared length.
    BodyError,
    /// The service returned an error instead of a response.
    ServiceError,
    /// The service, its future or the response's body panicked.
    Panic,
    /// The connection switched to another protocol.
    Upgraded,
}

impl Outcome {
    /// Returns the outcome of a response that will be sent completely.
    pub(super) fn from_head(method: MethodLabel, status: StatusCode) -> Self {
        let is_connected = method == MethodLabel::CONNECT && status.is_success();
        if is_connected || status == StatusCode::SWITCHING_PROTOCOLS {
            Self::Upgraded
        } else {
            Self::from_status(status)
        }
    }

    /// Returns the outcome of a response that was sent completely, by its status.
    pub(super) fn from_status(status: StatusCode) -> Self {
        match status.as_u16() {
            ..400 => Self::Ok,
            400..500 => Self::ClientError,
            500.. => Self::ServerError,
        }
    }

    /// Returns the value of the label `outcome`, such as `client_error`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::ClientError => "client_error",
            Self::ServerError => "server_error",
            Self::CancelledBeforeHead => "cancelled_before_head",
            Self::CancelledInBody => "cancelled_in_body",
            Self::BodyError => "body_error",
            Self::ServiceError => "service_error",
            Self::Panic => "panic",
            Self::Upgraded => "upgraded",
        }
    }
}
