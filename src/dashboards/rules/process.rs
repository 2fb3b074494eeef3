//! Rules about the process, its container, and the registry itself.

use crate::dashboards::promql::{PromDuration, Selector};
use crate::dashboards::roles::{PromMetric, Roles};
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
    let refused = roles.get(Role::SeriesRefused)?;
    let (metric, collector) = (overflow.label(0), refused.label(0));
    let mut group = RuleGroup::new("tachometer_self_metrics");
    group.alert(recent_increase(
        "MetricSeriesOverflow",
        overflow,
        roles,
        "A label of a metric has more values than its limit.",
        format!(
            "Label values of {{{{ $labels.{metric} }}}} in {{{{ $labels.job }}}} were replaced by \
             `_overflow`: raise the limit of the metric, or use fewer label values."
        ),
    ));
    group.alert(recent_increase(
        "MetricSeriesRefused",
        refused,
        roles,
        "Series of a collector or of another library were left out.",
        format!(
            "Series of {{{{ $labels.{collector} }}}} in {{{{ $labels.job }}}} were left out. The log \
             of the service has the names of the metrics and the reasons."
        ),
    ));
    group.alert(recent_increase(
        "MetricCollectorPanicked",
        roles.get(Role::CollectorPanics)?,
        roles,
        "A collector panicked, and its metrics were omitted.",
        "A collector of {{ $labels.job }} panicked in the last 15 minutes. The log of the service \
         has the location."
            .into(),
    ));
    group.alert(recent_increase(
        "MetricCollectorHangs",
        roles.get(Role::CollectorSkips)?,
        roles,
        "A call of a collector has not returned, and its metrics are omitted.",
        "A call of a collector of {{ $labels.job }} took longer than 10 seconds. The log of the \
         service has its name."
            .into(),
    ));
    Some(group)
}

/// Returns an alert that fires at once if a counter has increased in the last 15 minutes.
fn recent_increase(
    name: &'static str,
    counter: &PromMetric,
    roles: &Roles,
    summary: &'static str,
    description: String,
) -> Alert {
    let increase = Selector::new(counter).increase_from_zero(SELF_METRICS_WINDOW, roles);
    let kept: Vec<_> = counter.labels.iter().map(String::as_str).collect();
    let sum = DroppedLabels::new(counter, &kept).grouping().sum(&increase);
    Alert {
        name,
        query: format!("{sum} > 0"),
        pending_for: "0m",
        severity: Severity::Ticket,
        summary,
        description,
    }
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
