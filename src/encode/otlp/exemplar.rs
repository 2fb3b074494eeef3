//! Encodes exemplars.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::encode::Buffer;
use crate::encode::otlp::attributes::put_attribute;
use crate::encode::wire::{put_bytes, put_f64, put_fixed64, put_message};
use crate::snapshot::Exemplar;

/// The field numbers of `Exemplar`.
mod field {
    pub(super) const TIME: u8 = 2;
    pub(super) const DOUBLE: u8 = 3;
    pub(super) const SPAN_ID: u8 = 4;
    pub(super) const TRACE_ID: u8 = 5;
    pub(super) const FILTERED_ATTRIBUTE: u8 = 7;
}

/// Which exemplars an export sends: those from its start and later are left to the next export, which
/// begins with them. So an exemplar is sent once, if all requests of its export are accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ExemplarTimes {
    /// The start of the last export that succeeded, if there was one.
    pub(crate) since: Option<SystemTime>,
    /// The start of the export.
    pub(crate) before: SystemTime,
}

impl ExemplarTimes {
    #[inline]
    pub(super) fn contains(self, time: SystemTime) -> bool {
        time < self.before && self.since.is_none_or(|since| since <= time)
    }
}

/// Appends an exemplar. Its labels `trace_id` and `span_id` are identifiers if they are valid, and
/// else attributes as all others.
#[cold]
pub(super) fn put_exemplar(buffer: &mut Buffer, field: u8, exemplar: &Exemplar) {
    put_message(buffer, field, &mut 2, |buffer| {
        let since_1970 = exemplar.timestamp.duration_since(UNIX_EPOCH);
        let nanos = since_1970.unwrap_or_default().as_nanos();
        let nanos = u64::try_from(nanos).unwrap_or(u64::MAX);
        put_fixed64(buffer, field::TIME, nanos);
        put_f64(buffer, field::DOUBLE, exemplar.value);
        for (name, value) in exemplar.labels.pairs() {
            let trace_id = parse_id::<16>(&value).filter(|_| name == "trace_id");
            let span_id = parse_id::<8>(&value).filter(|_| name == "span_id");
            match (trace_id, span_id) {
                (Some(id), _) => put_bytes(buffer, field::TRACE_ID, &id),
                (_, Some(id)) => put_bytes(buffer, field::SPAN_ID, &id),
                _ => put_attribute(buffer, field::FILTERED_ATTRIBUTE, &name, &value),
            }
        }
    });
}

/// Parses an identifier of `N` bytes in hexadecimal digits. Zero is no identifier.
fn parse_id<const N: usize>(text: &str) -> Option<[u8; N]> {
    let text = text.as_bytes();
    if text.len() != 2 * N {
        return None;
    }
    let mut id = [0; N];
    for (byte, digits) in id.iter_mut().zip(text.chunks_exact(2)) {
        *byte = hex_digit(digits[0])? << 4 | hex_digit(digits[1])?;
    }
    id.iter().any(|byte| *byte != 0).then_some(id)
}

fn hex_digit(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_have_the_right_number_of_hexadecimal_digits_and_are_not_zero() {
        let id = [0x0a, 0xB7, 0, 0, 0, 0, 0, 0xff];
        assert_eq!(parse_id("0ab70000000000ff"), Some(id));
        assert_eq!(parse_id("0AB70000000000FF"), Some(id));
        for invalid in [
            "",
            "0ab70000000000f",
            "0ab70000000000ff0",
            "0ab70000000000fg",
            "+ab70000000000ff",
            "0ab7000000000é",
            "0000000000000000",
        ] {
            assert_eq!(parse_id::<8>(invalid), None, "{invalid}");
        }
    }
}
