//! The metrics router and its listener: options, access, limits.

mod access;
mod concurrency_limit;
#[cfg(feature = "serve")]
mod listener;
mod page;
mod scrape_fixture;
mod scrape_isolation;
mod scrape_options;
mod scrape_timeout;
mod scrape_waiting;
mod serve;
