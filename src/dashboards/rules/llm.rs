//! Rules about LLM calls.

use crate::dashboards::LLM_ERRORS;
use crate::dashboards::promql::{PromDuration, Selector, quantile, ratio, record_selector};
use crate::dashboards::roles::{PromMetric, Roles};
use crate::dashboards::rules::yaml::{Alert, RuleGroup, Severity};
use crate::dashboards::rules::{AlertRules, DroppedLabels, format_seconds};
use crate::snapshot::Role;

/// Models with fewer calls/s cause no alert: three calls in five minutes.
const MIN_CALLS_PER_SECOND: &str = "0.01";

/// Returns the rules, if there are metrics of LLM calls.
pub(super) fn group(roles: &Roles, settings: &AlertRules) -> Option<RuleGroup> {
    let mut group = RuleGroup::new("tachometer_llm");
    let llm = Llm {
        settings,
        roles,
        requests: roles.get(Role::LlmRequests)?,
    };
    group.record(&llm.call_rate_record(), llm.call_rate());
    group.record(&llm.error_ratio_record(), llm.error_ratio());
    group.alert(llm.error_ratio_alert());
    let optional_alerts = [
        llm.rate_limited_alert(),
        llm.slow_first_token_alert(&mut group),
        llm.cost_alert(&mut group),
        llm.rate_limit_alert(),
        llm.unpriced_alert(),
    ];
    for alert in optional_alerts.into_iter().flatten() {
        group.alert(alert);
    }
    Some(group)
}

struct Llm<'a> {
    settings: &'a AlertRules,
    roles: &'a Roles,
    requests: &'a PromMetric,
}

