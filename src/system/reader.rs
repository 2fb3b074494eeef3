//! The taking of a reading.

use std::time::{Duration, Instant};

use sysinfo::{IS_SUPPORTED_SYSTEM, MINIMUM_CPU_UPDATE_INTERVAL, MemoryRefreshKind, System};

use crate::system::cgroup::Cgroup;
use crate::system::process::ProcessReader;
use crate::system::reading::{Machine, Reading};

/// What takes readings, and remembers what the next one needs of the last.
#[derive(Debug)]
pub(super) struct SystemReader {
    system: System,
    process: ProcessReader,
    cgroup: Option<Cgroup>,
    /// When the CPUs' time was last read, and how many seconds of it the process
    /// had taken.
    cpu_before: Option<(Instant, Option<f64>)>,
    has_shares: bool,
    machine_share: Option<f64>,
    process_share: Option<f64>,
}

impl SystemReader {
    /// Shares over less than this are mostly noise, and the library gives none.
    pub(super) const MIN_CPU_INTERVAL: Duration =
        MINIMUM_CPU_UPDATE_INTERVAL.saturating_add(Duration::from_millis(10));

    pub(super) fn new() -> Self {
        Self {
            system: System::new(),
            process: ProcessReader::new(),
            cgroup: Cgroup::of_current_process(),
            cpu_before: None,
            has_shares: !IS_SUPPORTED_SYSTEM,
            machine_share: None,
            process_share: None,
        }
    }

    /// Whether it has read the CPUs' time twice, or never will.
    pub(super) fn has_cpu_usage(&self) -> bool {
        self.has_shares
    }

    /// Takes a reading.
    pub(super) fn read(&mut self) -> Reading {
        if !IS_SUPPORTED_SYSTEM {
            return Reading::default();
        }
        let mut process = self.process.read();
        self.shares(process.cpu_seconds);
        process.cpu_percent = self.process_share;
        Reading {
            machine: self.machine(),
            process,
            container: self.cgroup.as_ref().map(Cgroup::read).unwrap_or_default(),
        }
    }

    fn machine(&mut self) -> Machine {
        let kinds = MemoryRefreshKind::nothing().with_ram();
        self.system.refresh_memory_specifics(kinds);
        let all = self.system.total_memory();
        let used = all.saturating_sub(self.system.available_memory());
        let is_known = all > 0;
        Machine {
            memory: is_known.then_some(used as f64),
            memory_percent: is_known.then(|| 100.0 * used as f64 / all as f64),
            cpu_percent: self.machine_share,
        }
    }

    /// Works the shares out anew, where the last ones are old enough.
    fn shares(&mut self, cpu_seconds: Option<f64>) {
        let now = Instant::now();
        if let Some((before, seconds_before)) = self.cpu_before {
            let passed = now.saturating_duration_since(before);
            if passed < Self::MIN_CPU_INTERVAL {
                return;
            }
            self.system.refresh_cpu_usage();
            self.has_shares = true;
            let share = f64::from(self.system.global_cpu_usage()).clamp(0.0, 100.0);
            // Where the system hides its CPUs, there is no share, and not one of 0.
            self.machine_share = (!self.system.cpus().is_empty()).then_some(share);
            let taken = cpu_seconds.zip(seconds_before);
            self.process_share =
                taken.map(|(now, before)| 100.0 * (now - before).max(0.0) / passed.as_secs_f64());
        } else {
            self.system.refresh_cpu_usage();
        }
        self.cpu_before = Some((now, cpu_seconds));
    }
}
