//! Control groups of version 1, of which each controller has its own.

use std::path::Path;

use crate::system::cgroup::group_dir::{GroupDir, GroupKind};
use crate::system::kernel_files::{read_field, read_number};
use crate::system::reading::Container;

#[derive(Debug)]
pub(crate) struct CgroupV1 {
    pub(super) memory: Option<GroupDir>,
    pub(super) cpu: Option<GroupDir>,
    pub(super) cpuacct: Option<GroupDir>,
}

/// Limits from here on are none: where there is none, the file has the largest number of
/// whole pages.
const NO_LIMIT: f64 = (1_u64 << 62) as f64;

/// That number of pages on a kernel of 32 bits, in bytes.
const NO_LIMIT_OF_32_BITS: f64 = (i32::MAX as u64 * 4_096) as f64;

impl CgroupV1 {
    pub(super) fn is_any(&self) -> bool {
        self.memory.is_some() || self.cpu.is_some() || self.cpuacct.is_some()
    }

    pub(super) fn read(&self) -> Container {
        let [memory, cpu, cpuacct] = [&self.memory, &self.cpu, &self.cpuacct].map(Option::as_ref);
        let memory_limit = memory.and_then(|place| place.min_limit(bytes));
        let cpu_limit = cpu.and_then(|place| place.min_limit(cpus));
        let is_container = [memory, cpu, cpuacct]
            .iter()
            .flatten()
            .any(|place| place.kind == GroupKind::Container);
        if !is_container && memory_limit.is_none() && cpu_limit.is_none() {
            return Container::default();
        }
        // What a root uses is what the machine uses, unless a limit shows that it is none.
        let memory = used(memory, memory_limit);
        let cpu = used(cpu, cpu_limit);
        let cpuacct = used(cpuacct, cpu_limit);
        let nanos = |nanos: f64| nanos / 1e9;
        Container {
            memory: memory.and_then(|place| read_number(&place.file("memory.usage_in_bytes"))),
            memory_limit,
            reclaimable: memory
                .and_then(|place| read_field(&place.file("memory.stat"), "total_inactive_file")),
            cpu_seconds: cpuacct
                .and_then(|place| read_number(&place.file("cpuacct.usage")))
                .map(nanos),
            throttled_seconds: cpu
                .and_then(|place| read_field(&place.file("cpu.stat"), "throttled_time"))
                .map(nanos),
            cpu_limit,
        }
    }
}

fn used(place: Option<&GroupDir>, limit: Option<f64>) -> Option<&GroupDir> {
    place.filter(|place| place.kind != GroupKind::Root || limit.is_some())
}

fn bytes(group: &Path) -> Option<f64> {
    let is_limit = |bytes: &f64| *bytes < NO_LIMIT && *bytes != NO_LIMIT_OF_32_BITS;
    read_number(&group.join("memory.limit_in_bytes")).filter(is_limit)
}

/// Reads how many CPUs' time a group may take; a quota of -1 is none.
fn cpus(group: &Path) -> Option<f64> {
    let quota = read_number(&group.join("cpu.cfs_quota_us"))?;
    let period = read_number(&group.join("cpu.cfs_period_us")).filter(|period| *period > 0.0)?;
    Some(quota / period)
}
