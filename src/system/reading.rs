//! One reading of the system, as plain numbers.

/// A reading. A value that the platform does not provide is `None`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Reading {
    pub(super) machine: Machine,
    pub(super) process: Process,
    pub(super) container: Container,
}

/// The resources that all programs of the machine use together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Machine {
    /// In bytes.
    pub(super) memory: Option<f64>,
    /// From 0 to 100.
    pub(super) memory_percent: Option<f64>,
    /// From 0 to 100.
    pub(super) cpu_percent: Option<f64>,
}

/// The resources that this process uses.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Process {
    pub(super) cpu_seconds: Option<f64>,
    /// Of one CPU, so that several CPUs can exceed 100.
    pub(super) cpu_percent: Option<f64>,
    /// In bytes.
    pub(super) resident_memory: Option<f64>,
    /// In bytes.
    pub(super) virtual_memory: Option<f64>,
    pub(super) open_files: Option<f64>,
    pub(super) max_open_files: Option<f64>,
    /// In seconds since 1970.
    pub(super) start_time: Option<f64>,
    pub(super) threads: Option<f64>,
}

/// The resources that all processes of the container use together, and their limits.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Container {
    /// In bytes, as the next two.
    pub(super) memory: Option<f64>,
    pub(super) memory_limit: Option<f64>,
    pub(super) reclaimable_memory: Option<f64>,
    pub(super) cpu_seconds: Option<f64>,
    pub(super) throttled_seconds: Option<f64>,
    /// In CPUs.
    pub(super) cpu_limit: Option<f64>,
}
