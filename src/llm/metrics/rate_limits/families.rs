//! The families of rate limits.

use std::time::Duration;

use crate::error::Error;
use crate::llm::facts::RateLimit;
use crate::llm::metrics::definitions::{RATE_LIMIT, RATE_LIMIT_REMAINING, RATE_LIMIT_RESET};
use crate::llm::metrics::families::FamilyFactory;
use crate::metric::{DynFamily, ExpiringGauge, Extreme, RecentExtreme};

/// How long a limit is exported after it was last reported. A reset does not end the limit.
const LIMIT_LIFETIME: Duration = Duration::from_secs(60 * 60);

/// What providers report about their rate limits; the fourth label is the kind.
///
/// Most limits are full again before the next scrape. So the remainder is exported as the
/// lowest of the last minute, and the time until the reset as the longest.
pub(crate) struct RateLimits {
    remaining: DynFamily<RecentExtreme>,
    limit: DynFamily<ExpiringGauge>,
    reset: DynFamily<RecentExtreme>,
}

impl RateLimits {
    pub(crate) fn new(factory: &FamilyFactory<'_>) -> Result<Self, Error> {
        Ok(Self {
            remaining: factory.dyn_family(&RATE_LIMIT_REMAINING, Some(Extreme::Lowest))?,
            limit: factory.dyn_family(&RATE_LIMIT, None)?,
            reset: factory.dyn_family(&RATE_LIMIT_RESET, Some(Extreme::Highest))?,
        })
    }

    pub(crate) fn record(&self, [provider, model, operation]: [&str; 3], reported: &RateLimit) {
        let mut labels = [provider, model, operation, reported.kind];
        self.remaining.with_ref(&mut labels, |remaining, _| {
            remaining.record(reported.remaining);
            if let Some(limit) = reported.limit {
                remaining.set_fallback(limit, LIMIT_LIFETIME);
            }
        });
        if let Some(limit) = reported.limit {
            self.limit.with_ref(&mut labels, |series, _| {
                series.set(limit, LIMIT_LIFETIME);
            });
        }
        if let Some(reset) = reported.reset {
            self.reset.with_ref(&mut labels, |series, _| {
                series.record(reset.as_secs_f64());
            });
        }
    }
}
