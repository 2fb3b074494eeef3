//! The metric families in which calls are recorded.

use crate::error::Error;
use crate::llm::metrics::definitions::{
    BILLED_UNITS, COST, DURATION, DURATION_BY_ERROR, Definition, ERRORS, FINISH_REASONS, IN_FLIGHT,
    LabelName, MISSING_USAGE, REQUESTS, ROUTE_COST, ROUTE_REQUESTS, ROUTE_TOKENS, SERVER_TIME,
    SUCCESSES, TIME_PER_OUTPUT_CHUNK, TIME_PER_OUTPUT_TOKEN, TIME_TO_FIRST_TOKEN, TOKEN_DETAILS,
    TOKENS, TOOL_CALLS, UNCONFIRMED, UNKNOWN, UNPRICED,
};
use crate::llm::metrics::rate_limits::RateLimits;
use crate::llm::settings::{Preset, Settings};
use crate::metric::{
    Buckets, Counter, DynFamily, Family, FixedPointCounter, Histogram, InFlight, Instrument, Label,
};
use crate::registry::Registry;

/// All families. Their first three labels are the provider, the model and the operation.
///
/// Models come from requests and responses, so their number is limited. Only the family `in_flight`
/// has the limit. It resolves the model first, and the other families use the result, so all
/// families have series for the same models.
pub(crate) struct Families {
    pub(crate) in_flight: DynFamily<InFlight>,
    pub(crate) requests: Family<Counter, 4>,
    pub(crate) successes: Family<Counter, 3>,
    pub(crate) errors: Family<Counter, 4>,
    pub(crate) tokens: TokenFamily,
    pub(crate) token_details: Family<Counter, 4>,
    pub(crate) billed_units: Family<Counter, 4>,
    pub(crate) missing_usage: Family<Counter, 4>,
    pub(crate) finish_reasons: Family<Counter, 4>,
    pub(crate) tool_calls: Family<Counter, 3>,
    pub(crate) duration: DurationFamily,
    pub(crate) time_to_first_token: Family<Histogram, 3>,
    pub(crate) time_per_output_token: Family<Histogram, 3>,
    pub(crate) time_per_output_chunk: Option<Family<Histogram, 3>>,
    pub(crate) server_time: Family<Histogram, 4>,
    pub(crate) rate_limits: RateLimits,
    pub(crate) cost: DynFamily<FixedPointCounter>,
    pub(crate) unpriced: Family<Counter, 4>,
    pub(crate) by_route: Option<RouteFamilies>,
    pub(crate) has_prices: bool,
    /// The name of the label `model`.
    pub(crate) model_label: &'static str,
}

/// The family of tokens: counters, or in [`Preset::Otel`] histograms of the tokens per call.
pub(crate) enum TokenFamily {
    Sum(Family<Counter, 4>),
    PerCall(Family<Histogram, 4>),
}

/// The family of durations, in [`Preset::Otel`] by error type.
pub(crate) enum DurationFamily {
    ByCall(Family<Histogram, 3>),
    ByError(Family<Histogram, 4>),
}

/// The families by the route of the HTTP request that makes a call.
pub(crate) struct RouteFamilies {
    pub(crate) requests: Family<Counter, 4>,
    pub(crate) tokens: Family<Counter, 5>,
    pub(crate) cost: DynFamily<FixedPointCounter>,
}

impl Families {
    pub(crate) fn new(registry: &Registry, settings: &Settings) -> Result<Self, Error> {
        let registry = match &*settings.prefix {
            "" => registry.clone(),
            prefix => registry.clone().with_prefix(prefix)?,
        };
        let preset = settings.preset;
        let factory = FamilyFactory {
            registry,
            preset,
            custom_buckets: settings.buckets.as_ref(),
        };
        let bounds = preset.bounds();
        let families = Self {
            in_flight: factory.in_flight()?,
            requests: factory.counters(&REQUESTS)?,
            successes: factory.counters(&SUCCESSES)?,
            errors: factory.counters(&ERRORS)?,
            tokens: factory.tokens()?,
            token_details: factory.counters(&TOKEN_DETAILS)?,
            billed_units: factory.counters(&BILLED_UNITS)?,
            missing_usage: factory.counters(&MISSING_USAGE)?,
            finish_reasons: factory.counters(&FINISH_REASONS)?,
            tool_calls: factory.counters(&TOOL_CALLS)?,
            duration: factory.duration()?,
            time_to_first_token: factory.seconds(&TIME_TO_FIRST_TOKEN, bounds.first_token)?,
            time_per_output_token: factory.seconds(&TIME_PER_OUTPUT_TOKEN, bounds.per_token)?,
            time_per_output_chunk: (preset == Preset::Otel)
                .then(|| factory.seconds(&TIME_PER_OUTPUT_CHUNK, bounds.first_token))
                .transpose()?,
            server_time: factory.seconds(&SERVER_TIME, bounds.server_time)?,
            rate_limits: RateLimits::new(&factory)?,
            cost: factory.dyn_family(&COST, None)?,
            unpriced: factory.counters(&UNPRICED)?,
            by_route: settings
                .has_route_metrics
                .then(|| factory.route_families())
                .transpose()?,
            has_prices: settings.prices.is_some(),
            model_label: LabelName::Model.name(preset),
        };
        families.declare(settings);
        Ok(families)
    }

