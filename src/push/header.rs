//! Headers that users add to requests.

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The headers that each push sets itself.
const RESERVED_HEADERS: [HeaderName; 4] = [
    CONTENT_ENCODING,
    CONTENT_LENGTH,
    CONTENT_TYPE,
    TRANSFER_ENCODING,
];

/// Returns a header that is not printed, or what is wrong with it.
pub(crate) fn parse_header(
    name: &str,
    value: &[u8],
) -> Result<(HeaderName, HeaderValue), &'static str> {
    let name = HeaderName::try_from(name)
        .map_err(|_| "has a name that is not valid: use letters, digits and `-`")?;
    if RESERVED_HEADERS.contains(&name) {
        return Err("is one that this crate sets itself: remove it");
    }
    let value = HeaderValue::from_bytes(value);
    let mut value = value.map_err(|_| "has a value with control characters")?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// Adds the `user-agent` of this crate, unless there is another one.
pub(crate) fn add_user_agent(headers: &mut HeaderMap) {
    let agent = concat!("tachometer/", env!("CARGO_PKG_VERSION"));
    let agent = HeaderValue::from_static(agent);
    headers.entry(USER_AGENT).or_insert(agent);
}