impl Llm<'_> {
    /// Aggregates by provider, model, and a further label if it is not empty.
    fn by_model<'a>(metric: &'a PromMetric, label: &'a str) -> DroppedLabels<'a> {
        DroppedLabels::new(metric, &[metric.label(0), metric.label(1), label])
    }

    /// Returns a template of the model's name.
    fn model_template(metric: &PromMetric) -> String {
        format!("{{{{ $labels.{} }}}}", metric.label(1))
    }

    fn rate_by_model(&self, metric: &PromMetric, series: &Selector<'_>) -> String {
        let by_model = Self::by_model(metric, "");
        let rate = series.rate_from_zero(PromDuration::minutes(5), self.roles);
        by_model.grouping().sum(&rate)
    }

    fn call_rate_record(&self) -> String {
        format!("job_model:{}:rate5m", self.requests.base_name())
    }

    fn error_ratio_record(&self) -> String {
        let name = self.requests.base_name();
        format!("job_model:{name}_errors_per_request:ratio_rate5m")
    }

    fn call_rate(&self) -> String {
        self.rate_by_model(self.requests, &Selector::new(self.requests))
    }

    /// Selects the recorded call rate.
    fn recorded_call_rate(&self) -> String {
        record_selector(&self.call_rate_record(), &self.requests.target_labels)
    }

    fn error_ratio(&self) -> String {
        let outcome = self.requests.last_label();
        let errors = Selector::new(self.requests).match_label(outcome, "=~", LLM_ERRORS);
        ratio(
            &self.rate_by_model(self.requests, &errors),
            &self.recorded_call_rate(),
        )
    }

    fn error_ratio_alert(&self) -> Alert {
        let error_ratio = record_selector(&self.error_ratio_record(), &self.requests.target_labels);
        Alert {
            name: "LlmHighErrorRatio",
            query: format!(
                "{error_ratio} > {} and {} > {MIN_CALLS_PER_SECOND}",
                self.settings.llm_error_ratio,
                self.recorded_call_rate()
            ),
            pending_for: "10m",
            severity: Severity::Page,
            summary: "The error ratio of a model's LLM calls is high.",
            description: format!(
                "{{{{ $value | humanizePercentage }}}} of the calls of {} by \
                 {{{{ $labels.job }}}} failed or were cut off in the last 5 minutes.",
                Self::model_template(self.requests)
            ),
        }
    }

    fn rate_limited_alert(&self) -> Option<Alert> {
        let errors = self.roles.get(Role::LlmErrors)?;
        let rate_limited = Selector::new(errors).match_label(errors.label(3), "=", "rate_limited");
        let call_rate = self.recorded_call_rate();
        let limited_ratio = ratio(&self.rate_by_model(errors, &rate_limited), &call_rate);
        Some(Alert {
            name: "LlmRateLimited",
            query: format!("{limited_ratio} > 0.05 and {call_rate} > {MIN_CALLS_PER_SECOND}"),
            pending_for: "10m",
            severity: Severity::Ticket,
            summary: "A provider rejects LLM calls because of its rate limit.",
            description: format!(
                "{{{{ $value | humanizePercentage }}}} of the calls of {} by \
                 {{{{ $labels.job }}}} were rate limited in the last 5 minutes.",
                Self::model_template(errors)
            ),
        })
    }

    fn slow_first_token_alert(&self, group: &mut RuleGroup) -> Option<Alert> {
        let time = self.roles.get(Role::LlmTimeToFirstToken)?;
        let record = format!("job_model:{}:p95_rate5m", time.base_name());
        let by_model = Self::by_model(time, "");
        let p95 = quantile("0.95", &Selector::new(time), by_model.grouping(), "5m");
        group.record(&record, p95);
        Some(Alert {
            name: "LlmSlowFirstToken",
            query: format!(
                "{} > {}",
                record_selector(&record, &time.target_labels),
                format_seconds(self.settings.time_to_first_token)
            ),
            pending_for: "10m",
            severity: Severity::Ticket,
            summary: "The time to first token of a model is high.",
            description: format!(
                "5 % of the streamed responses of {} to {{{{ $labels.job }}}} took longer than \
                 {{{{ $value | humanizeDuration }}}} to the first token in the last 5 minutes.",
                Self::model_template(time)
            ),
        })
    }

    fn cost_alert(&self, group: &mut RuleGroup) -> Option<Alert> {
        let cost = self.roles.get(Role::LlmCost)?;
        let record = format!("job:{}:increase1h", cost.base_name());
        let increase = Selector::new(cost).increase_from_zero(PromDuration::hours(1), self.roles);
        let by_job = DroppedLabels::new(cost, &[]);
        group.record(&record, by_job.grouping().sum(&increase));
        Some(Alert {
            name: "LlmHighCost",
            query: format!(
                "{} > {}",
                record_selector(&record, &cost.target_labels),
                self.settings.cost_per_hour
            ),
            pending_for: "5m",
            severity: Severity::Ticket,
            summary: "The cost per hour of LLM calls is high.",
            description: "The LLM calls of {{ $labels.job }} cost {{ $value | humanize }} US \
                          dollars in the last hour."
                .into(),
        })
    }

    fn rate_limit_alert(&self) -> Option<Alert> {
        let remaining = self.roles.get(Role::LlmRateLimitRemaining)?;
        let limit = self.roles.get(Role::LlmRateLimit)?;
        let mut fraction = format!("{} / {}", Selector::new(remaining), Selector::new(limit));
        if let Some(reset) = self.roles.get(Role::LlmRateLimitReset) {
            // A limit that resets within a second blocks no caller.
            fraction = format!("({fraction}) unless ({} < 1)", Selector::new(reset));
        }
        let by_limit = Self::by_model(remaining, remaining.label(3));
        let lowest = by_limit.grouping().aggregate("min", &fraction);
        Some(Alert {
            name: "LlmRateLimitNearlyExhausted",
            query: format!("{lowest} < {}", self.settings.rate_limit_remaining),
            pending_for: "5m",
            severity: Severity::Ticket,
            summary: "A provider's rate limit is nearly exhausted.",
            description: format!(
                "{{{{ $value | humanizePercentage }}}} of the rate limit of \
                 {{{{ $labels.{} }}}} for {} remain to {{{{ $labels.job }}}}.",
                remaining.label(3),
                Self::model_template(remaining)
            ),
        })
    }

    fn unpriced_alert(&self) -> Option<Alert> {
        let unpriced = self.roles.get(Role::LlmUnpriced)?;
        let reason = unpriced.label(3);
        let by_reason = Self::by_model(unpriced, reason);
        // The usage of a call that was cancelled or cut off is unknown, and no price changes that.
        let calls = Selector::new(unpriced).match_label(reason, "!=", "usage");
        let calls = calls.increase_from_zero(PromDuration::hours(1), self.roles);
        let calls = by_reason.grouping().sum(&calls);
        Some(Alert {
            name: "LlmCallsWithoutPrice",
            query: format!("{calls} > 0"),
            // Shorter than the window, so that a single call fires the alert.
            pending_for: "30m",
            severity: Severity::Ticket,
            summary: "There is no price for some LLM calls of a model.",
            description: format!(
                "Calls of {} by {{{{ $labels.job }}}} without a price in the last hour: \
                 {{{{ $value | humanize }}}}. Reason: {{{{ $labels.{reason} }}}}.",
                Self::model_template(unpriced)
            ),
        })
    }
}
