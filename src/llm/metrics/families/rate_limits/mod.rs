//! The families of rate limits.

use std::time::Duration;

use crate::error::Error;
use crate::llm::facts::RateLimit;
use crate::llm::metrics::families::Maker;
use crate::metric::{DynFamily, ExpiringGauge, Extreme, RecentExtreme};
use crate::snapshot::Role;

/// How long a limit is shown after it was reported. A limit does not end with its reset.
const LIMIT_LASTS: Duration = Duration::from_secs(60 * 60);

/// What providers report of their rate limits; the fourth label is the kind.
///
/// Most limits are full again before the next scrape. So what remains is shown at its lowest
/// of the last minute, and the reset at its longest.
pub(crate) struct RateLimits {
    remaining: DynFamily<RecentExtreme>,
    limit: DynFamily<ExpiringGauge>,
    reset: DynFamily<RecentExtreme>,
}

impl RateLimits {
    pub(crate) fn new(maker: &Maker) -> Result<Self, Error> {
        let (names, labels) = (maker.names, maker.four("kind"));
        Ok(Self {
            remaining: maker.of(Role::LlmRateLimitRemaining).registry.dyn_family(
                names.remaining,
                "Lowest that remained of a provider's rate limit in the last minute, or the limit itself.",
                &labels,
                Some(Extreme::Lowest),
            )?,
            limit: maker.of(Role::LlmRateLimit).registry.dyn_family(
                names.limit,
                "A provider's rate limit, as last reported.",
                &labels,
                None,
            )?,
            reset: maker.of(Role::LlmRateLimitReset).registry.dyn_family(
                names.reset,
                "Longest time until a provider's rate limit is full again, as reported in the last \
                 minute, in seconds.",
                &labels,
                Some(Extreme::Highest),
            )?,
        })
    }

    /// Records a limit of a provider, a model and an operation.
    pub(crate) fn record(&self, [provider, model, operation]: [&str; 3], of: &RateLimit) {
        let mut labels = [provider, model, operation, of.kind];
        let remaining = self.remaining.get_or_create(&mut labels);
        remaining.record(of.remaining);
        if let Some(limit) = of.limit {
            remaining.set_fallback(limit, LIMIT_LASTS);
            self.limit
                .get_or_create(&mut labels)
                .set(limit, LIMIT_LASTS);
        }
        if let Some(reset) = of.reset {
            self.reset
                .get_or_create(&mut labels)
                .record(reset.as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests;
