//! Requests.

use crate::dashboards::ERRORS;
use crate::dashboards::promql::{Series, quantile, recorded, share};
use crate::dashboards::roles::{Found, Roles};
use crate::dashboards::rules::budget::Budget;
use crate::dashboards::rules::yaml::{Alert, Group, Severity};
use crate::dashboards::rules::{AlertRules, Merged, seconds};
use crate::snapshot::Role;

/// Returns the rules about all requests, if there are metrics of them.
pub(super) fn group(roles: &Roles, settings: &AlertRules) -> Option<Group> {
    let requests = roles.get(Role::HttpRequests)?;
    let duration = roles.get(Role::HttpDuration)?;
    let mut group = Group::new("tachometer_http");
    let name = requests.stem();
    let job = Merged::of(requests, &[]);
    let rate =
        |requests: &Series<'_>, window| job.keep().sum(&requests.rate_from_zero(window, roles));
    let all = |window| rate(&Series::of(requests), window);
    let failed = |window, all: &str| {
        let failed = Series::of(requests).with(requests.last_label(), "=~", ERRORS);
        share(&rate(&failed, window), all)
    };

    let slowest = format!("job:{}:p99_rate5m", duration.stem());
    let p99 = {
        let job = Merged::of(duration, &[]);
        quantile("0.99", &Series::of(duration), job.keep(), "5m")
    };
    group.record(&slowest, p99);
    let failures = format!("job:{name}_errors_per_request");
    Budget {
        failures: failures.clone(),
        all: format!("job:{name}"),
        targets: &requests.targets,
        failure_share: &failed,
        rate: &all,
        objective: settings.availability,
        alert: "HttpErrorBudgetBurn",
        summary: "Requests fail so often that what may fail is used up too soon.",
        description: "Of the requests to {{ $labels.job }}, {{ $value | humanizePercentage }} \
                      failed over the long window."
            .into(),
    }
    .add_to(&mut group);
    let of_targets = |name: &str| recorded(name, &requests.targets);
    let traffic = of_targets(&format!("job:{name}:rate5m"));
    let failures = of_targets(&format!("{failures}:ratio_rate5m"));
    group.alert(Alert {
        name: "HttpHighErrorShare",
        query: format!(
            "{failures} > {} and {traffic} > {LEAST}",
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
            "{} > {} and {traffic} > {LEAST}",
            of_targets(&slowest),
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
    let all = roles.get(Role::HttpServiceLevelRequests)?;
    let good = roles.get(Role::HttpServiceLevelGood)?;
    let mut group = Group::new("tachometer_http_levels");
    let level = |metric: &Found, window| {
        let merged = Merged::of(metric, &[metric.label(1), metric.label(2)]);
        let rate = Series::of(metric).rate_from_zero(window, roles);
        merged.keep().sum(&rate)
    };
    let requests = |window| level(all, window);
    let missed = |window, all: &str| format!("1 - {}", share(&level(good, window), all));
    let name = all.stem();
    Budget {
        failures: format!("job_route:{name}_missed_per_request"),
        all: format!("job_route:{name}"),
        targets: &all.targets,
        failure_share: &missed,
        rate: &requests,
        objective: settings.availability,
        alert: "HttpServiceLevelBurn",
        summary: "Requests miss their service level so often that what may is used up too soon.",
        description: format!(
            "Of the requests to {{{{ $labels.{} }}}} of {{{{ $labels.job }}}}, \
             {{{{ $value | humanizePercentage }}}} did not end well within \
             {{{{ $labels.{} }}}} s over the long window.",
            all.label(1),
            all.label(2)
        ),
    }
    .add_to(&mut group);
    Some(group)
}
