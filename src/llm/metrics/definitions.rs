//! The names, help texts and labels of the metrics.

use crate::llm::settings::Preset;
use crate::snapshot::{Role, SemanticNames};

/// A metric with `N` labels.
#[derive(Debug)]
pub(crate) struct Definition<const N: usize> {
    pub(crate) role: Option<Role>,
    /// The name in [`Preset::Llm`].
    llm: &'static str,
    /// The name in [`Preset::Otel`], as Prometheus writes it.
    otel: &'static str,
    /// The name in [`Preset::Otel`] in OTLP, and what the metric counts.
    semantic: &'static str,
    unit: Option<&'static str>,
    pub(crate) help: &'static str,
    pub(crate) labels: [LabelName; N],
}

/// A label. Its name may depend on the preset.
#[derive(Debug, Clone, Copy)]
pub(crate) enum LabelName {
    Provider,
    Model,
    Operation,
    Direction,
    Route,
    /// A label with the same name in all presets.
    Fixed(&'static str),
}

/// The labels of [`Preset::Otel`] that have other names in OTLP, and these names.
static ATTRIBUTES: [(&str, &str); 6] = [
    ("gen_ai_provider_name", "gen_ai.provider.name"),
    ("gen_ai_request_model", "gen_ai.request.model"),
    ("gen_ai_operation_name", "gen_ai.operation.name"),
    ("gen_ai_token_type", "gen_ai.token.type"),
    ("http_route", "http.route"),
    ("error_type", "error.type"),
];

/// The value of an unknown label.
pub(crate) const UNKNOWN: &str = "unknown";

/// The model of calls that no provider has accepted yet.
pub(crate) const UNCONFIRMED: &str = "_unconfirmed";

impl<const N: usize> Definition<N> {
    const fn with_role(self, role: Role) -> Self {
        Self {
            role: Some(role),
            ..self
        }
    }

    const fn with_unit(self, unit: &'static str) -> Self {
        Self {
            unit: Some(unit),
            ..self
        }
    }

    /// Returns the names in OTLP, if they differ from the registered ones.
    pub(crate) fn semantic_names(&self, preset: Preset) -> Option<SemanticNames> {
        (preset == Preset::Otel).then_some(SemanticNames {
            metric: self.semantic,
            unit: self.unit,
            attributes: &ATTRIBUTES,
        })
    }

    pub(crate) fn name(&self, preset: Preset) -> &'static str {
        match preset {
            Preset::Llm => self.llm,
            Preset::Otel => self.otel,
        }
    }
}

impl LabelName {
    pub(crate) fn name(self, preset: Preset) -> &'static str {
        let [llm, otel] = match self {
            Self::Provider => ["provider", "gen_ai_provider_name"],
            Self::Model => ["model", "gen_ai_request_model"],
            Self::Operation => ["operation", "gen_ai_operation_name"],
            Self::Direction => ["direction", "gen_ai_token_type"],
            Self::Route => ["route", "http_route"],
            Self::Fixed(name) => [name, name],
        };
        match preset {
            Preset::Llm => llm,
            Preset::Otel => otel,
        }
    }
}

/// Defines a metric without additional labels.
const fn by_call(
    llm: &'static str,
    otel: &'static str,
    semantic: &'static str,
    help: &'static str,
) -> Definition<3> {
    Definition {
        role: None,
        llm,
        otel,
        semantic,
        unit: None,
        help,
        labels: [LabelName::Provider, LabelName::Model, LabelName::Operation],
    }
}

/// Defines a metric with one additional label.
const fn by_label(
    label: LabelName,
    llm: &'static str,
    otel: &'static str,
    semantic: &'static str,
    help: &'static str,
) -> Definition<4> {
    Definition {
        role: None,
        llm,
        otel,
        semantic,
        unit: None,
        help,
        labels: [
            LabelName::Provider,
            LabelName::Model,
            LabelName::Operation,
            label,
        ],
    }
}

pub(crate) const IN_FLIGHT: Definition<3> = by_call(
    "llm_requests_in_flight",
    "gen_ai_client_requests_in_flight",
    "gen_ai.client.requests_in_flight",
    "LLM calls in flight.",
)
.with_role(Role::LlmInFlight)
.with_unit("{request}");

pub(crate) const REQUESTS: Definition<4> = by_label(
    LabelName::Fixed("outcome"),
    "llm_requests_total",
    "gen_ai_client_requests_total",
    "gen_ai.client.requests",
    "Finished LLM calls, by outcome.",
)
.with_role(Role::LlmRequests);

