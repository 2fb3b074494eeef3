//! What a response says: its framing, its JSON, its dialect, its headers.

pub(crate) mod answer;
pub(crate) mod dialect;
pub(crate) mod framing;
pub(crate) mod headers;
pub(crate) mod json;
pub(crate) mod rate_limit;
