//! Reads this process by the `sysinfo` crate.

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, get_current_pid};

use crate::system::reading::Process;

/// Reads the process with the current process ID.
#[derive(Debug)]
pub(crate) struct ProcessReader {
    system: System,
    pid: Option<Pid>,
}

impl ProcessReader {
    pub(crate) fn new() -> Self {
        Self {
            system: System::new(),
            pid: get_current_pid().ok(),
        }
    }

    /// Reads everything except the CPU percentage.
    pub(crate) fn read(&mut self) -> Process {
        let Some(pid) = self.pid else {
            return Process::default();
        };
        let kinds = ProcessRefreshKind::nothing().with_cpu().with_memory();
        self.system
            .refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, kinds);
        let Some(process) = self.system.process(pid) else {
            return Process::default();
        };
        let non_zero = |number: u64| (number > 0).then_some(number as f64);
        Process {
            cpu_seconds: Some(process.accumulated_cpu_time() as f64 / 1e3),
            cpu_percent: None,
            resident_memory: non_zero(process.memory()),
            virtual_memory: non_zero(process.virtual_memory()),
            open_files: process.open_files().map(|files| files as f64),
            max_open_files: process.open_files_limit().map(|files| files as f64),
            start_time: non_zero(process.start_time()),
            threads: None,
        }
    }
}
