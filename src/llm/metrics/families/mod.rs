//! The families that calls are recorded into.

mod bounds;
mod names;
mod rate_limits;
mod record;
mod series;

use crate::error::Error;
use crate::llm::metrics::families::names::Names;
use crate::llm::metrics::families::rate_limits::RateLimits;
use crate::llm::settings::{Preset, Settings};
use crate::metric::{
    Buckets, Counter, DynFamily, Family, FixedPointCounter, Histogram, InFlight, Label,
};
use crate::registry::Registry;
use crate::snapshot::Role;

/// All of them; the first three labels of each are the provider, the model and the
/// operation, and of those by route the route is the fourth.
///
/// Models come from callers and servers, so they have a limit: in one family alone, which
/// is asked first, and which the others follow. So all agree on which model is told.
pub(crate) struct Families {
    pub(crate) in_flight: DynFamily<InFlight>,
    requests: Family<Counter, 4>,
    success: Family<Counter, 3>,
    errors: Family<Counter, 4>,
    tokens: Tokens,
    details: Family<Counter, 4>,
    units: Family<Counter, 4>,
    missing: Family<Counter, 4>,
    finishes: Family<Counter, 4>,
    tool_calls: Family<Counter, 3>,
    duration: Duration,
    first_token: Family<Histogram, 3>,
    per_token: Family<Histogram, 3>,
    per_chunk: Option<Family<Histogram, 3>>,
    server_time: Family<Histogram, 4>,
    pub(crate) rate_limits: RateLimits,
    cost: DynFamily<FixedPointCounter>,
    unpriced: Family<Counter, 4>,
    by_route: Option<ByRoute>,
    has_prices: bool,
    /// What the label of the model is called.
    model: &'static str,
}

/// Tokens: their sum, or, as OpenTelemetry has it, how they are spread over the calls.
enum Tokens {
    Sum(Family<Counter, 4>),
    Spread(Family<Histogram, 4>),
}

/// The duration, which OpenTelemetry tells by the type of error, too.
enum Duration {
    OfAll(Family<Histogram, 3>),
    ByError(Family<Histogram, 4>),
}

/// What calls take and cost that are made while a request is answered, by its route.
struct ByRoute {
    requests: Family<Counter, 4>,
    tokens: Family<Counter, 5>,
    cost: DynFamily<FixedPointCounter>,
}

impl Families {
    pub(crate) fn new(registry: &Registry, settings: &Settings) -> Result<Self, Error> {
        let scoped = match &*settings.prefix {
            "" => registry.clone(),
            prefix => registry.clone().with_prefix(prefix)?,
        };
        let names = settings.preset.names();
        let bounds = settings.preset.bounds();
        let maker = Maker {
            registry: scoped,
            names,
            buckets: settings.buckets.clone(),
        };
        let by = settings.preset == Preset::Otel;
        let families = Self {
            in_flight: maker.of(Role::LlmInFlight).in_flight()?,
            requests: maker.of(Role::LlmRequests).counter_by(
                names.requests,
                "LLM calls that have ended, by outcome.",
                "outcome",
            )?,
            success: maker.counter(names.success, "LLM calls that were answered to the end.")?,
            errors: maker.of(Role::LlmErrors).counter_by(
                names.errors,
                "LLM calls that failed or whose answer broke off, by type of error.",
                names.error_type,
            )?,
            tokens: maker
                .of(Role::LlmTokens)
                .tokens(by.then_some(bounds.tokens))?,
            details: maker.counter_by(
                names.details,
                "Tokens among the input and output tokens: cached, reasoning, audio and image tokens.",
                "kind",
            )?,
            units: maker.counter_by(
                names.units,
                "What LLM calls are billed for besides tokens, such as web searches.",
                "unit",
            )?,
            missing: maker.counter_by(
                names.missing,
                "LLM calls whose tokens are not counted, or not all of them, by reason.",
                "reason",
            )?,
            finishes: maker.counter_by(
                names.finishes,
                "Answers of LLM calls, by the reason for which they ended.",
                "reason",
            )?,
            tool_calls: maker.counter(names.tool_calls, "Tool calls that LLMs asked for.")?,
            duration: maker.of(Role::LlmDuration).duration(bounds.duration, by)?,
            first_token: maker.of(Role::LlmTimeToFirstToken).histogram(
                names.first_token,
                "Time from an LLM call to the first token of its streamed answer, in seconds.",
                bounds.first_token,
            )?,
            per_token: maker.of(Role::LlmTimePerToken).histogram(
                names.per_token,
                "Mean time per output token of a streamed answer after the first, in seconds.",
                bounds.per_token,
            )?,
            per_chunk: names
                .per_chunk
                .map(|name| {
                    let help = "Time from one chunk of a streamed answer to the next, in seconds.";
                    maker.histogram(name, help, bounds.first_token)
                })
                .transpose()?,
            server_time: maker.histogram_by(
                names.server_time,
                "Time that the provider reports for its work, by phase, in seconds.",
                "phase",
                bounds.server_time,
            )?,
            rate_limits: RateLimits::new(&maker)?,
            cost: maker.of(Role::LlmCost).cost()?,
            unpriced: maker.of(Role::LlmUnpriced).counter_by(
                names.unpriced,
                "LLM calls whose cost is not known, or not all of it, by reason.",
                "reason",
            )?,
            by_route: settings.by_route.then(|| maker.by_route()).transpose()?,
            has_prices: settings.prices.is_some(),
            model: names.model,
        };
        if let Some(models) = settings.limit {
            families.in_flight.limit_if_unset(models);
        }
        let declared = settings.predeclared.iter().map(|[_, model, _]| model);
        let models = settings.known_models.iter().chain(declared);
        let models = models.chain(&settings.default_model).map(|model| &**model);
        for model in models.chain([UNKNOWN, UNCONFIRMED]) {
            families.in_flight.declare_value(names.model, model);
        }
        for [provider, model, operation] in &settings.predeclared {
            families.open(&mut [provider, model, operation]);
        }
        // Of configured models the provider may be known, too.
        for (provider, model) in settings.provider.iter().zip(&settings.known_models) {
            families.open(&mut [provider, model, "chat"]);
        }
        Ok(families)
    }
}

