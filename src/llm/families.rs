//! The families that calls are recorded into.

use crate::error::Error;
use crate::llm::layer::Settings;
use crate::metric::{Counter, DynFamily, Family, Histogram, InFlight, Label, Passing};
use crate::registry::Registry;

/// All of them; the first three labels of each are the provider, the model and the
/// operation.
///
/// Models come from callers and servers, so they have a limit: in one family alone, which
/// is asked first, and which the others follow. So all agree on which model is told.
#[derive(Debug)]
pub(super) struct Families {
    pub(super) in_flight: DynFamily<InFlight>,
    pub(super) requests: Family<Counter, 4>,
    pub(super) success: Family<Counter, 3>,
    pub(super) errors: Family<Counter, 4>,
    pub(super) tokens: Family<Counter, 4>,
    pub(super) details: Family<Counter, 4>,
    pub(super) missing: Family<Counter, 4>,
    pub(super) finishes: Family<Counter, 4>,
    pub(super) tool_calls: Family<Counter, 3>,
    pub(super) duration: Family<Histogram, 3>,
    pub(super) first_token: Family<Histogram, 3>,
    pub(super) per_token: Family<Histogram, 3>,
    pub(super) remaining: DynFamily<Passing>,
    pub(super) limit: DynFamily<Passing>,
}

/// From a cached embedding to an hour of reasoning.
const SECONDS: [f64; 15] = [
    0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1_280.0,
];

/// From a server's cache in the same room to a model that thinks first.
const FIRST_SECONDS: [f64; 14] = [
    0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0,
];

const PER_TOKEN_SECONDS: [f64; 11] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0,
];

const LABELS: [&str; 3] = ["provider", "model", "operation"];

impl Families {
    pub(super) fn new(registry: &Registry, settings: &Settings) -> Result<Self, Error> {
        let scoped = match &*settings.prefix {
            "" => registry.clone(),
            prefix => registry.clone().prefix(prefix)?,
        };
        let [provider, model, operation] = LABELS.map(Label::unlimited);
        let three = [provider.clone(), model, operation.clone()];
        let counter = |name, help| scoped.counter_family(name, help, three.clone());
        let counter_by = |name, help, by| {
            let [provider, model, operation] = three.clone();
            scoped.counter_family(
                name,
                help,
                [provider, model, operation, Label::unlimited(by)],
            )
        };
        let histogram = |name, help, bounds: &[f64]| {
            let bounds = settings.buckets.as_deref().unwrap_or(bounds);
            scoped.histogram_family_with_buckets(name, help, three.clone(), bounds)
        };
        let passing = |name, help| {
            let by = [three.as_slice(), &[Label::unlimited("kind")]].concat();
            scoped.dyn_family(name, help, &by, None)
        };
        let families = Self {
            in_flight: scoped.dyn_family(
                "llm_requests_in_flight",
                "Calls of an LLM that have begun and not ended.",
                &[provider, Label::open("model"), operation],
                None,
            )?,
            requests: counter_by(
                "llm_requests_total",
                "Calls of an LLM that have ended, by how they did.",
                "outcome",
            )?,
            success: counter(
                "llm_requests_success",
                "Calls of an LLM that were answered.",
            )?,
            errors: counter_by(
                "llm_requests_error",
                "Calls of an LLM that failed or broke off, by what was wrong.",
                "error_type",
            )?,
            tokens: counter_by(
                "llm_tokens_total",
                "Tokens that calls of an LLM took.",
                "direction",
            )?,
            details: counter_by(
                "llm_token_details_total",
                "Tokens among those of a direction that were cached, thought or sound.",
                "kind",
            )?,
            missing: counter_by(
                "llm_usage_missing_total",
                "Calls of an LLM whose tokens are not counted, or not all, by why.",
                "reason",
            )?,
            finishes: counter_by(
                "llm_finish_reasons_total",
                "Answers of an LLM, by why they ended.",
                "reason",
            )?,
            tool_calls: counter(
                "llm_tool_calls_total",
                "Calls of tools that an LLM asked for.",
            )?,
            duration: histogram(
                "llm_request_duration_seconds",
                "Time from a call of an LLM to the end of its answer.",
                &SECONDS,
            )?,
            first_token: histogram(
                "llm_time_to_first_token_seconds",
                "Time from a call of an LLM to the first token of a streamed answer.",
                &FIRST_SECONDS,
            )?,
            per_token: histogram(
                "llm_time_per_output_token_seconds",
                "Time that each token of a streamed answer took after the first.",
                &PER_TOKEN_SECONDS,
            )?,
            remaining: passing(
                "llm_rate_limit_remaining",
                "What a provider's rate limit still allows, as it last said.",
            )?,
            limit: passing(
                "llm_rate_limit",
                "What a provider's rate limit allows in all, as it last said.",
            )?,
        };
        if let Some(models) = settings.limit {
            families.in_flight.limit_once(models);
        }
        families.in_flight.allow("model", UNKNOWN);
        for model in &settings.models {
            families.in_flight.allow("model", model);
        }
        Ok(families)
    }
}

/// The value of a label of which nothing is known.
pub(super) const UNKNOWN: &str = "unknown";

/// So many models are told apart if nothing else is said.
pub(super) const MODELS: usize = 100;
