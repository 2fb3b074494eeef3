//! The resources of this process.
//!
//! On Linux they are read from `/proc/self`. The `sysinfo` crate would raise the soft limit of
//! open files to the hard limit, for this process and all that it starts. It would also look the
//! process up by its ID, which is wrong if `/proc` belongs to another PID namespace.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod procfs;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod sysinfo;

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) use procfs::ProcessReader;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) use sysinfo::ProcessReader;
