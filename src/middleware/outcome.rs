//! How a request ended.

use http::StatusCode;

use crate::middleware::methods::MethodLabel;

/// How a request ended. Each request has exactly one outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Ok,
    ClientError,
    ServerError,
    CancelledBeforeHead,
    CancelledInBody,
    BodyError,
    ServiceError,
    Panic,
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

    pub(super) fn as_str(self) -> &'static str {
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
