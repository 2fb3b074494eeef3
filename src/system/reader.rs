//! Reads the values of all system metrics at once.

use std::time::{Duration, Instant};

use sysinfo::{IS_SUPPORTED_SYSTEM, MINIMUM_CPU_UPDATE_INTERVAL, MemoryRefreshKind, System};

use crate::system::cgroup::Cgroup;
use crate::system::process::ProcessReader;
use crate::system::reading::{Machine, Reading};

/// Takes readings, and computes CPU percentages from two of them.
#[derive(Debug)]
pub(super) struct SystemReader {
    system: System,
    process: ProcessReader,
    cgroup: Option<Cgroup>,
    /// The time of the last CPU reading, and the CPU seconds of the process at that time.
    last_cpu: Option<(Instant, Option<f64>)>,
    has_cpu_usage: bool,
    machine_cpu_percent: Option<f64>,
    process_cpu_percent: Option<f64>,
}

impl SystemReader {
    /// The shortest period of a CPU percentage. Over less than this it is mostly noise, and
    /// `sysinfo` returns none.
    pub(super) const MIN_CPU_INTERVAL: Duration =
        MINIMUM_CPU_UPDATE_INTERVAL.saturating_add(Duration::from_millis(10));

    pub(super) fn new() -> Self {
        Self {
            system: System::new(),
            process: ProcessReader::new(),
            cgroup: Cgroup::of_current_process(),
            last_cpu: None,
            has_cpu_usage: !IS_SUPPORTED_SYSTEM,
            machine_cpu_percent: None,
            process_cpu_percent: None,
        }
    }

    /// Returns true once there were two CPU readings, and on platforms that have none.
    pub(super) fn has_cpu_usage(&self) -> bool {
        self.has_cpu_usage
    }

    /// Takes a reading.
    pub(super) fn read(&mut self) -> Reading {
        if !IS_SUPPORTED_SYSTEM {
            return Reading::default();
        }
        let mut process = self.process.read();
        self.update_cpu_usage(process.cpu_seconds);
        process.cpu_percent = self.process_cpu_percent;
        Reading {
            machine: self.read_machine(),
            process,
            container: self.cgroup.as_ref().map(Cgroup::read).unwrap_or_default(),
        }
    }

    fn read_machine(&mut self) -> Machine {
        let kinds = MemoryRefreshKind::nothing().with_ram();
        self.system.refresh_memory_specifics(kinds);
        let total = self.system.total_memory();
        let used = total.saturating_sub(self.system.available_memory());
        let is_known = total > 0;
        Machine {
            memory: is_known.then_some(used as f64),
            memory_percent: is_known.then(|| 100.0 * used as f64 / total as f64),
            cpu_percent: self.machine_cpu_percent,
        }
    }

    /// Computes the CPU percentages, if the last ones are old enough.
    fn update_cpu_usage(&mut self, cpu_seconds: Option<f64>) {
        let now = Instant::now();
        if let Some((last_time, last_seconds)) = self.last_cpu {
            let elapsed = now.saturating_duration_since(last_time);
            if elapsed < Self::MIN_CPU_INTERVAL {
                return;
            }
            self.system.refresh_cpu_usage();
            self.has_cpu_usage = true;
            let percent = f64::from(self.system.global_cpu_usage()).clamp(0.0, 100.0);
            // If the platform hides its CPUs, the percentage is unknown, not 0.
            self.machine_cpu_percent = (!self.system.cpus().is_empty()).then_some(percent);
            let seconds = cpu_seconds.zip(last_seconds);
            self.process_cpu_percent =
                seconds.map(|(now, last)| 100.0 * (now - last).max(0.0) / elapsed.as_secs_f64());
        } else {
            self.system.refresh_cpu_usage();
        }
        self.last_cpu = Some((now, cpu_seconds));
    }
}