pub(crate) const SUCCESSES: Definition<3> = by_call(
    "llm_requests_success",
    "gen_ai_client_requests_success",
    "gen_ai.client.requests_success",
    "LLM calls that succeeded.",
);

pub(crate) const ERRORS: Definition<4> = by_label(
    LabelName::Fixed("error_type"),
    "llm_requests_error",
    "gen_ai_client_requests_error",
    "gen_ai.client.requests_error",
    "LLM calls that failed or were truncated, by error type.",
)
.with_role(Role::LlmErrors);

pub(crate) const TOKENS: Definition<4> = by_label(
    LabelName::Direction,
    "llm_tokens_total",
    "gen_ai_client_token_usage",
    "gen_ai.client.token.usage",
    "Tokens of LLM calls, by direction.",
)
.with_role(Role::LlmTokens)
.with_unit("{token}");

pub(crate) const TOKEN_DETAILS: Definition<4> = by_label(
    LabelName::Fixed("kind"),
    "llm_token_details_total",
    "gen_ai_client_token_details_total",
    "gen_ai.client.token.details",
    "Input and output tokens of special kinds: cached, reasoning, audio and image tokens.",
);

pub(crate) const BILLED_UNITS: Definition<4> = by_label(
    LabelName::Fixed("unit"),
    "llm_billed_units_total",
    "gen_ai_client_billed_units_total",
    "gen_ai.client.billed_units",
    "Billed units of LLM calls other than tokens, such as web searches.",
);

pub(crate) const MISSING_USAGE: Definition<4> = by_label(
    LabelName::Fixed("reason"),
    "llm_usage_missing_total",
    "gen_ai_client_usage_missing_total",
    "gen_ai.client.usage_missing",
    "LLM calls with missing or incomplete token counts, by reason.",
);

pub(crate) const FINISH_REASONS: Definition<4> = by_label(
    LabelName::Fixed("reason"),
    "llm_finish_reasons_total",
    "gen_ai_client_finish_reasons_total",
    "gen_ai.client.finish_reasons",
    "Choices in the responses of LLM calls, by finish reason.",
);

pub(crate) const TOOL_CALLS: Definition<3> = by_call(
    "llm_tool_calls_total",
    "gen_ai_client_tool_calls_total",
    "gen_ai.client.tool_calls",
    "Tool calls that models requested.",
);

pub(crate) const DURATION: Definition<3> = by_call(
    "llm_request_duration_seconds",
    "gen_ai_client_operation_duration_seconds",
    "gen_ai.client.operation.duration",
    "Time from an LLM call to the end of its response, in seconds.",
)
.with_role(Role::LlmDuration);

/// The duration in [`Preset::Otel`], which has an additional label.
pub(crate) const DURATION_BY_ERROR: Definition<4> = by_label(
    LabelName::Fixed("error_type"),
    DURATION.llm,
    DURATION.otel,
    DURATION.semantic,
    DURATION.help,
)
.with_role(Role::LlmDuration);

pub(crate) const TIME_TO_FIRST_TOKEN: Definition<3> = by_call(
    "llm_time_to_first_token_seconds",
    "gen_ai_client_operation_time_to_first_chunk_seconds",
    "gen_ai.client.operation.time_to_first_chunk",
    "Time from an LLM call to the first token of its streamed response, in seconds.",
)
.with_role(Role::LlmTimeToFirstToken);

pub(crate) const TIME_PER_OUTPUT_TOKEN: Definition<3> = by_call(
    "llm_time_per_output_token_seconds",
    "gen_ai_client_time_per_output_token_seconds",
    "gen_ai.client.time_per_output_token",
    "Mean time per output token of a streamed response after the first token, in seconds.",
)
.with_role(Role::LlmTimePerToken);

/// Created in [`Preset::Otel`] only.
pub(crate) const TIME_PER_OUTPUT_CHUNK: Definition<3> = by_call(
    "llm_time_per_output_chunk_seconds",
    "gen_ai_client_operation_time_per_output_chunk_seconds",
    "gen_ai.client.operation.time_per_output_chunk",
    "Time from one chunk of a streamed response to the next, in seconds.",
);

pub(crate) const SERVER_TIME: Definition<4> = by_label(
    LabelName::Fixed("phase"),
    "llm_server_time_seconds",
    "gen_ai_client_server_time_seconds",
    "gen_ai.client.server_time",
    "Processing time that the provider reports, by phase, in seconds.",
);

pub(crate) const RATE_LIMIT_REMAINING: Definition<4> = by_label(
    LabelName::Fixed("kind"),
    "llm_rate_limit_remaining",
    "gen_ai_client_rate_limit_remaining",
    "gen_ai.client.rate_limit_remaining",
    "Lowest remainder of a provider's rate limit in the last minute, or else the limit.",
)
.with_role(Role::LlmRateLimitRemaining);

