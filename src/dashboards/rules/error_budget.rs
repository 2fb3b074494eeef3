//! Alerts on how fast an error budget burns.

use crate::dashboards::promql::{PromDuration, record_selector};
use crate::dashboards::rules::yaml::{Alert, RuleGroup, Severity};

/// A burn rate, and the two windows over which it must be exceeded: the long one shows that the
/// errors matter, the short one that they still go on.
struct BurnRate {
    factor: f64,
    long_window: PromDuration,
    short_window: PromDuration,
}

/// Burn rates that page someone: 2 % of a month's budget in an hour, 5 % in six hours.
const PAGE_BURN_RATES: [BurnRate; 2] = [
    BurnRate {
        factor: 14.4,
        long_window: PromDuration::hours(1),
        short_window: PromDuration::minutes(5),
    },
    BurnRate {
        factor: 6.0,
        long_window: PromDuration::hours(6),
        short_window: PromDuration::minutes(30),
    },
];

/// Burn rates that open a ticket: 10 % in one day, 10 % in three days.
const TICKET_BURN_RATES: [BurnRate; 2] = [
    BurnRate {
        factor: 3.0,
        long_window: PromDuration::days(1),
        short_window: PromDuration::hours(2),
    },
    BurnRate {
        factor: 1.0,
        long_window: PromDuration::days(3),
        short_window: PromDuration::hours(6),
    },
];

/// All windows, the shortest first.
const WINDOWS: [PromDuration; 7] = [
    PromDuration::minutes(5),
    PromDuration::minutes(30),
    PromDuration::hours(1),
    PromDuration::hours(2),
    PromDuration::hours(6),
    PromDuration::days(1),
    PromDuration::days(3),
];

/// Services with fewer requests/s cause no alert: at one request a minute, a single failure would
/// be a high error ratio.
const MIN_REQUESTS_PER_SECOND: f64 = 1.0 / 60.0;

/// A service with this error ratio is down, whatever the objective.
const MAX_ERROR_RATIO: f64 = 0.9;

/// The error budget of a service: how it is recorded, and the alert on its burn rate.
pub(super) struct ErrorBudget<'a> {
    /// The name of the records of the error ratio, without the window.
    pub(super) ratio_record: String,
    /// The name of the records of the request rate, without the window.
    pub(super) rate_record: String,
    /// The rules are restricted to targets with these labels.
    pub(super) targets: &'a [(String, String)],
    /// Returns the query of the error ratio over a window, given the query of the request rate.
    pub(super) error_ratio: &'a dyn Fn(PromDuration, &str) -> String,
    /// Returns the query of the request rate over a window.
    pub(super) request_rate: &'a dyn Fn(PromDuration) -> String,
    pub(super) objective: f64,
    pub(super) alert_name: &'static str,
    pub(super) summary: &'static str,
    /// A Prometheus template. Its `$value` is the error ratio.
    pub(super) description: String,
}

impl ErrorBudget<'_> {
    /// Adds a recording rule for each window, and the alerts.
    pub(super) fn add_to(&self, group: &mut RuleGroup) {
        for window in WINDOWS {
            let rate_record = self.rate_record(window);
            group.record(&rate_record, (self.request_rate)(window));
            let request_rate = record_selector(&rate_record, self.targets);
            group.record(
                &self.ratio_record(window),
                (self.error_ratio)(window, &request_rate),
            );
        }
        for (burn_rates, severity, pending_for) in [
            (PAGE_BURN_RATES, Severity::Page, "2m"),
            (TICKET_BURN_RATES, Severity::Ticket, "1h"),
        ] {
            let conditions = burn_rates.map(|burn_rate| self.burn_condition(&burn_rate));
            group.alert(Alert {
                name: self.alert_name,
                query: conditions.join(" or "),
                pending_for,
                severity,
                summary: self.summary,
                description: self.description.clone(),
            });
        }
    }

    fn ratio_record(&self, window: PromDuration) -> String {
        format!("{}:ratio_rate{window}", self.ratio_record)
    }

    fn rate_record(&self, window: PromDuration) -> String {
        format!("{}:rate{window}", self.rate_record)
    }

    fn burn_condition(&self, burn_rate: &BurnRate) -> String {
        // With a low objective, the product can be more than 1.
        let threshold = (burn_rate.factor * (1.0 - self.objective)).min(MAX_ERROR_RATIO);
        // Nine digits are enough, and hide the rounding error of the subtraction.
        let threshold = format!("{threshold:.9}");
        let threshold = threshold.trim_end_matches('0').trim_end_matches('.');
        let [long, short, rate] = [
            self.ratio_record(burn_rate.long_window),
            self.ratio_record(burn_rate.short_window),
            self.rate_record(burn_rate.long_window),
        ]
        .map(|name| record_selector(&name, self.targets));
        format!(
            "({long} > {threshold} and {short} > {threshold} and {rate} > {MIN_REQUESTS_PER_SECOND:.6})"
        )
    }
}
