//! The role of each metric, under every preset, and the fixed order of its labels.

use std::fmt::Write as _;
use std::time::Duration;

use tachometer::{LlmLayer, MetricsLayer, Registry, SystemMetrics};

/// Compares the roles of metrics with the table of a test.
#[track_caller]
fn check(registry: &Registry, table: &[&str]) {
    let mut lines = String::new();
    for metric in registry.metrics() {
        if let Some(role) = metric.role() {
            let labels = metric.label_names().join(" ");
            writeln!(lines, "{role:?}: {} {labels}", metric.name()).unwrap();
        }
    }
    let lines: Vec<_> = lines.lines().map(str::trim_end).collect();
    assert_eq!(lines, table);
}

#[track_caller]
fn check_requests(layer: MetricsLayer, table: &[&str]) {
    let registry = Registry::new();
    let layer = layer.registry(&registry);
    let layer = layer
        .service_level("/", Duration::from_secs(1))
        .version_label();
    let layer = layer.time_to_head().time_to_first_byte().body_sizes();
    let _layer = layer.try_register().unwrap();
    check(&registry, table);
}

#[track_caller]
fn check_calls(layer: LlmLayer, table: &[&str]) {
    let registry = Registry::new();
    let layer = layer.registry(&registry);
    let _layer = layer.route_metrics().try_register().unwrap();
    check(&registry, table);
}

#[test]
fn the_roles_of_requests() {
    check_requests(
        MetricsLayer::new(),
        &[
            "HttpRequestBytes: http_request_body_bytes_total method route",
            "HttpDuration: http_request_duration_seconds method route status version",
            "HttpInFlight: http_requests_in_flight method route",
            "HttpRequests: http_requests_total method route status version outcome",
            "HttpResponseBytes: http_response_body_bytes_total method route",
            "HttpServiceLevelGood: http_service_level_good_requests_total method route within",
            "HttpServiceLevelRequests: http_service_level_requests_total method route within",
            "HttpStreamsInFlight: http_streams_in_flight method route",
        ],
    );
}

#[test]
fn the_roles_of_requests_by_opentelemetrys_names() {
    check_requests(
        MetricsLayer::new().otel_names(),
        &[
            "HttpInFlight: http_server_active_requests http_request_method http_route",
            "HttpStreamsInFlight: http_server_active_streams http_request_method http_route",
            "HttpRequestBytes: http_server_request_body_bytes_total http_request_method http_route",
            "HttpDuration: http_server_request_duration_seconds http_request_method http_route \
             http_response_status_code network_protocol_version",
            "HttpRequests: http_server_requests_total http_request_method http_route \
             http_response_status_code network_protocol_version outcome",
            "HttpResponseBytes: http_server_response_body_bytes_total http_request_method http_route",
            "HttpServiceLevelGood: http_server_service_level_good_requests_total http_request_method \
             http_route within",
            "HttpServiceLevelRequests: http_server_service_level_requests_total http_request_method \
             http_route within",
        ],
    );
}

#[test]
fn the_roles_of_requests_by_axum_prometheus_names() {
    check_requests(
        MetricsLayer::new().axum_prometheus_names(),
        &[
            "HttpRequestBytes: axum_http_request_body_bytes_total method endpoint",
            "HttpDuration: axum_http_requests_duration_seconds method endpoint status version",
            "HttpInFlight: axum_http_requests_pending method endpoint",
            "HttpRequests: axum_http_requests_total method endpoint status version outcome",
            "HttpResponseBytes: axum_http_response_body_bytes_total method endpoint",
            "HttpServiceLevelGood: axum_http_service_level_good_requests_total method endpoint within",
            "HttpServiceLevelRequests: axum_http_service_level_requests_total method endpoint within",
            "HttpStreamsInFlight: axum_http_streams_pending method endpoint",
        ],
    );
}

