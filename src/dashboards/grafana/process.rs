//! The row about the process, its container and the machine.

use crate::dashboards::grafana::panel::{Panel, Row};
use crate::dashboards::grafana::{WINDOW, for_selected_targets};
use crate::dashboards::promql::Selector;
use crate::dashboards::roles::Roles;
use crate::snapshot::Role;

const LEGEND: &str = "{{instance}}";

/// Returns the row, if there are process metrics.
pub(super) fn row(roles: &Roles) -> Option<Row> {
    let selector = |role| roles.get(role).map(for_selected_targets);
    let cpu = selector(Role::ProcessCpu)?;
    let row = Row::new("Process")
        .panel(
            Panel::chart(
                "CPU",
                "short",
                "CPU time of the process per second: 1 means that one CPU is always busy.",
            )
            .query(cpu.rate(WINDOW), LEGEND),
        )
        .panel_if(selector(Role::ProcessMemory).map(|memory| {
            Panel::chart("Memory", "bytes", "Resident memory of the process.")
                .query(memory.to_string(), LEGEND)
        }))
        .panel_if(ratio_chart(
            "Open files",
            "Open file descriptors of the process, as a fraction of its limit.",
            selector(Role::ProcessOpenFiles),
            selector(Role::ProcessMaxFiles),
        ))
        .panel_if(selector(Role::ProcessThreads).map(|threads| {
            Panel::chart("Threads", "short", "Number of threads of the process.")
                .query(threads.to_string(), LEGEND)
        }))
        .panel_if(ratio_chart(
            "Container memory",
            "Memory of the container, including the file cache, as a fraction of its limit.",
            selector(Role::ContainerMemory),
            selector(Role::ContainerMemoryLimit),
        ))
        .panel_if(machine_chart(roles));
    Some(row)
}

fn machine_chart(roles: &Roles) -> Option<Panel> {
    let [cpu, memory] = [Role::MachineCpu, Role::MachineMemory].map(|role| roles.get(role));
    let panel = Panel::chart("Machine", "percent", "CPU and memory use of the machine.");
    Some(
        panel
            .query(
                for_selected_targets(cpu?).to_string(),
                format!("CPU {LEGEND}"),
            )
            .query(
                for_selected_targets(memory?).to_string(),
                format!("memory {LEGEND}"),
            ),
    )
}

/// Returns a chart of a value as a fraction of its limit, if both exist.
fn ratio_chart(
    title: &'static str,
    help: &'static str,
    part: Option<Selector<'_>>,
    limit: Option<Selector<'_>>,
) -> Option<Panel> {
    let query = format!("{} / {}", part?, limit?);
    Some(Panel::chart(title, "percentunit", help).query(query, LEGEND))
}
