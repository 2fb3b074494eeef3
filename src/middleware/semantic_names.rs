//! The names of OpenTelemetry's preset in OTLP.

use crate::middleware::preset::{Names, OTEL};
use crate::snapshot::SemanticNames;

/// The names of OpenTelemetry's semantic conventions, "HTTP metrics", and names in their style for
/// metrics that they do not define.
const SEMANTIC: Names = Names {
    requests: "http.server.requests",
    duration: "http.server.request.duration",
    in_flight: "http.server.active_requests",
    request_bytes: "http.server.request.body.bytes",
    unmeasured_request_bodies: "http.server.request.body.unmeasured",
    response_bytes: "http.server.response.body.bytes",
    stream_duration: "http.server.stream.duration",
    streams_in_flight: "http.server.active_streams",
    upgrades_in_flight: "http.server.active_upgrades",
    time_to_head: "http.server.time_to_head",
    time_to_first_byte: "http.server.time_to_first_byte",
    request_body_size: "http.server.request.body.size",
    response_body_size: "http.server.response.body.size",
    service_level_requests: "http.server.service_level.requests",
    service_level_good_requests: "http.server.service_level.good_requests",
    method: "http.request.method",
    route: "http.route",
    status: "http.response.status_code",
    version: "network.protocol.version",
    scheme: "url.scheme",
    grpc_status: "rpc.response.status_code",
};

/// The labels of the preset, and their attributes.
static ATTRIBUTES: [(&str, &str); 6] = [
    (OTEL.method, SEMANTIC.method),
    (OTEL.route, SEMANTIC.route),
    (OTEL.status, SEMANTIC.status),
    (OTEL.version, SEMANTIC.version),
    (OTEL.scheme, SEMANTIC.scheme),
    (OTEL.grpc_status, SEMANTIC.grpc_status),
];

/// What the gauges count.
const UNITS: [(&str, &str); 3] = [
    (SEMANTIC.in_flight, "{request}"),
    (SEMANTIC.streams_in_flight, "{stream}"),
    (SEMANTIC.upgrades_in_flight, "{connection}"),
];

/// Returns the names of a metric, which `name` selects.
pub(super) fn semantic_names(name: fn(&Names) -> &'static str) -> SemanticNames {
    let metric = name(&SEMANTIC);
    let unit = UNITS.iter().find(|(counted, _)| *counted == metric);
    SemanticNames {
        metric,
        unit: unit.map(|(_, unit)| *unit),
        attributes: &ATTRIBUTES,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns all metrics and all labels.
    fn all(names: &Names) -> ([&str; 15], [&str; 6]) {
        let Names {
            requests,
            duration,
            in_flight,
            request_bytes,
            unmeasured_request_bodies,
            response_bytes,
            stream_duration,
            streams_in_flight,
            upgrades_in_flight,
            time_to_head,
            time_to_first_byte,
            request_body_size,
            response_body_size,
            service_level_requests,
            service_level_good_requests,
            method,
            route,
            status,
            version,
            scheme,
            grpc_status,
        } = names;
        (
            [
                requests,
                duration,
                in_flight,
                request_bytes,
                unmeasured_request_bodies,
                response_bytes,
                stream_duration,
                streams_in_flight,
                upgrades_in_flight,
                time_to_head,
                time_to_first_byte,
                request_body_size,
                response_body_size,
                service_level_requests,
                service_level_good_requests,
            ],
            [method, route, status, version, scheme, grpc_status],
        )
    }

    #[test]
    fn prometheus_names_are_the_translated_semantic_names() {
        let ((metrics, labels), (semantic, attributes)) = (all(&OTEL), all(&SEMANTIC));
        for (name, semantic) in metrics.iter().zip(semantic) {
            assert!(
                SemanticNames::translates_to(semantic, name),
                "{name} {semantic}"
            );
        }
        let pairs = labels.into_iter().zip(attributes);
        assert!(pairs.clone().eq(ATTRIBUTES));
        for (label, attribute) in pairs {
            assert_eq!(attribute.replace('.', "_"), label);
        }
    }
}
