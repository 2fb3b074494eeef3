//! The process, its container and the machine.

use crate::dashboards::grafana::panel::{Panel, Row};
use crate::dashboards::grafana::{WINDOW, chosen};
use crate::dashboards::promql::Series;
use crate::dashboards::roles::Roles;
use crate::snapshot::Role;

const LEGEND: &str = "{{instance}}";

/// Returns the row, if there are metrics of the process.
pub(super) fn row(roles: &Roles) -> Option<Row> {
    let of = |role| roles.get(role).map(chosen);
    let cpu = of(Role::ProcessCpu)?;
    let row = Row::new("Process")
        .panel(
            Panel::chart(
                "CPU",
                "short",
                "CPUs' time that the process took: 1 is one CPU, always.",
            )
            .query(cpu.rate(WINDOW), LEGEND),
        )
        .panel_if(of(Role::ProcessMemory).map(|memory| {
            Panel::chart("Memory", "bytes", "Resident memory of the process.")
                .query(memory.to_string(), LEGEND)
        }))
        .panel_if(part(
            "Open files",
            "Which part of the file descriptors that the process may open it has open.",
            of(Role::ProcessOpenFiles),
            of(Role::ProcessMaxFiles),
        ))
        .panel_if(of(Role::ProcessThreads).map(|threads| {
            Panel::chart("Threads", "short", "Threads of the process.")
                .query(threads.to_string(), LEGEND)
        }))
        .panel_if(part(
            "Container memory",
            "Which part of its limit the container's memory is, the cache of files included.",
            of(Role::ContainerMemory),
            of(Role::ContainerMemoryLimit),
        ))
        .panel_if(machine(roles));
    Some(row)
}

fn machine(roles: &Roles) -> Option<Panel> {
    let [cpu, memory] = [Role::MachineCpu, Role::MachineMemory].map(|role| roles.get(role));
    let panel = Panel::chart("Machine", "percent", "How busy the machine is.");
    Some(
        panel
            .query(chosen(cpu?).to_string(), format!("CPU {LEGEND}"))
            .query(chosen(memory?).to_string(), format!("memory {LEGEND}")),
    )
}

/// Returns a chart of which part one thing is of another, if both are there.
fn part(
    title: &'static str,
    help: &'static str,
    one: Option<Series<'_>>,
    other: Option<Series<'_>>,
) -> Option<Panel> {
    let query = format!("{} / {}", one?, other?);
    Some(Panel::chart(title, "percentunit", help).query(query, LEGEND))
}
