//! Scrapes: negotiating the format, limiting their number and time, and the response body.

mod accept_header;
pub(super) mod body;
pub(super) mod compression;
mod deadline;
pub(super) mod encoded_chunks;
mod error;
pub(super) mod permits;
pub(super) mod query;
pub(super) mod response_format;
pub(super) mod scrape_metrics;
mod state;
pub(super) mod timeout;
pub(super) mod unused_layer;
