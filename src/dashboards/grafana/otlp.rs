//! The row about exports over OTLP.

use crate::dashboards::grafana::panel::{Panel, Row};
use crate::dashboards::grafana::{WINDOW, for_selected_targets};
use crate::dashboards::promql::sum_by;
use crate::dashboards::roles::Roles;
use crate::snapshot::Role;

/// Returns the row, if there are metrics of exports.
pub(super) fn row(roles: &Roles) -> Option<Row> {
    let exports = roles.get(Role::OtlpExports)?;
    let selector = |role| roles.get(role).map(for_selected_targets);
    let result = exports.label(0);
    let by_result = sum_by(&[result], &for_selected_targets(exports).rate(WINDOW));
    let row = Row::new("OTLP")
        .panel(
            Panel::chart(
                "OTLP exports by result",
                "ops",
                "Exports per second. Those with the result partial lost the points that the \
                 receiver rejected.",
            )
            .query(by_result, format!("{{{{{result}}}}}")),
        )
        .panel_if(selector(Role::OtlpRejectedPoints).map(|rejected| {
            Panel::chart(
                "OTLP points rejected",
                "ops",
                "Points per second that the receiver rejected.",
            )
            .query(rejected.rate(WINDOW), "{{instance}}")
        }))
        .panel_if(selector(Role::OtlpLastSuccess).map(|last_success| {
            Panel::chart(
                "Time since the last OTLP export",
                "s",
                "Time since the receiver last accepted an export.",
            )
            .query(format!("time() - ({last_success} > 0)"), "{{instance}}")
        }));
    Some(row)
}
