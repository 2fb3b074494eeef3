//! What was read, as plain numbers.

/// One reading. What the platform does not tell is missing.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Reading {
    pub(super) machine: Machine,
    pub(super) process: Process,
    pub(super) container: Container,
}

/// What all programs of the machine use together.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Machine {
    /// In bytes.
    pub(super) memory: Option<f64>,
    /// From 0 to 100, as all shares.
    pub(super) memory_percent: Option<f64>,
    pub(super) cpu_percent: Option<f64>,
}

/// What this process uses.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Process {
    pub(super) cpu_seconds: Option<f64>,
    /// Of one CPU, so that several make more than 100.
    pub(super) cpu_percent: Option<f64>,
    pub(super) resident: Option<f64>,
    pub(super) address_space: Option<f64>,
    pub(super) open_files: Option<f64>,
    pub(super) max_open_files: Option<f64>,
    /// In seconds since 1970.
    pub(super) start_time: Option<f64>,
    pub(super) threads: Option<f64>,
}

/// What the processes of the container use together, and how much they may.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Container {
    pub(super) memory: Option<f64>,
    pub(super) memory_limit: Option<f64>,
    pub(super) reclaimable: Option<f64>,
    pub(super) cpu_seconds: Option<f64>,
    pub(super) throttled_seconds: Option<f64>,
    /// In CPUs.
    pub(super) cpu_limit: Option<f64>,
}
