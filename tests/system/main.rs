//! Metrics of the machine, the process, its container and its runtime.

#![cfg(target_os = "linux")]
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod machine;
mod process;
mod runtime;