#[test]
fn the_roles_of_requests_by_axum_prometheus_names_with_a_prefix() {
    check_requests(
        MetricsLayer::new().axum_prometheus_names().prefix("shop"),
        &[
            "HttpRequestBytes: shop_http_request_body_bytes_total method endpoint",
            "HttpDuration: shop_http_requests_duration_seconds method endpoint status version",
            "HttpInFlight: shop_http_requests_pending method endpoint",
            "HttpRequests: shop_http_requests_total method endpoint status version outcome",
            "HttpResponseBytes: shop_http_response_body_bytes_total method endpoint",
            "HttpServiceLevelGood: shop_http_service_level_good_requests_total method endpoint within",
            "HttpServiceLevelRequests: shop_http_service_level_requests_total method endpoint within",
            "HttpStreamsInFlight: shop_http_streams_pending method endpoint",
        ],
    );
}

#[test]
fn the_roles_of_calls() {
    check_calls(
        LlmLayer::new(),
        &[
            "LlmCost: llm_cost_usd_total provider model operation source",
            "LlmRateLimit: llm_rate_limit provider model operation kind",
            "LlmRateLimitRemaining: llm_rate_limit_remaining provider model operation kind",
            "LlmRateLimitReset: llm_rate_limit_reset_seconds provider model operation kind",
            "LlmDuration: llm_request_duration_seconds provider model operation",
            "LlmErrors: llm_requests_error provider model operation error_type",
            "LlmInFlight: llm_requests_in_flight provider model operation",
            "LlmRequests: llm_requests_total provider model operation outcome",
            "LlmRouteCost: llm_route_cost_usd_total provider model operation route",
            "LlmTimePerToken: llm_time_per_output_token_seconds provider model operation",
            "LlmTimeToFirstToken: llm_time_to_first_token_seconds provider model operation",
            "LlmTokens: llm_tokens_total provider model operation direction",
            "LlmUnpriced: llm_unpriced_requests_total provider model operation reason",
        ],
    );
}

#[test]
fn the_roles_of_calls_by_opentelemetrys_names() {
    let of = "gen_ai_provider_name gen_ai_request_model gen_ai_operation_name";
    let rows = [
        ("LlmCost: gen_ai_client_cost_usd_total", " source"),
        (
            "LlmDuration: gen_ai_client_operation_duration_seconds",
            " error_type",
        ),
        (
            "LlmTimeToFirstToken: gen_ai_client_operation_time_to_first_chunk_seconds",
            "",
        ),
        ("LlmRateLimit: gen_ai_client_rate_limit", " kind"),
        (
            "LlmRateLimitRemaining: gen_ai_client_rate_limit_remaining",
            " kind",
        ),
        (
            "LlmRateLimitReset: gen_ai_client_rate_limit_reset_seconds",
            " kind",
        ),
        ("LlmErrors: gen_ai_client_requests_error", " error_type"),
        ("LlmInFlight: gen_ai_client_requests_in_flight", ""),
        ("LlmRequests: gen_ai_client_requests_total", " outcome"),
        (
            "LlmRouteCost: gen_ai_client_route_cost_usd_total",
            " http_route",
        ),
        (
            "LlmTimePerToken: gen_ai_client_time_per_output_token_seconds",
            "",
        ),
        ("LlmTokens: gen_ai_client_token_usage", " gen_ai_token_type"),
        (
            "LlmUnpriced: gen_ai_client_unpriced_requests_total",
            " reason",
        ),
    ];
    let rows = rows.map(|(metric, last)| format!("{metric} {of}{last}"));
    check_calls(
        LlmLayer::new().otel_names(),
        &rows.each_ref().map(String::as_str),
    );
}

#[test]
fn the_roles_of_the_system() {
    let registry = Registry::new();
    SystemMetrics::new().register(&registry).unwrap();
    check(
        &registry,
        &[
            "ContainerMemory: container_memory_bytes",
            "ContainerMemoryLimit: container_memory_limit_bytes",
            "ContainerReclaimableMemory: container_memory_reclaimable_bytes",
            "ProcessCpu: process_cpu_seconds_total",
            "ProcessMaxFiles: process_max_fds",
            "ProcessOpenFiles: process_open_fds",
            "ProcessMemory: process_resident_memory_bytes",
            "ProcessStart: process_start_time_seconds",
            "ProcessThreads: process_threads",
            "MachineCpu: system_cpu_percent",
            "MachineMemory: system_memory_percent",
        ],
    );
}

#[test]
fn a_custom_metric_has_no_role() {
    let registry = Registry::new();
    registry.counter("http_requests_total", "").unwrap();
    check(&registry, &[]);
}
