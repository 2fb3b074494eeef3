//! The families of rate limits.

use std::time::Duration;

use crate::error::Error;
use crate::llm::families::Maker;
use crate::llm::headroom::Headroom;
use crate::metric::{DynFamily, Extreme, Passing, Recent};
use crate::snapshot::Role;

/// How long a limit is shown after it was reported. A limit does not end with its reset.
const LIMIT_LASTS: Duration = Duration::from_secs(60 * 60);

/// What providers report of their rate limits; the fourth label is the kind.
///
/// Most limits are full again before the next scrape. So what remains is shown at its lowest
/// of the last minute, and the reset at its longest.
#[derive(Debug)]
pub(crate) struct RateLimits {
    remaining: DynFamily<Recent>,
    limit: DynFamily<Passing>,
    reset: DynFamily<Recent>,
}

impl RateLimits {
    pub(super) fn new(maker: &Maker<'_>) -> Result<Self, Error> {
        let (names, labels) = (maker.names, maker.four("kind"));
        Ok(Self {
            remaining: maker.of(Role::LlmRemaining).registry.dyn_family(
                names.remaining,
                "Least that a provider's rate limit still allowed in the last minute, or the limit.",
                &labels,
                Some(Extreme::Lowest),
            )?,
            limit: maker.of(Role::LlmLimit).registry.dyn_family(
                names.limit,
                "What a provider's rate limit allows in all, as it last said.",
                &labels,
                None,
            )?,
            reset: maker.of(Role::LlmReset).registry.dyn_family(
                names.reset,
                "Longest time until a provider's rate limit is full again, as it said in the last \
                 minute.",
                &labels,
                Some(Extreme::Highest),
            )?,
        })
    }

    /// Records a limit of a provider, a model and an operation.
    pub(crate) fn record(&self, [provider, model, operation]: [&str; 3], of: &Headroom) {
        let mut labels = [provider, model, operation, of.kind];
        let remaining = self.remaining.admit(&mut labels);
        remaining.record(of.remaining);
        if let Some(limit) = of.limit {
            remaining.otherwise(limit, LIMIT_LASTS);
            self.limit.admit(&mut labels).set(limit, LIMIT_LASTS);
        }
        if let Some(reset) = of.reset {
            self.reset.admit(&mut labels).record(reset.as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use http::{HeaderMap, HeaderName, HeaderValue};

    use super::*;
    use crate::llm::LlmMetrics;
    use crate::llm::headroom::headroom;
    use crate::metric::advance;
    use crate::registry::Registry;

    /// Records what the head of an answer reports: remaining, limit and reset.
    fn answered(metrics: &LlmMetrics, values: [&str; 3]) {
        let mut headers = HeaderMap::new();
        for (what, value) in ["remaining", "limit", "reset"].into_iter().zip(values) {
            let name = format!("x-ratelimit-{what}-requests");
            let name = HeaderName::try_from(name).unwrap();
            if !value.is_empty() {
                headers.insert(name, HeaderValue::from_str(value).unwrap());
            }
        }
        let limits = headroom(&headers, SystemTime::UNIX_EPOCH);
        metrics.limits("openai", Some("m"), "chat", limits);
    }

    /// Returns what is shown: remaining, limit and reset.
    fn shown(registry: &Registry) -> [Option<f64>; 3] {
        ["_remaining", "", "_reset_seconds"].map(|end| {
            let metric = registry.get(&format!("llm_rate_limit{end}")).unwrap();
            (metric.series() > 0).then(|| metric.value())
        })
    }

    fn seconds(seconds: u64) {
        advance(Duration::from_secs(seconds));
    }

    fn metrics() -> (LlmMetrics, Registry) {
        let registry = Registry::new();
        (LlmMetrics::new(&registry).unwrap(), registry)
    }

    #[test]
    fn a_limit_is_shown_for_an_hour_and_what_remains_of_it_for_a_minute() {
        let (metrics, registry) = metrics();
        assert_eq!(shown(&registry), [None; 3]);
        answered(&metrics, ["59", "60", "6ms"]);
        let low = [Some(59.0), Some(60.0), Some(0.006)];
        assert_eq!(shown(&registry), low);
        seconds(50);
        assert_eq!(shown(&registry), low);
        // Other readers see the same.
        assert_eq!(shown(&registry), low);
        seconds(20);
        let full = [Some(60.0), Some(60.0), None];
        assert_eq!(shown(&registry), full);
        seconds(3_600 - 100);
        assert_eq!(shown(&registry), full);
        seconds(60);
        assert_eq!(shown(&registry), [None; 3]);
        // Each report of the limit counts anew.
        answered(&metrics, ["1", "50", ""]);
        seconds(3_570);
        assert_eq!(shown(&registry), [Some(50.0), Some(50.0), None]);
    }

    #[test]
    fn the_lowest_remaining_and_the_longest_reset_of_the_last_minute_are_shown() {
        let (metrics, registry) = metrics();
        answered(&metrics, ["30", "60", "30s"]);
        seconds(20);
        answered(&metrics, ["2", "60", "58s"]);
        seconds(20);
        // A reset that is longer than a minute changes nothing.
        answered(&metrics, ["40.5", "60", "2h"]);
        assert_eq!(shown(&registry), [Some(2.0), Some(60.0), Some(7_200.0)]);
        seconds(45);
        assert_eq!(shown(&registry), [Some(40.5), Some(60.0), Some(7_200.0)]);
        // The newest limit counts.
        answered(&metrics, ["41", "100", "1s"]);
        assert_eq!(shown(&registry), [Some(40.5), Some(100.0), Some(7_200.0)]);
        seconds(66);
        assert_eq!(shown(&registry), [Some(100.0), Some(100.0), None]);
    }

    #[test]
    fn without_a_limit_nothing_is_shown_after_a_minute() {
        let (metrics, registry) = metrics();
        answered(&metrics, ["5", "", "-3s"]);
        assert_eq!(shown(&registry), [Some(5.0), None, None]);
        seconds(66);
        assert_eq!(shown(&registry), [None; 3]);
        // A limit by itself says nothing of what remains.
        answered(&metrics, ["", "60", "1s"]);
        answered(&metrics, ["-1", "60", "1s"]);
        answered(&metrics, ["many", "60", "1s"]);
        assert_eq!(shown(&registry), [None; 3]);
    }
}
