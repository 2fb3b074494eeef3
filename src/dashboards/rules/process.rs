//! The process, its container, and the registry itself.

use crate::dashboards::promql::{Series, Window};
use crate::dashboards::roles::Roles;
use crate::dashboards::rules::Merged;
use crate::dashboards::rules::yaml::{Alert, Group, Severity};
use crate::snapshot::Role;

/// How long ago the registry may have noticed something of itself for an alert.
const LATELY: Window = Window::minutes(15);

/// Returns the rules about what may run out, if it is known.
pub(super) fn group(roles: &Roles) -> Option<Group> {
    let alerts: Vec<_> = [files(roles), memory(roles)]
        .into_iter()
        .flatten()
        .collect();
    if alerts.is_empty() {
        return None;
    }
    let mut group = Group::new("tachometer_process");
    for alert in alerts {
        group.alert(alert);
    }
    Some(group)
}

fn files(roles: &Roles) -> Option<Alert> {
    let open = Series::of(roles.get(Role::ProcessOpenFiles)?);
    let most = Series::of(roles.get(Role::ProcessMaxFiles)?);
    Some(Alert {
        name: "ProcessFilesNearlyUsed",
        query: format!("{open} / {most} > 0.8"),
        lasts: "10m",
        severity: Severity::Page,
        summary: "Few file descriptors are left to a process.",
        description: "{{ $labels.instance }} has {{ $value | humanizePercentage }} of the file \
                      descriptors open that it may have."
            .into(),
    })
}

fn memory(roles: &Roles) -> Option<Alert> {
    let used = Series::of(roles.get(Role::ContainerMemory)?);
    let spare = Series::of(roles.get(Role::ContainerReclaimableMemory)?);
    let most = Series::of(roles.get(Role::ContainerMemoryLimit)?);
    Some(Alert {
        name: "ContainerMemoryNearlyUsed",
        query: format!("({used} - {spare}) / {most} > 0.9"),
        lasts: "10m",
        severity: Severity::Page,
        summary: "Little memory is left to a container.",
        description: "{{ $labels.instance }} uses {{ $value | humanizePercentage }} of the \
                      memory that its container may, caches of files left out."
            .into(),
    })
}

/// Returns the rules about what the registry says of itself.
pub(super) fn itself(roles: &Roles) -> Option<Group> {
    let overflow = roles.get(Role::SeriesOverflow)?;
    let panics = roles.get(Role::CollectorPanics)?;
    let metric = overflow.label(0);
    let mut group = Group::new("tachometer_itself");
    let over = Series::of(overflow).increase_from_zero(LATELY, roles);
    let over = Merged::of(overflow, &[metric]).keep().sum(&over);
    group.alert(Alert {
        name: "MetricsOverTheirLimit",
        query: format!("{over} > 0"),
        lasts: "0m",
        severity: Severity::Ticket,
        summary: "A label has more values than its metric may have.",
        description: format!(
            "Values of a label of {{{{ $labels.{metric} }}}} in {{{{ $labels.job }}}} are told as \
             `_overflow`: raise the metric's limit, or give the label fewer values."
        ),
    });
    let panicked = Series::of(panics).increase_from_zero(LATELY, roles);
    let panicked = Merged::of(panics, &[]).keep().sum(&panicked);
    group.alert(Alert {
        name: "MetricsCollectorPanics",
        query: format!("{panicked} > 0"),
        lasts: "0m",
        severity: Severity::Ticket,
        summary: "A collector panics, and its metrics are left out.",
        description: "A collector of {{ $labels.job }} panicked in the last 15 minutes; the \
                      service's log tells where."
            .into(),
    });
    Some(group)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::Registry;

    /// A machine need not have such a limit, so this is not left to promtool.
    #[test]
    fn the_alert_on_a_container_leaves_its_cache_of_files_out() {
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
        assert!(group(&Roles::of(&registry)).is_none());
        let most = registry.with_role(Role::ContainerMemoryLimit);
        most.gauge("container_memory_limit_bytes", "").unwrap();
        let alert = memory(&Roles::of(&registry)).unwrap();
        assert_eq!(
            alert.query,
            "(container_memory_bytes - container_memory_reclaimable_bytes) \
             / container_memory_limit_bytes > 0.9"
        );
        assert!(group(&Roles::of(&registry)).is_some());
    }
}
