//! The names of the layer's metrics and labels.

use std::borrow::Cow;

/// A set of names for the metrics and labels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Preset {
    #[default]
    Prometheus,
    Otel,
    AxumPrometheus,
}

/// All names of one preset.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) requests: &'static str,
    pub(super) duration: &'static str,
    pub(super) in_flight: &'static str,
    pub(super) request_bytes: &'static str,
    pub(super) unmeasured_request_bodies: &'static str,
    pub(super) response_bytes: &'static str,
    pub(super) stream_duration: &'static str,
    pub(super) streams_in_flight: &'static str,
    pub(super) upgrades_in_flight: &'static str,
    pub(super) time_to_head: &'static str,
    pub(super) time_to_first_byte: &'static str,
    pub(super) request_body_size: &'static str,
    pub(super) response_body_size: &'static str,
    pub(super) service_level_requests: &'static str,
    pub(super) service_level_good_requests: &'static str,
    pub(super) method: &'static str,
    pub(super) route: &'static str,
    pub(super) status: &'static str,
    pub(super) version: &'static str,
    pub(super) scheme: &'static str,
    pub(super) grpc_status: &'static str,
}

/// The label of the outcome, in every preset.
pub(super) const OUTCOME_LABEL: &str = "outcome";
/// The label of a service level's target in seconds, in every preset.
pub(super) const WITHIN_LABEL: &str = "within";

impl Preset {
    pub(super) fn names(self) -> &'static Names {
        match self {
            Self::Prometheus => &PROMETHEUS,
            Self::Otel => &OTEL,
            Self::AxumPrometheus => &AXUM_PROMETHEUS,
        }
    }

    /// Returns true if the sizes of bodies have the label `status`.
    pub(super) fn has_status_on_sizes(self) -> bool {
        self != Self::AxumPrometheus
    }

    /// Returns what a prefix of the user puts before the names, and what it replaces at their
    /// start.
    pub(super) fn apply_prefix(self, prefix: &str) -> (Cow<'_, str>, &'static str) {
        match self {
            // As axum-prometheus does: its `with_prefix("shop")` makes `shop_http_..`.
            Self::AxumPrometheus if !prefix.is_empty() => {
                let is_separated = prefix.ends_with('_');
                let separated = if is_separated {
                    prefix.into()
                } else {
                    format!("{prefix}_").into()
                };
                (separated, "axum_")
            }
            _ => (prefix.into(), ""),
        }
    }

    /// Returns the bucket bounds of the duration, if they are not the default ones.
    pub(super) fn duration_bounds(self) -> Option<&'static [f64]> {
        // OpenTelemetry's semantic conventions 1.27, "HTTP metrics",
        // `http.server.request.duration`.
        const RECOMMENDED: [f64; 14] = [
            0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
        ];
        match self {
            Self::Otel => Some(&RECOMMENDED),
            Self::Prometheus | Self::AxumPrometheus => None,
        }
    }
}

const PROMETHEUS: Names = Names {
    requests: "http_requests_total",
    duration: "http_request_duration_seconds",
    in_flight: "http_requests_in_flight",
    request_bytes: "http_request_body_bytes_total",
    unmeasured_request_bodies: "http_request_body_unmeasured_total",
    response_bytes: "http_response_body_bytes_total",
    stream_duration: "http_stream_duration_seconds",
    streams_in_flight: "http_streams_in_flight",
    upgrades_in_flight: "http_upgrades_in_flight",
    time_to_head: "http_time_to_head_seconds",
    time_to_first_byte: "http_time_to_first_byte_seconds",
    request_body_size: "http_request_body_size_bytes",
    response_body_size: "http_response_body_size_bytes",
    service_level_requests: "http_service_level_requests_total",
    service_level_good_requests: "http_service_level_good_requests_total",
    method: "method",
    route: "route",
    status: "status",
    version: "version",
    scheme: "scheme",
    grpc_status: "grpc_status",
};

/// The names of OpenTelemetry, as Prometheus writes them.
pub(super) const OTEL: Names = Names {
    requests: "http_server_requests_total",
    duration: "http_server_request_duration_seconds",
    in_flight: "http_server_active_requests",
    request_bytes: "http_server_request_body_bytes_total",
    unmeasured_request_bodies: "http_server_request_body_unmeasured_total",
    response_bytes: "http_server_response_body_bytes_total",
    stream_duration: "http_server_stream_duration_seconds",
    streams_in_flight: "http_server_active_streams",
    upgrades_in_flight: "http_server_active_upgrades",
    time_to_head: "http_server_time_to_head_seconds",
    time_to_first_byte: "http_server_time_to_first_byte_seconds",
    request_body_size: "http_server_request_body_size_bytes",
    response_body_size: "http_server_response_body_size_bytes",
    service_level_requests: "http_server_service_level_requests_total",
    service_level_good_requests: "http_server_service_level_good_requests_total",
    method: "http_request_method",
    route: "http_route",
    status: "http_response_status_code",
    version: "network_protocol_version",
    scheme: "url_scheme",
    grpc_status: "rpc_response_status_code",
};

const AXUM_PROMETHEUS: Names = Names {
    requests: "axum_http_requests_total",
    duration: "axum_http_requests_duration_seconds",
    in_flight: "axum_http_requests_pending",
    request_bytes: "axum_http_request_body_bytes_total",
    unmeasured_request_bodies: "axum_http_request_body_unmeasured_total",
    response_bytes: "axum_http_response_body_bytes_total",
    stream_duration: "axum_http_stream_duration_seconds",
    streams_in_flight: "axum_http_streams_pending",
    upgrades_in_flight: "axum_http_upgrades_pending",
    time_to_head: "axum_http_time_to_head_seconds",
    time_to_first_byte: "axum_http_time_to_first_byte_seconds",
    request_body_size: "axum_http_request_body_size",
    response_body_size: "axum_http_response_body_size",
    service_level_requests: "axum_http_service_level_requests_total",
    service_level_good_requests: "axum_http_service_level_good_requests_total",
    method: "method",
    route: "endpoint",
    status: "status",
    version: "version",
    scheme: "scheme",
    grpc_status: "grpc_status",
};
