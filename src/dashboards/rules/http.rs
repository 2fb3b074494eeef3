//! Rules about HTTP requests.

use crate::dashboards::ERRORS;
use crate::dashboards::promql::{PromDuration, Selector, quantile, ratio, record_selector};
use crate::dashboards::roles::{PromMetric, Roles};
use crate::dashboards::rules::error_budget::ErrorBudget;
use crate::dashboards::rules::yaml::{Alert, RuleGroup, Severity};
use crate::dashboards::rules::{AlertRules, DroppedLabels, format_seconds};
use crate::snapshot::Role;

/// Jobs with fewer requests/s cause no alert: below one request a minute, an error ratio means
/// little.
const MIN_REQUESTS_PER_SECOND: &str = "0.016667";

/// Returns the rules about all requests, if there are request metrics.
pub(super) fn group(roles: &Roles, settings: &AlertRules) -> Option<RuleGroup> {
    let http = Http {
        roles,
        settings,
        requests: roles.get(Role::HttpRequests)?,
        duration: roles.get(Role::HttpDuration)?,
    };
    let mut group = RuleGroup::new("tachometer_http");
    group.record(&http.p99_record(), http.p99());
    http.add_error_budget(&mut group);
    group.alert(http.error_ratio_alert());
    group.alert(http.latency_alert());
    Some(group)
}

struct Http<'a> {
    roles: &'a Roles,
    settings: &'a AlertRules,
    requests: &'a PromMetric,
    duration: &'a PromMetric,
}

impl Http<'_> {
    fn p99_record(&self) -> String {
        format!("job:{}:p99_rate5m", self.duration.base_name())
    }

    fn error_ratio_record(&self) -> String {
        format!("job:{}_errors_per_request", self.requests.base_name())
    }

    fn request_rate_record(&self) -> String {
        format!("job:{}", self.requests.base_name())
    }

    /// Returns the 99th percentile of the duration, by job.
    fn p99(&self) -> String {
        let by_job = DroppedLabels::new(self.duration, &[]);
        let durations = Selector::new(self.duration);
        quantile("0.99", &durations, by_job.grouping(), "5m")
    }

    /// Returns the requests/s, by job.
    fn request_rate(&self, requests: &Selector<'_>, window: PromDuration) -> String {
        let by_job = DroppedLabels::new(self.requests, &[]);
        let rate = requests.rate_from_zero(window, self.roles);
        by_job.grouping().sum(&rate)
    }

    /// Selects the records of a name.
    fn records(&self, name: &str) -> String {
        record_selector(name, &self.requests.target_labels)
    }

    /// Returns the condition that there are enough requests for an alert.
    fn has_traffic(&self) -> String {
        let rate = self.records(&format!("{}:rate5m", self.request_rate_record()));
        format!("{rate} > {MIN_REQUESTS_PER_SECOND}")
    }

    fn add_error_budget(&self, group: &mut RuleGroup) {
        let request_rate = |window| self.request_rate(&Selector::new(self.requests), window);
        let error_ratio = |window, request_rate: &str| {
            let outcome = self.requests.last_label();
            let errors = Selector::new(self.requests).match_label(outcome, "=~", ERRORS);
            ratio(&self.request_rate(&errors, window), request_rate)
        };
        ErrorBudget {
            ratio_record: self.error_ratio_record(),
            rate_record: self.request_rate_record(),
            targets: &self.requests.target_labels,
            error_ratio: &error_ratio,
            request_rate: &request_rate,
            objective: self.settings.availability,
            alert_name: "HttpErrorBudgetBurn",
            summary: "The error budget of HTTP requests burns too fast.",
            description: "{{ $value | humanizePercentage }} of the requests to \
                          {{ $labels.job }} failed over the long window."
                .into(),
        }
        .add_to(group);
    }

    fn error_ratio_alert(&self) -> Alert {
        let error_ratio = self.records(&format!("{}:ratio_rate5m", self.error_ratio_record()));
        Alert {
            name: "HttpHighErrorRatio",
            query: format!(
                "{error_ratio} > {} and {}",
                self.settings.error_ratio,
                self.has_traffic()
            ),
            pending_for: "10m",
            severity: Severity::Page,
            summary: "The error ratio of HTTP requests is high.",
            description: "{{ $value | humanizePercentage }} of the requests to \
                          {{ $labels.job }} failed because of the service in the last 5 minutes."
                .into(),
        }
    }

    fn latency_alert(&self) -> Alert {
        Alert {
            name: "HttpHighLatency",
            query: format!(
                "{} > {} and {}",
                self.records(&self.p99_record()),
                format_seconds(self.settings.latency),
                self.has_traffic()
            ),
            pending_for: "10m",
            severity: Severity::Ticket,
            summary: "The 99th percentile of the HTTP request duration is high.",
            description: "1 % of the requests to {{ $labels.job }} took longer than \
                          {{ $value | humanizeDuration }} in the last 5 minutes."
                .into(),
        }
    }
}

/// Returns the rules about the layer's service levels, if it has any.
pub(super) fn service_level_group(roles: &Roles, settings: &AlertRules) -> Option<RuleGroup> {
    let requests = roles.get(Role::HttpServiceLevelRequests)?;
    let good_requests = roles.get(Role::HttpServiceLevelGood)?;
    let mut group = RuleGroup::new("tachometer_http_levels");
    let rate = |metric: &PromMetric, window| {
        let by_level = DroppedLabels::new(metric, &[metric.label(1), metric.label(2)]);
        let rate = Selector::new(metric).rate_from_zero(window, roles);
        by_level.grouping().sum(&rate)
    };
    let request_rate = |window| rate(requests, window);
    let missed_ratio = |window, request_rate: &str| {
        format!("1 - {}", ratio(&rate(good_requests, window), request_rate))
    };
    let name = requests.base_name();
    ErrorBudget {
        ratio_record: format!("job_route:{name}_missed_per_request"),
        rate_record: format!("job_route:{name}"),
        targets: &requests.target_labels,
        error_ratio: &missed_ratio,
        request_rate: &request_rate,
        objective: settings.availability,
        alert_name: "HttpServiceLevelBurn",
        summary: "The error budget of a service level burns too fast.",
        description: format!(
            "{{{{ $value | humanizePercentage }}}} of the requests to \
             {{{{ $labels.{} }}}} of {{{{ $labels.job }}}} failed or took longer than \
             {{{{ $labels.{} }}}} s over the long window.",
            requests.label(1),
            requests.label(2)
        ),
    }
    .add_to(&mut group);
    Some(group)
}
