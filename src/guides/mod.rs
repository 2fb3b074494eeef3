//! Guides, which the documentation shows and the tests compile. They are the files of `docs/` in
//! the repository.
//!
//! `links.md` comes first in each guide: the first definition of a link counts, so links between
//! the files become links between these modules.

#[doc = include_str!("links.md")]
#[doc = include_str!("../../docs/http.md")]
pub mod http {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../../docs/middleware-order.md")]
pub mod middleware_order {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../../docs/llm.md")]
pub mod llm {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../../docs/custom-metrics.md")]
pub mod custom_metrics {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../../docs/bridges.md")]
pub mod bridges {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../../docs/exposition.md")]
pub mod exposition {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../../docs/fleet.md")]
pub mod fleet {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../../docs/security.md")]
pub mod security {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../../docs/dashboards.md")]
pub mod dashboards {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../../docs/testing.md")]
pub mod testing {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../../docs/troubleshooting.md")]
pub mod troubleshooting {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../../docs/from-axum-prometheus.md")]
pub mod from_axum_prometheus {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../../docs/from-metrics.md")]
pub mod from_metrics {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../../docs/from-opentelemetry.md")]
pub mod from_opentelemetry {}

#[doc = include_str!("links.md")]
#[doc = include_str!("../../docs/from-python.md")]
pub mod from_python {}