pub(crate) const RATE_LIMIT: Definition<4> = by_label(
    LabelName::Fixed("kind"),
    "llm_rate_limit",
    "gen_ai_client_rate_limit",
    "gen_ai.client.rate_limit",
    "A provider's rate limit, as last reported.",
)
.with_role(Role::LlmRateLimit);

pub(crate) const RATE_LIMIT_RESET: Definition<4> = by_label(
    LabelName::Fixed("kind"),
    "llm_rate_limit_reset_seconds",
    "gen_ai_client_rate_limit_reset_seconds",
    "gen_ai.client.rate_limit_reset",
    "Longest time until a provider's rate limit is full again, as reported in the last minute, in \
     seconds.",
)
.with_role(Role::LlmRateLimitReset);

pub(crate) const COST: Definition<4> = by_label(
    LabelName::Fixed("source"),
    "llm_cost_usd_total",
    "gen_ai_client_cost_usd_total",
    "gen_ai.client.cost_usd",
    "Known cost of LLM calls, in US dollars.",
)
.with_role(Role::LlmCost);

pub(crate) const UNPRICED: Definition<4> = by_label(
    LabelName::Fixed("reason"),
    "llm_unpriced_requests_total",
    "gen_ai_client_unpriced_requests_total",
    "gen_ai.client.unpriced_requests",
    "LLM calls with an unknown or incomplete cost, by reason.",
)
.with_role(Role::LlmUnpriced);

pub(crate) const ROUTE_REQUESTS: Definition<4> = by_label(
    LabelName::Route,
    "llm_route_requests_total",
    "gen_ai_client_route_requests_total",
    "gen_ai.client.route.requests",
    "Finished LLM calls, by the route of the HTTP request that made them.",
);

pub(crate) const ROUTE_TOKENS: Definition<5> = Definition {
    role: None,
    llm: "llm_route_tokens_total",
    otel: "gen_ai_client_route_tokens_total",
    semantic: "gen_ai.client.route.tokens",
    unit: None,
    help: "Tokens of LLM calls, by the route of the HTTP request that made them.",
    labels: [
        LabelName::Provider,
        LabelName::Model,
        LabelName::Operation,
        LabelName::Route,
        LabelName::Direction,
    ],
};

pub(crate) const ROUTE_COST: Definition<4> = by_label(
    LabelName::Route,
    "llm_route_cost_usd_total",
    "gen_ai_client_route_cost_usd_total",
    "gen_ai.client.route.cost_usd",
    "Known cost of LLM calls in US dollars, by the route of the HTTP request that made them.",
)
.with_role(Role::LlmRouteCost);

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check<const N: usize>(definition: &Definition<N>) {
        let Definition { otel, semantic, .. } = definition;
        assert!(
            SemanticNames::translates_to(semantic, otel),
            "{otel} {semantic}"
        );
        assert_eq!(definition.semantic_names(Preset::Llm), None);
    }

    #[test]
    fn prometheus_names_are_the_translated_semantic_names() {
        for definition in [
            &IN_FLIGHT,
            &SUCCESSES,
            &TOOL_CALLS,
            &DURATION,
            &TIME_TO_FIRST_TOKEN,
            &TIME_PER_OUTPUT_TOKEN,
            &TIME_PER_OUTPUT_CHUNK,
        ] {
            check(definition);
        }
        for definition in [
            &REQUESTS,
            &ERRORS,
            &TOKENS,
            &TOKEN_DETAILS,
            &BILLED_UNITS,
            &MISSING_USAGE,
            &FINISH_REASONS,
            &DURATION_BY_ERROR,
            &SERVER_TIME,
            &RATE_LIMIT_REMAINING,
            &RATE_LIMIT,
            &RATE_LIMIT_RESET,
            &COST,
            &UNPRICED,
            &ROUTE_REQUESTS,
            &ROUTE_COST,
        ] {
            check(definition);
        }
        check(&ROUTE_TOKENS);
    }

    #[test]
    fn labels_are_the_translated_attributes() {
        for (label, attribute) in ATTRIBUTES {
            assert_eq!(attribute.replace('.', "_"), label);
        }
        for label in [
            LabelName::Provider,
            LabelName::Model,
            LabelName::Operation,
            LabelName::Direction,
            LabelName::Route,
        ] {
            let name = label.name(Preset::Otel);
            assert!(ATTRIBUTES.iter().any(|(label, _)| *label == name), "{name}");
        }
    }
}
