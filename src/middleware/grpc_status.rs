//! The status of a gRPC call, which its response tells in headers or in trailers.
//!
//! Source: "gRPC over HTTP2", section "Responses", and "Status codes and their use in
//! gRPC", both in the documentation of the gRPC project.

use http::{HeaderMap, header};

use crate::middleware::outcome::Outcome;

/// The codes by their numbers.
const CODES: [&str; 17] = [
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

/// What is known of a call's status.
#[derive(Debug, Clone, Copy)]
pub(super) struct GrpcStatus(Option<usize>);

impl GrpcStatus {
    /// Begins with a request, if it is a call.
    pub(super) fn for_request(headers: &HeaderMap) -> Option<Self> {
        let content_type = headers.get(header::CONTENT_TYPE)?.as_bytes();
        // And not `application/grpc-web`, whose status is in its body.
        let rest = content_type.strip_prefix(b"application/grpc")?;
        matches!(rest.first(), None | Some(b'+' | b';')).then_some(Self(None))
    }

    /// Returns true when the status is still to come.
    pub(super) fn is_pending(self) -> bool {
        self.0.is_none()
    }

    /// Notes the status if it is in these headers or trailers.
    pub(super) fn read_headers(&mut self, headers: &HeaderMap) {
        if let Some(status) = headers.get("grpc-status") {
            let code = status.to_str().ok().and_then(|code| code.parse().ok());
            let known = code.filter(|code| *code < CODES.len());
            self.0 = Some(known.unwrap_or(UNKNOWN));
        }
    }

    /// Returns how a call ended whose response is complete, as OpenTelemetry's
    /// semantic conventions for gRPC servers divide the codes.
    pub(super) fn outcome(self) -> Outcome {
        match CODES[self.0.unwrap_or(UNKNOWN)] {
            "OK" => Outcome::Ok,
            "UNKNOWN" | "DEADLINE_EXCEEDED" | "UNIMPLEMENTED" | "INTERNAL" | "UNAVAILABLE"
            | "DATA_LOSS" => Outcome::ServerError,
            _ => Outcome::ClientError,
        }
    }

    /// Returns the code's name; of a call that ended without one, what a client
    /// makes of that.
    pub(super) fn as_str(self, outcome: Outcome) -> &'static str {
        let without = match outcome {
            Outcome::CancelledBeforeHead | Outcome::CancelledInBody => CANCELLED,
            _ => UNKNOWN,
        };
        CODES[self.0.unwrap_or(without)]
    }
}

/// Returns the values that the label can have besides `none`.
pub(super) fn grpc_codes() -> [&'static str; 17] {
    CODES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_codes_are_the_servers_fault_and_the_other_errors_the_clients() {
        for (number, code) in CODES.iter().enumerate() {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-status", number.into());
            let mut status = GrpcStatus(None);
            status.read_headers(&headers);
            assert_eq!(status.as_str(Outcome::Ok), *code);
            let expected = match number {
                0 => Outcome::Ok,
                2 | 4 | 12..=15 => Outcome::ServerError,
                _ => Outcome::ClientError,
            };
            assert_eq!(status.outcome(), expected, "{code}");
        }
    }

    #[test]
    fn a_code_that_is_none_of_them_is_unknown_as_is_one_that_never_came() {
        let mut status = GrpcStatus(None);
        assert_eq!(status.as_str(Outcome::ServiceError), "UNKNOWN");
        assert_eq!(status.as_str(Outcome::CancelledBeforeHead), "CANCELLED");
        for code in ["17", "-1", "OK", ""] {
            let mut headers = HeaderMap::new();
            headers.insert("grpc-status", code.parse().expect("a value"));
            status.read_headers(&headers);
            assert_eq!(status.as_str(Outcome::Ok), "UNKNOWN", "{code}");
        }
    }
}
