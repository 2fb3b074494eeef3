//! What the metrics of calls and their labels are called.

/// A set of names for the metrics of calls and their labels.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Preset {
    /// Those that the [module](crate::llm) lists.
    #[default]
    Llm,
    /// Those of OpenTelemetry's semantic conventions for clients of generative AI, as
    /// Prometheus writes them, with the bounds that the conventions advise:
    /// `gen_ai_client_operation_duration_seconds`, `gen_ai_client_token_usage`,
    /// `gen_ai_client_operation_time_to_first_chunk_seconds` and
    /// `gen_ai_client_operation_time_per_output_chunk_seconds`, with the labels
    /// `gen_ai_provider_name`, `gen_ai_request_model` and `gen_ai_operation_name`. What the
    /// conventions do not know begins with `gen_ai_client_`, too.
    Otel,
}

/// All names of one preset.
#[derive(Debug)]
pub(super) struct Names {
    pub(super) in_flight: &'static str,
    pub(super) requests: &'static str,
    pub(super) success: &'static str,
    pub(super) errors: &'static str,
    pub(super) tokens: &'static str,
    pub(super) details: &'static str,
    pub(super) units: &'static str,
    pub(super) missing: &'static str,
    pub(super) finishes: &'static str,
    pub(super) tool_calls: &'static str,
    pub(super) duration: &'static str,
    pub(super) first_token: &'static str,
    pub(super) per_token: &'static str,
    pub(super) per_chunk: Option<&'static str>,
    pub(super) server_time: &'static str,
    pub(super) remaining: &'static str,
    pub(super) limit: &'static str,
    pub(super) reset: &'static str,
    pub(super) cost: &'static str,
    pub(super) unpriced: &'static str,
    pub(super) route_requests: &'static str,
    pub(super) route_tokens: &'static str,
    pub(super) route_cost: &'static str,
    /// The labels that all of them have, and those of some.
    pub(super) provider: &'static str,
    pub(super) model: &'static str,
    pub(super) operation: &'static str,
    pub(super) error_type: &'static str,
    pub(super) direction: &'static str,
    pub(super) route: &'static str,
}

impl Preset {
    pub(super) fn names(self) -> &'static Names {
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
