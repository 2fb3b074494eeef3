//! Requests.

use crate::board::ERRORS;
use crate::board::promql::{Series, quantile, share, sum_without};
use crate::board::roles::{Found, Roles};
use crate::board::rules::budget::Budget;
use crate::board::rules::yaml::{Alert, Group, Severity};
use crate::board::rules::{AlertRules, seconds};
use crate::snapshot::Role;

/// Returns the rules about all requests, if there are metrics of them.
pub(super) fn group(roles: &Roles, settings: &AlertRules) -> Option<Group> {
    let requests = roles.get(Role::HttpRequests)?;
    let duration = roles.get(Role::HttpDuration)?;
    let mut group = Group::new("tachometer_http");
    let name = requests.stem();
    let all = |window: &str| sum_of(requests, &Series::of(requests).rate(window));
    let failed = |window: &str| {
        let failed = Series::of(requests).with(requests.last_label(), "=~", ERRORS);
        share(&sum_of(requests, &failed.rate(window)), &all(window))
    };

    let traffic = format!("job:{name}:rate5m");
    group.record(&traffic, all("5m"));
    let slowest = format!("job:{}:p99_rate5m", duration.stem());
    group.record(&slowest, job_quantile("0.99", duration));
    let failures = format!("job:{name}_errors_per_request");
    Budget {
        failures: failures.clone(),
        all: format!("job:{name}"),
        failure_share: &failed,
        rate: &all,
        objective: settings.availability,
        alert: "HttpErrorBudgetBurn",
        summary: "Requests fail so often that what may fail is used up too soon.",
        description: "Of the requests to {{ $labels.job }}, {{ $value | humanizePercentage }} \
                      failed over the long window.",
    }
    .add_to(&mut group);
    group.alert(Alert {
        name: "HttpHighErrorShare",
        query: format!(
            "{failures}:ratio_rate5m > {} and {traffic} > {LEAST}",
            settings.error_share
        ),
        lasts: "10m",
        severity: Severity::Page,
        summary: "Many requests fail.",
        description: "Of the requests to {{ $labels.job }}, {{ $value | humanizePercentage }} \
                      failed by the service's own fault in the last 5 minutes."
            .into(),
    });
    group.alert(Alert {
        name: "HttpHighLatency",
        query: format!(
            "{slowest} > {} and on (job) {traffic} > {LEAST}",
            seconds(settings.latency)
        ),
        lasts: "10m",
        severity: Severity::Ticket,
        summary: "Requests take long.",
        description: "One of 100 requests to {{ $labels.job }} took longer than \
                      {{ $value | humanizeDuration }} in the last 5 minutes."
            .into(),
    });
    Some(group)
}

/// Below one request a minute a share says little.
const LEAST: &str = "0.016667";

/// Returns the rules about the layer's service levels, if it has some.
pub(super) fn levels(roles: &Roles, settings: &AlertRules) -> Option<Group> {
    let all = roles.get(Role::HttpLevelRequests)?;
    let good = roles.get(Role::HttpLevelGood)?;
    let mut group = Group::new("tachometer_http_levels");
    let level = |metric: &Found, window: &str| {
        // By route and level; what is the same for all of a job stays.
        let method = metric.label(0);
        sum_without(&["instance", method], &Series::of(metric).rate(window))
    };
    let requests = |window: &str| level(all, window);
    let missed = |window: &str| {
        let kept = share(&level(good, window), &level(all, window));
        format!("1 - {kept}")
    };
    let name = all.stem();
    Budget {
        failures: format!("job_route:{name}_missed_per_request"),
        all: format!("job_route:{name}"),
        failure_share: &missed,
        rate: &requests,
        objective: settings.availability,
        alert: "HttpServiceLevelBurn",
        summary: "Requests miss their service level so often that what may is used up too soon.",
        description: "Of the requests to a route of {{ $labels.job }}, \
                      {{ $value | humanizePercentage }} missed its service level over the long \
                      window.",
    }
    .add_to(&mut group);
    Some(group)
}

/// Returns the sum for each job, whatever else its series have in common.
fn sum_of(metric: &Found, of: &str) -> String {
    let labels: Vec<_> = ["instance"]
        .into_iter()
        .chain(metric.labels.iter().map(String::as_str))
        .collect();
    sum_without(&labels, of)
}

fn job_quantile(of: &str, metric: &Found) -> String {
    quantile(of, &Series::of(metric), &["job"], "5m")
}
