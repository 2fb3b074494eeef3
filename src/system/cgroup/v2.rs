//! Control groups of version 2, all of whose files are in one directory.

use std::path::Path;

use crate::system::cgroup::group_dir::{GroupDir, GroupKind};
use crate::system::kernel_files::{parse_number, read_field, read_number, read_text};
use crate::system::reading::Container;

#[derive(Debug)]
pub(crate) struct CgroupV2(GroupDir);

impl CgroupV2 {
    pub(super) fn new(place: GroupDir) -> Self {
        Self(place)
    }

    pub(super) fn read(&self) -> Container {
        let Self(place) = self;
        let memory_limit = place.min_limit(|group| read_number(&group.join("memory.max")));
        let cpu_limit = place.min_limit(|group| cpus(&group.join("cpu.max")));
        let memory = read_number(&place.file("memory.current"));
        // The machine's has no such files, and its numbers are of all that it runs.
        let is_groups = memory.is_some() || place.file("cgroup.events").exists();
        let is_container = place.kind != GroupKind::Nested && is_groups;
        if !is_container && memory_limit.is_none() && cpu_limit.is_none() {
            return Container::default();
        }
        let stat = |name| read_field(&place.file("cpu.stat"), name).map(|micros| micros / 1e6);
        Container {
            memory,
            memory_limit,
            reclaimable: read_field(&place.file("memory.stat"), "inactive_file"),
            cpu_seconds: stat("usage_usec"),
            throttled_seconds: stat("throttled_usec"),
            cpu_limit,
        }
    }
}

/// Reads how many CPUs' time a group may take: a quota and its period, or `max` and that.
fn cpus(path: &Path) -> Option<f64> {
    let text = read_text(path)?;
    let (quota, period) = text.trim().split_once(' ')?;
    let period = parse_number(period).filter(|period| *period > 0.0)?;
    Some(parse_number(quota)? / period)
}
