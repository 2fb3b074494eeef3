//! What the crate promises, tested through its public door.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod dashboards;
mod formats;
mod http;
mod meta;
mod privacy;
mod registry;
mod router;
mod support;
