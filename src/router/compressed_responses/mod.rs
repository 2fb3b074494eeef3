//! Compression of all responses except scrapes, negotiated by `Accept-Encoding`.
//!
//! The length of a scrape has no limit, so a blocking thread compresses it (`scrape/compression/`).
//! The other responses are short. Longer ones are not compressed.

#[cfg(feature = "compression")]
mod layer;

#[cfg(not(feature = "compression"))]
use axum::routing::MethodRouter;

#[cfg(feature = "compression")]
pub(crate) use layer::compressed;

/// Returns the route unchanged: without the feature `compression`, responses are never compressed.
#[cfg(not(feature = "compression"))]
pub(crate) fn compressed<S>(route: MethodRouter<S>) -> MethodRouter<S> {
    route
}