    /// Sets the limit of models, and creates the series of configured models.
    fn declare(&self, settings: &Settings) {
        if let Some(models) = settings.model_limit {
            self.in_flight.limit_if_unset(models);
        }
        let predeclared = settings.predeclared.iter().map(|[_, model, _]| model);
        let models = settings.known_models.iter().chain(predeclared);
        let models = models.chain(&settings.default_model).map(|model| &**model);
        for model in models.chain([UNKNOWN, UNCONFIRMED]) {
            self.in_flight.declare_value(self.model_label, model);
        }
        for [provider, model, operation] in &settings.predeclared {
            self.get_or_create(&mut [provider, model, operation]);
        }
        // A configured provider is the provider of all known models.
        for (provider, model) in settings.provider.iter().zip(&settings.known_models) {
            self.get_or_create(&mut [provider, model, "chat"]);
        }
    }
}

/// Creates families with the names of one preset.
pub(crate) struct FamilyFactory<'a> {
    registry: Registry,
    preset: Preset,
    /// The buckets of all histograms of seconds, if the user set them.
    custom_buckets: Option<&'a Buckets>,
}

impl FamilyFactory<'_> {
    fn registry<const N: usize>(&self, definition: &Definition<N>) -> Registry {
        let mut registry = self.registry.clone();
        if let Some(role) = definition.role {
            registry = registry.with_role(role);
        }
        if let Some(names) = definition.semantic_names(self.preset) {
            registry = registry.with_semantic_names(names);
        }
        registry
    }

    /// Returns the labels. Only `in_flight` limits their values; see [`Families`].
    fn labels<const N: usize>(&self, definition: &Definition<N>) -> [Label<'static>; N] {
        definition
            .labels
            .map(|label| Label::unlimited(label.name(self.preset)))
    }

    fn in_flight(&self) -> Result<DynFamily<InFlight>, Error> {
        let [provider, _, operation] = self.labels(&IN_FLIGHT);
        let model = Label::open(LabelName::Model.name(self.preset));
        self.registry(&IN_FLIGHT).dyn_family(
            IN_FLIGHT.name(self.preset),
            IN_FLIGHT.help,
            &[provider, model, operation],
            None,
        )
    }

    fn counters<const N: usize>(
        &self,
        definition: &Definition<N>,
    ) -> Result<Family<Counter, N>, Error> {
        self.registry(definition).counter_family(
            definition.name(self.preset),
            definition.help,
            self.labels(definition),
        )
    }

    pub(crate) fn dyn_family<M: Instrument, const N: usize>(
        &self,
        definition: &Definition<N>,
        settings: Option<M::Settings>,
    ) -> Result<DynFamily<M>, Error> {
        self.registry(definition).dyn_family(
            definition.name(self.preset),
            definition.help,
            &self.labels(definition),
            settings,
        )
    }

    /// Creates a histogram with the user's buckets. Without them, a histogram that is
    /// already registered keeps its buckets.
    fn seconds<const N: usize>(
        &self,
        definition: &Definition<N>,
        bounds: &[f64],
    ) -> Result<Family<Histogram, N>, Error> {
        let registry = self.registry(definition);
        let name = definition.name(self.preset);
        let labels = self.labels(definition);
        if self.custom_buckets.is_none() && registry.get(name).is_some() {
            return registry.histogram_family(name, definition.help, labels);
        }
        let buckets = match self.custom_buckets {
            Some(buckets) => buckets.clone(),
            None => Buckets::new(bounds)?,
        };
        registry.histogram_family_with_buckets(name, definition.help, labels, buckets)
    }

    fn tokens(&self) -> Result<TokenFamily, Error> {
        match self.preset {
            Preset::Llm => self.counters(&TOKENS).map(TokenFamily::Sum),
            Preset::Otel => self
                .registry(&TOKENS)
                .histogram_family_with_buckets(
                    TOKENS.name(self.preset),
                    TOKENS.help,
                    self.labels(&TOKENS),
                    Buckets::new(self.preset.bounds().tokens)?,
                )
                .map(TokenFamily::PerCall),
        }
    }

    fn duration(&self) -> Result<DurationFamily, Error> {
        let bounds = self.preset.bounds().duration;
        match self.preset {
            Preset::Llm => self.seconds(&DURATION, bounds).map(DurationFamily::ByCall),
            Preset::Otel => self
                .seconds(&DURATION_BY_ERROR, bounds)
                .map(DurationFamily::ByError),
        }
    }

    fn route_families(&self) -> Result<RouteFamilies, Error> {
        Ok(RouteFamilies {
            requests: self.counters(&ROUTE_REQUESTS)?,
            tokens: self.counters(&ROUTE_TOKENS)?,
            cost: self.dyn_family(&ROUTE_COST, None)?,
        })
    }
}
