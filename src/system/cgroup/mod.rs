//! The container that the process is in: its control group, as Linux shows it in files.
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
    /// Returns that of this process, if there are control groups.
    pub(crate) fn of_current_process() -> Option<Self> {
        Self::at(Path::new("/sys/fs/cgroup"), Path::new("/proc/self/cgroup"))
    }

    /// Returns the one that a list of a process's groups names, of those that are mounted
    /// below `root`.
    fn at(root: &Path, list: &Path) -> Option<Self> {
        let list = read_text(list)?;
        // With both, those that have limits are of version 1.
        if root.join("cgroup.controllers").exists() {
            let place = GroupDir::find(root, &list, "")?;
            return Some(Self::V2(CgroupV2::new(place)));
        }
        let place = |controller: &str| GroupDir::find(&root.join(controller), &list, controller);
        let own = CgroupV1 {
            memory: place("memory"),
            cpu: place("cpu"),
            cpuacct: place("cpuacct"),
        };
        own.is_any().then_some(Self::V1(own))
    }

    /// Reads what the container uses and may use; nothing where the process is in none.
    pub(crate) fn read(&self) -> Container {
        match self {
            Self::V1(group) => group.read(),
            Self::V2(group) => group.read(),
        }
    }
}
