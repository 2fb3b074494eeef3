//! What the metrics of calls and their labels are called.

use crate::llm::settings::Preset;

/// All names of one preset.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) in_flight: &'static str,
    pub(crate) requests: &'static str,
    pub(crate) success: &'static str,
    pub(crate) errors: &'static str,
    pub(crate) tokens: &'static str,
    pub(crate) details: &'static str,
    pub(crate) units: &'static str,
    pub(crate) missing: &'static str,
    pub(crate) finishes: &'static str,
    pub(crate) tool_calls: &'static str,
    pub(crate) duration: &'static str,
    pub(crate) first_token: &'static str,
    pub(crate) per_token: &'static str,
    pub(crate) per_chunk: Option<&'static str>,
    pub(crate) server_time: &'static str,
    pub(crate) remaining: &'static str,
    pub(crate) limit: &'static str,
    pub(crate) reset: &'static str,
    pub(crate) cost: &'static str,
    pub(crate) unpriced: &'static str,
    pub(crate) route_requests: &'static str,
    pub(crate) route_tokens: &'static str,
    pub(crate) route_cost: &'static str,
    /// The labels that all of them have, and those of some.
    pub(crate) provider: &'static str,
    pub(crate) model: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) error_type: &'static str,
    pub(crate) direction: &'static str,
    pub(crate) route: &'static str,
}

impl Preset {
    pub(crate) fn names(self) -> &'static Names {
        match self {
            Self::Llm => &LLM,
            Self::Otel => &OTEL,
        }
    }
}

const LLM: Names = Names {
    in_flight: "llm_requests_in_flight",
    requests: "llm_requests_total",
    success: "llm_requests_success",
    errors: "llm_requests_error",
    tokens: "llm_tokens_total",
    details: "llm_token_details_total",
    units: "llm_billed_units_total",
    missing: "llm_usage_missing_total",
    finishes: "llm_finish_reasons_total",
    tool_calls: "llm_tool_calls_total",
    duration: "llm_request_duration_seconds",
    first_token: "llm_time_to_first_token_seconds",
    per_token: "llm_time_per_output_token_seconds",
    per_chunk: None,
    server_time: "llm_server_time_seconds",
    remaining: "llm_rate_limit_remaining",
    limit: "llm_rate_limit",
    reset: "llm_rate_limit_reset_seconds",
    cost: "llm_cost_usd_total",
    unpriced: "llm_unpriced_requests_total",
    route_requests: "llm_route_requests_total",
    route_tokens: "llm_route_tokens_total",
    route_cost: "llm_route_cost_usd_total",
    provider: "provider",
    model: "model",
    operation: "operation",
    error_type: "error_type",
    direction: "direction",
    route: "route",
};

const OTEL: Names = Names {
    in_flight: "gen_ai_client_requests_in_flight",
    requests: "gen_ai_client_requests_total",
    success: "gen_ai_client_requests_success",
    errors: "gen_ai_client_requests_error",
    tokens: "gen_ai_client_token_usage",
    details: "gen_ai_client_token_details_total",
    units: "gen_ai_client_billed_units_total",
    missing: "gen_ai_client_usage_missing_total",
    finishes: "gen_ai_client_finish_reasons_total",
    tool_calls: "gen_ai_client_tool_calls_total",
    duration: "gen_ai_client_operation_duration_seconds",
    first_token: "gen_ai_client_operation_time_to_first_chunk_seconds",
    per_token: "gen_ai_client_time_per_output_token_seconds",
    per_chunk: Some("gen_ai_client_operation_time_per_output_chunk_seconds"),
    server_time: "gen_ai_client_server_time_seconds",
    remaining: "gen_ai_client_rate_limit_remaining",
    limit: "gen_ai_client_rate_limit",
    reset: "gen_ai_client_rate_limit_reset_seconds",
    cost: "gen_ai_client_cost_usd_total",
    unpriced: "gen_ai_client_unpriced_requests_total",
    route_requests: "gen_ai_client_route_requests_total",
    route_tokens: "gen_ai_client_route_tokens_total",
    route_cost: "gen_ai_client_route_cost_usd_total",
    provider: "gen_ai_provider_name",
    model: "gen_ai_request_model",
    operation: "gen_ai_operation_name",
    error_type: "error_type",
    direction: "gen_ai_token_type",
    route: "http_route",
};
