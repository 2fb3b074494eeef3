//! The families of the system metrics, and the value of each in a reading.

use crate::snapshot::{Desc, Kind, Role};
use crate::system::reading::Reading;

/// A family with one series, without labels.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    help: &'static str,
    role: Option<Role>,
    /// Returns the value, if the platform provides it.
    pub(super) value: fn(&Reading) -> Option<f64>,
}

impl Family {
    const fn with_role(self, role: Role) -> Self {
        Self {
            role: Some(role),
            ..self
        }
    }

    pub(super) fn desc(&self) -> Desc {
        Desc::new(self.name, self.help, self.kind).with_role(self.role)
    }
}

const fn gauge(
    name: &'static str,
    help: &'static str,
    value: fn(&Reading) -> Option<f64>,
) -> Family {
    Family {
        name,
        kind: Kind::Gauge,
        help,
        role: None,
        value,
    }
}

const fn counter(
    name: &'static str,
    help: &'static str,
    value: fn(&Reading) -> Option<f64>,
) -> Family {
    Family {
        name,
        kind: Kind::Counter,
        help,
        role: None,
        value,
    }
}

pub(super) static FAMILIES: [Family; 18] = [
    gauge(
        "system_memory_bytes",
        "Memory in use on the machine, in bytes.",
        |reading| reading.machine.memory,
    ),
    gauge(
        "system_memory_percent",
        "Share of the machine's memory in use: 0 to 100.",
        |reading| reading.machine.memory_percent,
    )
    .with_role(Role::MachineMemory),
    gauge(
        "system_cpu_percent",
        "CPU usage of the machine since the last reading: 0 to 100.",
        |reading| reading.machine.cpu_percent,
    )
    .with_role(Role::MachineCpu),
    gauge(
        "process_memory_bytes",
        "Resident memory of the process, in bytes.",
        |reading| reading.process.resident_memory,
    ),
    gauge(
        "process_cpu_percent",
        "CPU usage of the process since the last reading: 100 is one CPU.",
        |reading| reading.process.cpu_percent,
    ),
    counter(
        "process_cpu_seconds_total",
        "User and system CPU time of the process, in seconds.",
        |reading| reading.process.cpu_seconds,
    )
    .with_role(Role::ProcessCpu),
    gauge(
        "process_resident_memory_bytes",
        "Resident memory of the process, in bytes.",
        |reading| reading.process.resident_memory,
    )
    .with_role(Role::ProcessMemory),
    gauge(
        "process_virtual_memory_bytes",
        "Virtual memory of the process, in bytes.",
        |reading| reading.process.virtual_memory,
    ),
    gauge(
        "process_open_fds",
        "Open file descriptors of the process.",
        |reading| reading.process.open_files,
    )
    .with_role(Role::ProcessOpenFiles),
    gauge(
        "process_max_fds",
        "Maximum number of open file descriptors of the process.",
        |reading| reading.process.max_open_files,
    )
    .with_role(Role::ProcessMaxFiles),
    gauge(
        "process_start_time_seconds",
        "Start time of the process, in seconds since 1970.",
        |reading| reading.process.start_time,
    )
    .with_role(Role::ProcessStart),
    gauge("process_threads", "Threads of the process.", |reading| {
        reading.process.threads
    })
    .with_role(Role::ProcessThreads),
    gauge(
        "container_memory_bytes",
        "Memory of the container, including its file cache, in bytes.",
        |reading| reading.container.memory,
    )
    .with_role(Role::ContainerMemory),
    gauge(
        "container_memory_limit_bytes",
        "Memory limit of the container, in bytes.",
        |reading| reading.container.memory_limit,
    )
    .with_role(Role::ContainerMemoryLimit),
    gauge(
        "container_memory_reclaimable_bytes",
        "Inactive file cache of the container, in bytes.",
        |reading| reading.container.reclaimable_memory,
    )
    .with_role(Role::ContainerReclaimableMemory),
    counter(
        "container_cpu_seconds_total",
        "CPU time of the container, in seconds.",
        |reading| reading.container.cpu_seconds,
    ),
    counter(
        "container_cpu_throttled_seconds_total",
        "Time for which the container was throttled at its CPU limit, in seconds.",
        |reading| reading.container.throttled_seconds,
    ),
    gauge(
        "container_cpu_limit_cores",
        "CPU limit of the container, in CPUs.",
        |reading| reading.container.cpu_limit,
    ),
];
