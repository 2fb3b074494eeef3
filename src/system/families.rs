//! The metrics, and which number of a reading each of them is.

use crate::snapshot::{Desc, Kind, Role};
use crate::system::reading::Reading;

/// A metric without labels.
#[derive(Debug)]
pub(super) struct Family {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    help: &'static str,
    role: Option<Role>,
    pub(super) read: fn(&Reading) -> Option<f64>,
}

impl Family {
    const fn in_role(self, role: Role) -> Self {
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
    read: fn(&Reading) -> Option<f64>,
) -> Family {
    Family {
        name,
        kind: Kind::Gauge,
        help,
        role: None,
        read,
    }
}

const fn counter(
    name: &'static str,
    help: &'static str,
    read: fn(&Reading) -> Option<f64>,
) -> Family {
    Family {
        name,
        kind: Kind::Counter,
        help,
        role: None,
        read,
    }
}

pub(super) static FAMILIES: [Family; 18] = [
    gauge(
        "system_memory_bytes",
        "Memory of the machine in use, in bytes.",
        |reading| reading.machine.memory,
    ),
    gauge(
        "system_memory_percent",
        "Share of the machine's memory in use: 0 to 100.",
        |reading| reading.machine.memory_percent,
    )
    .in_role(Role::MachineMemory),
    gauge(
        "system_cpu_percent",
        "How busy all CPUs of the machine were since the last reading: 0 to 100.",
        |reading| reading.machine.cpu_percent,
    )
    .in_role(Role::MachineCpu),
    gauge(
        "process_memory_bytes",
        "Resident memory of the process, in bytes.",
        |reading| reading.process.resident,
    ),
    gauge(
        "process_cpu_percent",
        "CPU time of the process since the last reading: 100 is one CPU always busy.",
        |reading| reading.process.cpu_percent,
    ),
    counter(
        "process_cpu_seconds_total",
        "User and system CPU time that the process has used, in seconds.",
        |reading| reading.process.cpu_seconds,
    )
    .in_role(Role::ProcessCpu),
    gauge(
        "process_resident_memory_bytes",
        "Resident memory of the process, in bytes.",
        |reading| reading.process.resident,
    )
    .in_role(Role::ProcessMemory),
    gauge(
        "process_virtual_memory_bytes",
        "Address space of the process, in bytes.",
        |reading| reading.process.address_space,
    ),
    gauge(
        "process_open_fds",
        "File descriptors that the process has open.",
        |reading| reading.process.open_files,
    )
    .in_role(Role::ProcessOpenFiles),
    gauge(
        "process_max_fds",
        "File descriptors that the process may have open.",
        |reading| reading.process.max_open_files,
    )
    .in_role(Role::ProcessMaxFiles),
    gauge(
        "process_start_time_seconds",
        "When the process started, in seconds since 1970.",
        |reading| reading.process.start_time,
    )
    .in_role(Role::ProcessStart),
    gauge("process_threads", "Threads of the process.", |reading| {
        reading.process.threads
    })
    .in_role(Role::ProcessThreads),
    gauge(
        "container_memory_bytes",
        "Memory that the container uses, with its file cache, in bytes.",
        |reading| reading.container.memory,
    )
    .in_role(Role::ContainerMemory),
    gauge(
        "container_memory_limit_bytes",
        "Memory that the container may use, in bytes.",
        |reading| reading.container.memory_limit,
    )
    .in_role(Role::ContainerMemoryLimit),
    gauge(
        "container_memory_reclaimable_bytes",
        "Inactive file cache of the container, in bytes.",
        |reading| reading.container.reclaimable,
    )
    .in_role(Role::ContainerReclaimableMemory),
    counter(
        "container_cpu_seconds_total",
        "CPU time that the container has used, in seconds.",
        |reading| reading.container.cpu_seconds,
    ),
    counter(
        "container_cpu_throttled_seconds_total",
        "Time for which the container was throttled at its CPU limit, in seconds.",
        |reading| reading.container.throttled_seconds,
    ),
    gauge(
        "container_cpu_limit_cores",
        "CPUs that the container may use.",
        |reading| reading.container.cpu_limit,
    ),
];
