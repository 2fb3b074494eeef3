//! Pushes a registry to a monitoring system that does not scrape it.

mod endpoint;
mod http_client;
mod http_error;
