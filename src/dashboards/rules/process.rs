//! Rules about the process, its container, and the registry itself.

use crate::dashboards::promql::{PromDuration, Selector};
use crate::dashboards::roles::Roles;
use crate::dashboards::rules::DroppedLabels;
use crate::dashboards::rules::yaml::{Alert, RuleGroup, Severity};
use crate::snapshot::Role;

/// The window of the alerts about the registry itself.
const SELF_METRICS_WINDOW: PromDuration = PromDuration::minutes(15);

/// Returns the rules about open files and container memory, if there are metrics of them.
pub(super) fn group(roles: &Roles) -> Option<RuleGroup> {
    let alerts: Vec<_> = [open_files_alert(roles), container_memory_alert(roles)]
        .into_iter()
        .flatten()
        .collect();
    if alerts.is_empty() {
        return None;
    }
    let mut group = RuleGroup::new("tachometer_process");
    for alert in alerts {
        group.alert(alert);
    }
    Some(group)
}

fn open_files_alert(roles: &Roles) -> Option<Alert> {
    let open = Selector::new(roles.get(Role::ProcessOpenFiles)?);
    let max = Selector::new(roles.get(Role::ProcessMaxFiles)?);
    Some(Alert {
        name: "ProcessOpenFilesNearLimit",
        query: format!("{open} / {max} > 0.8"),
        pending_for: "10m",
        severity: Severity::Page,
        summary: "A process has almost as many open files as its limit allows.",
        description:
            "{{ $labels.instance }} uses {{ $value | humanizePercentage }} of its limit of \
                      open file descriptors."
                .into(),
    })
}

fn container_memory_alert(roles: &Roles) -> Option<Alert> {
    let used = Selector::new(roles.get(Role::ContainerMemory)?);
    let reclaimable = Selector::new(roles.get(Role::ContainerReclaimableMemory)?);
    let max = Selector::new(roles.get(Role::ContainerMemoryLimit)?);
    Some(Alert {
        name: "ContainerMemoryNearLimit",
        query: format!("({used} - {reclaimable}) / {max} > 0.9"),
        pending_for: "10m",
        severity: Severity::Page,
        summary: "A container uses almost as much memory as its limit allows.",
        description: "The container of {{ $labels.instance }} uses \
                      {{ $value | humanizePercentage }} of its memory limit, without the file \
                      cache."
            .into(),
    })
}

/// Returns the rules about the registry's metrics of itself.
pub(super) fn self_metrics_group(roles: &Roles) -> Option<RuleGroup> {
    let overflow = roles.get(Role::SeriesOverflow)?;
    let collector_panics = roles.get(Role::CollectorPanics)?;
    let metric = overflow.label(0);
    let mut group = RuleGroup::new("tachometer_self_metrics");
    let overflows = Selector::new(overflow).increase_from_zero(SELF_METRICS_WINDOW, roles);
    let overflows = DroppedLabels::new(overflow, &[metric])
        .grouping()
        .sum(&overflows);
    group.alert(Alert {
        name: "MetricSeriesOverflow",
        query: format!("{overflows} > 0"),
        pending_for: "0m",
        severity: Severity::Ticket,
        summary: "A label of a metric has more values than its limit.",
        description: format!(
            "Label values of {{{{ $labels.{metric} }}}} in {{{{ $labels.job }}}} were replaced by \
             `_overflow`: raise the limit of the metric, or use fewer label values."
        ),
    });
    let panics = Selector::new(collector_panics).increase_from_zero(SELF_METRICS_WINDOW, roles);
    let panics = DroppedLabels::new(collector_panics, &[])
        .grouping()
        .sum(&panics);
    group.alert(Alert {
        name: "MetricCollectorPanicked",
        query: format!("{panics} > 0"),
        pending_for: "0m",
        severity: Severity::Ticket,
        summary: "A collector panicked, and its metrics were omitted.",
        description: "A collector of {{ $labels.job }} panicked in the last 15 minutes. The \
                      log of the service has the location."
            .into(),
    });
    Some(group)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;

    /// The machine that runs the tests may have no memory limit, so promtool cannot test this.
    #[test]
    fn the_container_memory_alert_ignores_the_file_cache() {
        let registry = Registry::new();
        for (role, name) in [
            (Role::ContainerMemory, "container_memory_bytes"),
            (
                Role::ContainerReclaimableMemory,
                "container_memory_reclaimable_bytes",
            ),
        ] {
            registry.with_role(role).gauge(name, "").unwrap();
        }
        assert!(group(&Roles::from_registry(&registry)).is_none());
        let limit = registry.with_role(Role::ContainerMemoryLimit);
        limit.gauge("container_memory_limit_bytes", "").unwrap();
        let alert = container_memory_alert(&Roles::from_registry(&registry)).unwrap();
        assert_eq!(
            alert.query,
            "(container_memory_bytes - container_memory_reclaimable_bytes) \
             / container_memory_limit_bytes > 0.9"
        );
        assert!(group(&Roles::from_registry(&registry)).is_some());
    }
}
