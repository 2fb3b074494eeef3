//! Control groups of version 1, with one hierarchy per controller.

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

/// Memory limits from here on mean that there is none. The kernel writes the highest multiple of
/// the page size then.
const NO_LIMIT: f64 = (1_u64 << 62) as f64;

/// The same on a 32-bit kernel, in bytes.
const NO_LIMIT_32_BIT: f64 = (i32::MAX as u64 * 4_096) as f64;

impl CgroupV1 {
    pub(super) fn has_controllers(&self) -> bool {
        self.memory.is_some() || self.cpu.is_some() || self.cpuacct.is_some()
    }

    pub(super) fn read(&self) -> Container {
        let [memory, cpu, cpuacct] = [&self.memory, &self.cpu, &self.cpuacct].map(Option::as_ref);
        let memory_limit = memory.and_then(|group| group.min_limit(read_memory_limit));
        let cpu_limit = cpu.and_then(|group| group.min_limit(read_cpu_limit));
        let is_container = [memory, cpu, cpuacct]
            .iter()
            .flatten()
            .any(|group| group.kind == GroupKind::Container);
        if !is_container && memory_limit.is_none() && cpu_limit.is_none() {
            return Container::default();
        }
        let memory = with_usage(memory, memory_limit);
        let cpu = with_usage(cpu, cpu_limit);
        let cpuacct = with_usage(cpuacct, cpu_limit);
        let nanos_to_seconds = |nanos: f64| nanos / 1e9;
        Container {
            memory: memory.and_then(|group| read_number(&group.file("memory.usage_in_bytes"))),
            memory_limit,
            reclaimable_memory: memory
                .and_then(|group| read_field(&group.file("memory.stat"), "total_inactive_file")),
            cpu_seconds: cpuacct
                .and_then(|group| read_number(&group.file("cpuacct.usage")))
                .map(nanos_to_seconds),
            throttled_seconds: cpu
                .and_then(|group| read_field(&group.file("cpu.stat"), "throttled_time"))
                .map(nanos_to_seconds),
            cpu_limit,
        }
    }
}

/// Returns the group, unless it is a root without a limit: that is the host's root, whose usage
/// is that of the host.
fn with_usage(group: Option<&GroupDir>, limit: Option<f64>) -> Option<&GroupDir> {
    group.filter(|group| group.kind != GroupKind::Root || limit.is_some())
}

/// Reads the memory limit of a group, in bytes.
fn read_memory_limit(group: &Path) -> Option<f64> {
    let is_limit = |bytes: &f64| *bytes < NO_LIMIT && *bytes != NO_LIMIT_32_BIT;
    read_number(&group.join("memory.limit_in_bytes")).filter(is_limit)
}

/// Reads the CPU limit of a group, in CPUs. A quota of -1 means that there is none.
fn read_cpu_limit(group: &Path) -> Option<f64> {
    let quota = read_number(&group.join("cpu.cfs_quota_us"))?;
    let period = read_number(&group.join("cpu.cfs_period_us")).filter(|period| *period > 0.0)?;
    Some(quota / period)
}
