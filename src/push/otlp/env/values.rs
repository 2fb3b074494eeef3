//! The values of environment variables.

use std::time::Duration;

use http::{HeaderName, HeaderValue, Uri};
use percent_encoding::percent_decode_str;

use crate::push::endpoint::endpoint_fault;
use crate::push::header::parse_header;
use crate::push::otlp::builder::Endpoint;

/// Why a value is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is none of the accepted values.
    Value,
    /// This entry of a list, counted from 1, is not valid.
    Entry(usize),
    Unicode,
    /// Another reason, with its remedy.
    Text(&'static str),
}

pub(super) fn boolean(value: &str) -> Result<bool, Fault> {
    value.parse().map_err(|_| Fault::Value)
}

pub(super) fn milliseconds(value: &str) -> Result<Duration, Fault> {
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    let number = value.parse().ok().filter(|_| is_number);
    number.map(Duration::from_millis).ok_or(Fault::Value)
}

pub(super) fn endpoint(
    name: &'static str,
    value: &str,
    is_complete: bool,
) -> Result<Endpoint, Fault> {
    let uri = value.parse::<Uri>().map_err(|_| Fault::Value)?;
    match endpoint_fault(&uri) {
        Some(fault) => Err(Fault::Text(fault)),
        None if is_complete => Ok(Endpoint::complete(name, uri)),
        None => Ok(Endpoint::base(name, uri)),
    }
}

pub(super) fn headers(value: &str) -> Result<Vec<(HeaderName, HeaderValue)>, Fault> {
    let headers = entries(value).enumerate().map(|(position, entry)| {
        let fault = Fault::Entry(position + 1);
        let (name, value) = entry.map_err(|_| fault)?;
        parse_header(&name, &value).map_err(|_| fault)
    });
    headers.collect()
}

/// Returns the entries of `name=value,name=value`, percent-decoded.
pub(super) fn entries(value: &str) -> impl Iterator<Item = Result<(String, Vec<u8>), Fault>> {
    // A comma at the end is common.
    let entries = value.strip_suffix(',').unwrap_or(value).split(',');
    entries.map(|entry| {
        let (name, value) = entry.split_once('=').ok_or(Fault::Value)?;
        let name = String::from_utf8(decode(name)?).map_err(|_| Fault::Value)?;
        let is_valid = !name.is_empty();
        is_valid
            .then_some((name, decode(value)?))
            .ok_or(Fault::Value)
    })
}

/// Decodes `%XX`. A `%` that starts no such code is a fault.
fn decode(text: &str) -> Result<Vec<u8>, Fault> {
    let mut codes = text.trim().split('%').skip(1);
    let is_valid = codes.all(|code| {
        let digits = code.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    let decoded = percent_decode_str(text.trim()).collect();
    is_valid.then_some(decoded).ok_or(Fault::Value)
}
