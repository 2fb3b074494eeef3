//! Rules about exports over OTLP.

use crate::dashboards::promql::{PromDuration, Selector};
use crate::dashboards::roles::{PromMetric, Roles};
use crate::dashboards::rules::DroppedLabels;
use crate::dashboards::rules::yaml::{Alert, RuleGroup, Severity};
use crate::snapshot::Role;

const WINDOW: PromDuration = PromDuration::minutes(15);

/// Returns the rules, if there are metrics of exports.
pub(super) fn group(roles: &Roles) -> Option<RuleGroup> {
    let exports = roles.get(Role::OtlpExports)?;
    let rejected_points = roles.get(Role::OtlpRejectedPoints)?;
    let mut group = RuleGroup::new("tachometer_otlp");
    let result = exports.label(0);
    let increase = |operator| {
        let selector = Selector::new(exports);
        let selector = selector.match_label(result, operator, "success|partial");
        job_increase(exports, &selector, roles)
    };
    group.alert(Alert {
        name: "OtlpExportsFail",
        query: format!("{} > {}", increase("!~"), increase("=~")),
        pending_for: "10m",
        severity: Severity::Ticket,
        summary: "Most exports over OTLP fail.",
        description: "More exports over OTLP of {{ $labels.job }} failed than succeeded in the \
                      last 15 minutes. The log of the service has the reason."
            .into(),
    });
    let rejected = job_increase(rejected_points, &Selector::new(rejected_points), roles);
    group.alert(Alert {
        name: "OtlpPointsRejected",
        query: format!("{rejected} > 0"),
        pending_for: "0m",
        severity: Severity::Ticket,
        summary: "The receiver of OTLP rejected a part of the metrics.",
        description: "The receiver rejected points of {{ $labels.job }} in the last 15 minutes. \
                      The log of the receiver has the reason."
            .into(),
    });
    Some(group)
}

/// Returns the increase of a counter per job.
fn job_increase(metric: &PromMetric, selector: &Selector<'_>, roles: &Roles) -> String {
    let increase = selector.increase_from_zero(WINDOW, roles);
    DroppedLabels::new(metric, &[]).grouping().sum(&increase)
}
