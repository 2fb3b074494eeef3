//! What the library tells of this process.

use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, get_current_pid};

use crate::system::reading::Process;

/// The process, by its number.
#[derive(Debug)]
pub(crate) struct Source {
    system: System,
    pid: Option<Pid>,
}

impl Source {
    pub(crate) fn new() -> Self {
        Self {
            system: System::new(),
            pid: get_current_pid().ok(),
        }
    }

    /// Reads what the process uses; a share is worked out elsewhere.
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
        let known = |number: u64| (number > 0).then_some(number as f64);
        Process {
            cpu_seconds: Some(process.accumulated_cpu_time() as f64 / 1e3),
            cpu_percent: None,
            resident: known(process.memory()),
            address_space: known(process.virtual_memory()),
            open_files: process.open_files().map(|files| files as f64),
            most_files: process.open_files_limit().map(|files| files as f64),
            started: known(process.start_time()),
            threads: None,
        }
    }
}
