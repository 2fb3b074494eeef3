//! The directory of a control group.

use std::path::{Path, PathBuf};

/// The directory of a group, in a mounted hierarchy.
#[derive(Debug, PartialEq)]
pub(super) struct GroupDir {
    /// The root of the hierarchy.
    root: PathBuf,
    path: PathBuf,
    pub(super) kind: GroupKind,
}

/// What the path of a group reveals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GroupKind {
    /// A container: the path is relative to the host's root, but only the container's own group
    /// is mounted.
    Container,
    /// The root: of the host, or of a container with its own cgroup namespace.
    Root,
    /// A group below the root of the host or of a container.
    Nested,
}

impl GroupDir {
    /// Finds the group of a controller in a list of a process's groups, with lines of
    /// `number:controllers:path`. An empty controller finds the group of version 2. Returns
    /// `None` if `root` is not mounted.
    pub(super) fn find(root: &Path, list: &str, controller: &str) -> Option<Self> {
        if !root.is_dir() {
            return None;
        }
        let mut groups = list.lines().filter_map(|line| {
            let (_, group) = line.split_once(':')?;
            group.split_once(':')
        });
        let has_controller = |names: &str| names.split(',').any(|name| name == controller);
        let (_, path) = groups.find(|(controllers, _)| has_controller(controllers))?;
        let directory = root.join(path.strip_prefix('/')?);
        let kind = match path {
            "/" => GroupKind::Root,
            // A path of `/..` is outside of the container's cgroup namespace.
            _ if path.starts_with("/..") || !directory.is_dir() => GroupKind::Container,
            _ => GroupKind::Nested,
        };
        let root = root.to_owned();
        let path = if kind == GroupKind::Nested {
            directory
        } else {
            root.clone()
        };
        Some(Self { root, path, kind })
    }

    /// Returns the path of a file of the group.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Returns the lowest limit of the group and its parents. All of them apply to the group.
    pub(super) fn min_limit(&self, read_limit: impl Fn(&Path) -> Option<f64>) -> Option<f64> {
        let is_in_hierarchy = |group: &&Path| group.starts_with(&self.root);
        let groups = self.path.ancestors().take_while(is_in_hierarchy);
        groups.filter_map(read_limit).min_by(f64::total_cmp)
    }
}