/// Makes families with the labels that all of them have.
pub(crate) struct Maker {
    registry: Registry,
    names: &'static Names,
    /// Those of all histograms of seconds, if they are chosen.
    buckets: Option<Buckets>,
}

impl Maker {
    /// Makes what is there for this.
    fn of(&self, role: Role) -> Self {
        Self {
            registry: self.registry.with_role(role),
            names: self.names,
            buckets: self.buckets.clone(),
        }
    }

    fn three(&self) -> [Label<'static>; 3] {
        [self.names.provider, self.names.model, self.names.operation].map(Label::unlimited)
    }

    fn four(&self, last: &'static str) -> [Label<'static>; 4] {
        let [provider, model, operation] = self.three();
        [provider, model, operation, Label::unlimited(last)]
    }

    fn in_flight(&self) -> Result<DynFamily<InFlight>, Error> {
        let [provider, _, operation] = self.three();
        self.registry.dyn_family(
            self.names.in_flight,
            "LLM calls that have started and not ended.",
            &[provider, Label::open(self.names.model), operation],
            None,
        )
    }

    fn counter(&self, name: &str, help: &str) -> Result<Family<Counter, 3>, Error> {
        self.registry.counter_family(name, help, self.three())
    }

    fn counter_by(
        &self,
        name: &str,
        help: &str,
        by: &'static str,
    ) -> Result<Family<Counter, 4>, Error> {
        self.registry.counter_family(name, help, self.four(by))
    }

    fn histogram(
        &self,
        name: &str,
        help: &str,
        bounds: &[f64],
    ) -> Result<Family<Histogram, 3>, Error> {
        self.seconds(name, help, self.three(), bounds)
    }

    fn histogram_by(
        &self,
        name: &str,
        help: &str,
        by: &'static str,
        bounds: &[f64],
    ) -> Result<Family<Histogram, 4>, Error> {
        self.seconds(name, help, self.four(by), bounds)
    }

    /// Makes a histogram of the bounds that were chosen. Where none were, it takes one that
    /// is there as it is, and so fits beside whoever chose some.
    fn seconds<const N: usize>(
        &self,
        name: &str,
        help: &str,
        labels: [Label<'_>; N],
        bounds: &[f64],
    ) -> Result<Family<Histogram, N>, Error> {
        if self.buckets.is_none() && self.registry.get(name).is_some() {
            return self.registry.histogram_family(name, help, labels);
        }
        let buckets = match &self.buckets {
            Some(buckets) => buckets.clone(),
            None => Buckets::new(bounds)?,
        };
        self.registry
            .histogram_family_with_buckets(name, help, labels, buckets)
    }

    /// Makes that of tokens, a histogram if there are bounds.
    fn tokens(&self, bounds: Option<&[f64]>) -> Result<Tokens, Error> {
        let Names {
            tokens, direction, ..
        } = self.names;
        Ok(match bounds {
            None => {
                Tokens::Sum(self.counter_by(tokens, "Tokens that LLM calls used.", direction)?)
            }
            Some(bounds) => Tokens::Spread(self.registry.histogram_family_with_buckets(
                tokens,
                "Tokens that an LLM call used.",
                self.four(direction),
                Buckets::new(bounds)?,
            )?),
        })
    }

    fn duration(&self, bounds: &[f64], by_error: bool) -> Result<Duration, Error> {
        let help = "Time from an LLM call to the end of its answer, in seconds.";
        let Names {
            duration,
            error_type,
            ..
        } = self.names;
        Ok(if by_error {
            Duration::ByError(self.histogram_by(duration, help, error_type, bounds)?)
        } else {
            Duration::OfAll(self.histogram(duration, help, bounds)?)
        })
    }

    fn cost(&self) -> Result<DynFamily<FixedPointCounter>, Error> {
        self.registry.dyn_family(
            self.names.cost,
            "Known cost of LLM calls, in US dollars.",
            &self.four("source"),
            None,
        )
    }

    fn by_route(&self) -> Result<ByRoute, Error> {
        let Names {
            route, direction, ..
        } = self.names;
        let four = self.four(route);
        let [provider, model, operation, route] = four.clone();
        Ok(ByRoute {
            requests: self.registry.counter_family(
                self.names.route_requests,
                "LLM calls that have ended, by the route of the request that made them.",
                four.clone(),
            )?,
            tokens: self.registry.counter_family(
                self.names.route_tokens,
                "Tokens that LLM calls used, by the route of the request that made them.",
                [
                    provider,
                    model,
                    operation,
                    route,
                    Label::unlimited(direction),
                ],
            )?,
            cost: self.of(Role::LlmRouteCost).registry.dyn_family(
                self.names.route_cost,
                "Known cost of LLM calls, by the route of the request that made them, in US dollars.",
                &four,
                None,
            )?,
        })
    }
}

/// The value of a label of which nothing is known.
pub(crate) const UNKNOWN: &str = "unknown";

/// The model of calls that no provider has accepted yet.
pub(crate) const UNCONFIRMED: &str = "_unconfirmed";
