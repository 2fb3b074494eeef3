//! Pushes to a Pushgateway.
//!
//! - `real_pushgateway`: groups, values and refusals of a real Pushgateway, and a Prometheus that
//!   scrapes it.
//! - `requests`: what requests contain.
//! - `failures`: Pushgateways that refuse, hang or disconnect, and what errors say.
//! - `settings`: settings that are not valid.

mod failures;
mod real_pushgateway;
mod requests;
mod settings;

use tachometer::Registry;
use tachometer::push::Pushgateway;

/// A registry with one counter, which is 3.
fn jobs() -> Registry {
    let registry = Registry::new();
    registry.counter("jobs_total", "Jobs.").unwrap().inc_by(3);
    registry
}

fn pushgateway(url: &str, registry: &Registry) -> Pushgateway {
    Pushgateway::new(url, "backup").registry(registry)
}
