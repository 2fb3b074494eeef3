//! What this process uses.
//!
//! On Linux it is read from the process's own files: the library would raise the soft limit of
//! open files to the hard one for the whole process and for all that it starts, and look for
//! the process by its number, which is another's where `/proc` is of another namespace.

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod asked;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod own;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(super) use asked::Source;
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(super) use own::Source;
