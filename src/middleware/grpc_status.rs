//! The status of a gRPC call, which its response sends in headers or in trailers.
//!
//! Source: "gRPC over HTTP2", section "Responses", and "Status codes and their use in
//! gRPC", both in the documentation of the gRPC project.

use http::{HeaderMap, header};

use crate::middleware::outcome::Outcome;

/// The names of the codes, by code.
pub(super) const GRPC_CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];
const CANCELLED: usize = 1;
const UNKNOWN: usize = 2;

/// The code of a gRPC call, once a response has sent it.
#[derive(Debug, Clone, Copy)]
pub(super) struct GrpcStatus(Option<usize>);

impl GrpcStatus {
    /// Returns the pending status of a request, if it is a gRPC call.
    pub(super) fn for_request(headers: &HeaderMap) -> Option<Self> {
        let content_type = headers.get(header::CONTENT_TYPE)?.as_bytes();
        // `application/grpc-web` does not count: its status is in the body.
        let suffix = content_type.strip_prefix(b"application/grpc")?;
        matches!(suffix.first(), None | Some(b'+' | b';')).then_some(Self(None))
    }

    /// Returns true if no status has come yet.
    pub(super) fn is_pending(self) -> bool {
        self.0.is_none()
    }

    /// Reads the status, if it is in these headers or trailers.
    pub(super) fn read_headers(&mut self, headers: &HeaderMap) {
        if let Some(status) = headers.get("grpc-status") {
            let code = status.to_str().ok().and_then(|code| code.parse().ok());
            let code = code.filter(|code| *code < GRPC_CODES.len());
            self.0 = Some(code.unwrap_or(UNKNOWN));
        }
    }

    /// Returns the outcome of a call whose response is complete. Codes are server or client
    /// errors as in OpenTelemetry's semantic conventions for gRPC servers.
    pub(super) fn outcome(self) -> Outcome {
        match GRPC_CODES[self.0.unwrap_or(UNKNOWN)] {
            "OK" => Outcome::Ok,
            "UNKNOWN" | "DEADLINE_EXCEEDED" | "UNIMPLEMENTED" | "INTERNAL" | "UNAVAILABLE"
            | "DATA_LOSS" => Outcome::ServerError,
            _ => Outcome::ClientError,
        }
    }

    /// Returns the name of the code. If the call ended without a code, returns the
    /// code that a gRPC client reports in that case.
    pub(super) fn code_name(self, outcome: Outcome) -> &'static str {
        let default = match outcome {
            Outcome::CancelledBeforeHead | Outcome::CancelledInBody => CANCELLED,
            _ => UNKNOWN,
        };
        GRPC_CODES[self.0.unwrap_or(default)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_codes_are_the_servers_fault_and_the_other_errors_the_clients() {
        for (number, code) in GRPC_CODES.iter().enumerate() {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-status", number.into());
            let mut status = GrpcStatus(None);
            status.read_headers(&headers);
            assert_eq!(status.code_name(Outcome::Ok), *code);
            let expected = match number {
                0 => Outcome::Ok,
                2 | 4 | 12..=15 => Outcome::ServerError,
                _ => Outcome::ClientError,
            };
            assert_eq!(status.outcome(), expected, "{code}");
        }
    }

    #[test]
    fn an_invalid_or_missing_code_is_unknown() {
        let mut status = GrpcStatus(None);
        assert_eq!(status.code_name(Outcome::ServiceError), "UNKNOWN");
        assert_eq!(status.code_name(Outcome::CancelledBeforeHead), "CANCELLED");
        for code in ["17", "-1", "OK", ""] {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-status", code.parse().expect("a value"));
            status.read_headers(&headers);
            assert_eq!(status.code_name(Outcome::Ok), "UNKNOWN", "{code}");
        }
    }
}
