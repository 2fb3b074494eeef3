//! Calls of LLMs.

use crate::dashboards::LLM_ERRORS;
use crate::dashboards::promql::{Series, Window, quantile, recorded, share};
use crate::dashboards::roles::{Found, Roles};
use crate::dashboards::rules::yaml::{Alert, Group, Severity};
use crate::dashboards::rules::{AlertRules, Merged, seconds};
use crate::snapshot::Role;

/// Fewer calls a second are left in peace: three in five minutes.
const LEAST: &str = "0.01";

/// Returns the rules, if there are metrics of calls.
pub(super) fn group(roles: &Roles, settings: &AlertRules) -> Option<Group> {
    let mut group = Group::new("tachometer_llm");
    let llm = Llm {
        settings,
        roles,
        requests: roles.get(Role::LlmRequests)?,
    };
    llm.shares(&mut group);
    let more = [
        llm.first_token(&mut group),
        llm.spending(&mut group),
        llm.headroom(),
        llm.unpriced(),
    ];
    for alert in more.into_iter().flatten() {
        group.alert(alert);
    }
    Some(group)
}

struct Llm<'a> {
    settings: &'a AlertRules,
    roles: &'a Roles,
    requests: &'a Found,
}

impl Llm<'_> {
    /// Tells models apart in the series of a metric, and what another label says.
    fn models<'a>(metric: &'a Found, by: &'a str) -> Merged<'a> {
        Merged::of(metric, &[metric.label(0), metric.label(1), by])
    }

    /// Says in a template which model it is.
    fn told(metric: &Found) -> String {
        format!("{{{{ $labels.{} }}}}", metric.label(1))
    }

    fn rate_of(&self, metric: &Found, series: &Series<'_>) -> String {
        let models = Self::models(metric, "");
        let rate = series.rate_from_zero(Window::minutes(5), self.roles);
        models.keep().sum(&rate)
    }

    /// Adds the alerts on which part of the calls fails, and why.
    fn shares(&self, group: &mut Group) {
        let requests = self.requests;
        let name = requests.stem();
        let calls = self.rate_of(requests, &Series::of(requests));
        let traffic = format!("job_model:{name}:rate5m");
        group.record(&traffic, calls);
        let traffic = recorded(&traffic, &requests.targets);
        let failed = Series::of(requests).with(requests.last_label(), "=~", LLM_ERRORS);
        let failures = format!("job_model:{name}_errors_per_request:ratio_rate5m");
        group.record(&failures, share(&self.rate_of(requests, &failed), &traffic));
        let failures = recorded(&failures, &requests.targets);
        group.alert(Alert {
            name: "LlmHighErrorShare",
            query: format!(
                "{failures} > {} and {traffic} > {LEAST}",
                self.settings.llm_error_share
            ),
            lasts: "10m",
            severity: Severity::Page,
            summary: "Many calls of a model fail.",
            description: format!(
                "Of the calls of {} by {{{{ $labels.job }}}}, \
                 {{{{ $value | humanizePercentage }}}} failed or broke off in the last 5 minutes.",
                Self::told(requests)
            ),
        });
        if let Some(errors) = self.roles.get(Role::LlmErrors) {
            let limited = Series::of(errors).with(errors.label(3), "=", "rate_limited");
            let limited = share(&self.rate_of(errors, &limited), &traffic);
            group.alert(Alert {
                name: "LlmRateLimited",
                query: format!("{limited} > 0.05 and {traffic} > {LEAST}"),
                lasts: "10m",
                severity: Severity::Ticket,
                summary: "A provider refuses calls, since there are too many.",
                description: format!(
                    "Of the calls of {} by {{{{ $labels.job }}}}, \
                     {{{{ $value | humanizePercentage }}}} were refused by the rate limit in the \
                     last 5 minutes.",
                    Self::told(errors)
                ),
            });
        }
    }

    fn first_token(&self, group: &mut Group) -> Option<Alert> {
        let time = self.roles.get(Role::LlmTimeToFirstToken)?;
        let name = format!("job_model:{}:p95_rate5m", time.stem());
        let models = Self::models(time, "");
        let query = quantile("0.95", &Series::of(time), models.keep(), "5m");
        group.record(&name, query);
        Some(Alert {
            name: "LlmSlowFirstToken",
            query: format!(
                "{} > {}",
                recorded(&name, &time.targets),
                seconds(self.settings.first_token)
            ),
            lasts: "10m",
            severity: Severity::Ticket,
            summary: "A model is slow to begin its answers.",
            description: format!(
                "Five of 100 answers of {} to {{{{ $labels.job }}}} began later than \
                 {{{{ $value | humanizeDuration }}}} in the last 5 minutes.",
                Self::told(time)
            ),
        })
    }

    fn spending(&self, group: &mut Group) -> Option<Alert> {
        let cost = self.roles.get(Role::LlmCost)?;
        let name = format!("job:{}:increase1h", cost.stem());
        let spent = Series::of(cost).increase_from_zero(Window::hours(1), self.roles);
        group.record(&name, Merged::of(cost, &[]).keep().sum(&spent));
        Some(Alert {
            name: "LlmHighSpend",
            query: format!(
                "{} > {}",
                recorded(&name, &cost.targets),
                self.settings.spend_per_hour
            ),
            lasts: "5m",
            severity: Severity::Ticket,
            summary: "Calls of LLMs cost much.",
            description: "The calls of {{ $labels.job }} cost {{ $value | humanize }} US dollars \
                          in the last hour."
                .into(),
        })
    }

    fn headroom(&self) -> Option<Alert> {
        let remaining = self.roles.get(Role::LlmRateLimitRemaining)?;
        let limit = self.roles.get(Role::LlmRateLimit)?;
        let mut left = format!("{} / {}", Series::of(remaining), Series::of(limit));
        if let Some(reset) = self.roles.get(Role::LlmRateLimitReset) {
            // A limit that is full again within a second stops no caller.
            left = format!("({left}) unless ({} < 1)", Series::of(reset));
        }
        let least = Self::models(remaining, remaining.label(3));
        let least = least.keep().each("min", &left);
        Some(Alert {
            name: "LlmRateLimitNearlyUsed",
            query: format!("{least} < {}", self.settings.rate_limit_left),
            lasts: "5m",
            severity: Severity::Ticket,
            summary: "Little is left of a provider's rate limit.",
            description: format!(
                "Of the limit of {{{{ $labels.{} }}}} for {}, \
                 {{{{ $value | humanizePercentage }}}} are left to {{{{ $labels.job }}}}.",
                remaining.label(3),
                Self::told(remaining)
            ),
        })
    }

    fn unpriced(&self) -> Option<Alert> {
        let unpriced = self.roles.get(Role::LlmUnpriced)?;
        let reason = unpriced.label(3);
        let models = Self::models(unpriced, reason);
        // What a call took that was given up or broke off is not known, and no price helps.
        let calls = Series::of(unpriced).with(reason, "!=", "usage");
        let calls = calls.increase_from_zero(Window::hours(1), self.roles);
        let calls = models.keep().sum(&calls);
        Some(Alert {
            name: "LlmCallsWithoutPrice",
            query: format!("{calls} > 0"),
            // Less than the window, or a single call would never fire.
            lasts: "30m",
            severity: Severity::Ticket,
            summary: "What calls of a model cost is not known.",
            description: format!(
                "Of {{{{ $labels.job }}}}'s calls of {} in the last hour, \
                 {{{{ $value | humanize }}}} have no price: {{{{ $labels.{reason} }}}}.",
                Self::told(unpriced)
            ),
        })
    }
}
