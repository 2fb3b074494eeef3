//! Control groups of version 2, with one hierarchy for all controllers.

use std::path::Path;

use crate::system::cgroup::group_dir::{GroupDir, GroupKind};
use crate::system::kernel_files::{parse_number, read_field, read_number, read_text};
use crate::system::reading::Container;

#[derive(Debug)]
pub(crate) struct CgroupV2(GroupDir);

impl CgroupV2 {
    pub(super) fn new(directory: GroupDir) -> Self {
        Self(directory)
    }

    pub(super) fn read(&self) -> Container {
        let Self(group) = self;
        let memory_limit = group.min_limit(|group| read_number(&group.join("memory.max")));
        let cpu_limit = group.min_limit(|group| read_cpu_limit(&group.join("cpu.max")));
        let memory = read_number(&group.file("memory.current"));
        // The host's root group has neither of these files. Its other numbers are those of the
        // host.
        let is_host = memory.is_none() && !group.file("cgroup.events").exists();
        let is_container = group.kind != GroupKind::Nested && !is_host;
        if !is_container && memory_limit.is_none() && cpu_limit.is_none() {
            return Container::default();
        }
        let cpu_stat = group.file("cpu.stat");
        let read_seconds = |name| read_field(&cpu_stat, name).map(|micros| micros / 1e6);
        Container {
            memory,
            memory_limit,
            reclaimable_memory: read_field(&group.file("memory.stat"), "inactive_file"),
            cpu_seconds: read_seconds("usage_usec"),
            throttled_seconds: read_seconds("throttled_usec"),
            cpu_limit,
        }
    }
}

/// Reads a CPU limit, in CPUs. The file contains `quota period`, or `max period` if there is no
/// limit.
fn read_cpu_limit(path: &Path) -> Option<f64> {
    let text = read_text(path)?;
    let (quota, period) = text.trim().split_once(' ')?;
    let period = parse_number(period).filter(|period| *period > 0.0)?;
    Some(parse_number(quota)? / period)
}
