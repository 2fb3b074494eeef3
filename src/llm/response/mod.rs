//! Responses: what is read from their headers and bodies, whatever the provider.

mod answer;
mod dialect;
mod framing;
mod headers;
pub(crate) mod json;
mod rate_limit;

pub(crate) use dialect::{CallContext, DIALECTS, Dialect, PathPattern, Vendor};
pub(crate) use framing::{DeclaredFormat, ResponseReader};
pub(crate) use headers::read_headers;
pub(crate) use rate_limit::rate_limits;
