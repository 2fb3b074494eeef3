//! What this process uses.
//!
//! On Linux it is read from the process's own files: the library would raise the soft limit of
//! open files to the hard one for the whole process and for all that it starts, and look for
//! the process by its number, which is another's where `/proc` is of another namespace.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod procfs;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod sysinfo;

#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) use procfs::ProcessReader;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) use sysinfo::Source;
