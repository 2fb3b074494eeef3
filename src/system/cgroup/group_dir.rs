//! Where the files of a control group are.

use std::path::{Path, PathBuf};

/// The directory of a group, in the hierarchy that is mounted there.
#[derive(Debug, PartialEq)]
pub(super) struct GroupDir {
    root: PathBuf,
    own: PathBuf,
    pub(super) kind: GroupKind,
}

/// What can be told of a group by its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GroupKind {
    /// It is a container's: the path is the machine's, and what is mounted the container's.
    Container,
    /// It is the root: of the machine, or of a container that hides the path.
    Root,
    /// It is a group within the machine's, or within the container's.
    Nested,
}

impl GroupDir {
    /// Finds the group of a controller, or of version 2 where that is empty, in the list of
    /// a process's groups: lines of `number:controllers:path`. Where nothing is mounted, there
    /// is none.
    pub(super) fn find(root: &Path, list: &str, controller: &str) -> Option<Self> {
        if !root.is_dir() {
            return None;
        }
        let groups = list.lines().filter_map(|line| {
            let (_, group) = line.split_once(':')?;
            group.split_once(':')
        });
        let is_wanted = |controllers: &str| controllers.split(',').any(|own| own == controller);
        let (_, path) = groups
            .clone()
            .find(|(controllers, _)| is_wanted(controllers))?;
        let own = root.join(path.strip_prefix('/')?);
        let sort = match path {
            "/" => GroupKind::Root,
            // The first two points are of a group beside the container's.
            _ if path.starts_with("/..") || !own.is_dir() => GroupKind::Container,
            _ => GroupKind::Nested,
        };
        let own = if sort == GroupKind::Nested {
            own
        } else {
            root.to_owned()
        };
        let root = root.to_owned();
        Some(Self {
            root,
            own,
            kind: sort,
        })
    }

    /// Returns a file of the group.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.own.join(name)
    }

    /// Returns the least of the limits of the group and of those that it is in, which hold
    /// for it, too.
    pub(super) fn min_limit(&self, limit: impl Fn(&Path) -> Option<f64>) -> Option<f64> {
        let within = |group: &&Path| group.starts_with(&self.root);
        let limits = self.own.ancestors().take_while(within).filter_map(limit);
        limits.min_by(f64::total_cmp)
    }
}
