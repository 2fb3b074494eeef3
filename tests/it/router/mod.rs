//! The metrics router and its listener: options, access, limits.

mod access;
mod concurrency_limit;
#[cfg(feature = "serve")]
mod listener;
mod page;
mod scrape_limits;
mod scrape_options;
mod serve;
