//! The container of this process, read from its control group (Linux).
//!
//! The crate `sysinfo` reads the memory of a control group, but not its CPU time, its throttled
//! time and its reclaimable memory.
//!
//! Version 2: <https://docs.kernel.org/admin-guide/cgroup-v2.html>, "Controllers". Version 1:
//! <https://docs.kernel.org/admin-guide/cgroup-v1/memory.html>, "User Interface", and
//! <https://docs.kernel.org/scheduler/sched-bwc.html>, "Management".

mod group_dir;
#[cfg(test)]
mod tests;
mod v1;
mod v2;

use std::path::Path;

use crate::system::cgroup::group_dir::GroupDir;
use crate::system::cgroup::v1::CgroupV1;
use crate::system::cgroup::v2::CgroupV2;
use crate::system::kernel_files::read_text;
use crate::system::reading::Container;

/// The control group of this process.
#[derive(Debug)]
pub(crate) enum Cgroup {
    V1(CgroupV1),
    V2(CgroupV2),
}

impl Cgroup {
    /// Returns the group of this process, or `None` if the platform has no control groups.
    pub(crate) fn of_current_process() -> Option<Self> {
        Self::find(Path::new("/sys/fs/cgroup"), Path::new("/proc/self/cgroup"))
    }

    /// Returns the group that the file `list` names. Groups are mounted below `root`.
    fn find(root: &Path, list: &Path) -> Option<Self> {
        let list = read_text(list)?;
        // If both versions are mounted, this file is in a subdirectory, and the controllers with
        // limits belong to version 1.
        if root.join("cgroup.controllers").exists() {
            let directory = GroupDir::find(root, &list, "")?;
            return Some(Self::V2(CgroupV2::new(directory)));
        }
        let directory =
            |controller: &str| GroupDir::find(&root.join(controller), &list, controller);
        let group = CgroupV1 {
            memory: directory("memory"),
            cpu: directory("cpu"),
            cpuacct: directory("cpuacct"),
        };
        group.has_controllers().then_some(Self::V1(group))
    }

    /// Reads the container's usage and limits. Without a container, all values are `None`.
    pub(crate) fn read(&self) -> Container {
        match self {
            Self::V1(group) => group.read(),
            Self::V2(group) => group.read(),
        }
    }
}
