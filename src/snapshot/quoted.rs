//! Quoted text, as the Prometheus formats write it.

use std::borrow::Cow;

use memchr::memchr2;

/// Appends a text, quoted and escaped.
pub(crate) fn push_quoted(text: &mut String, value: &str) {
    text.push('"');
    let mut start = 0;
    for (position, byte) in value.bytes().enumerate() {
        if let Some(escaped) = escape(byte) {
            text.push_str(&value[start..position]);
            text.push_str(escaped);
            start = position + 1;
        }
    }
    text.push_str(&value[start..]);
    text.push('"');
}

/// Splits a text at its closing quote, and returns what precedes the quote, unescaped, and what
/// follows it; `None` if there is no closing quote.
#[inline]
pub(super) fn split_quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let end = memchr2(b'"', b'\\', text.as_bytes())?;
    if text.as_bytes()[end] == b'"' {
        return Some((Cow::Borrowed(&text[..end]), &text[end + 1..]));
    }
    split_escaped(text)
}

#[cold]
fn split_escaped(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let (value, after) = text.split_at(find_closing_quote(text)?);
    Some((
        Cow::Owned(unescape(value)),
        after.get(1..).unwrap_or_default(),
    ))
}

/// Strips the quoted and escaped form of `value`, without allocating it.
pub(super) fn strip_quoted<'t>(text: &'t [u8], value: &str) -> Option<&'t [u8]> {
    let mut remaining = strip(text, "\"")?;
    for byte in value.bytes() {
        remaining = match escape(byte) {
            Some(escaped) => strip(remaining, escaped)?,
            None => match remaining.split_first() {
                Some((first, after)) if *first == byte => after,
                _ => return None,
            },
        };
    }
    strip(remaining, "\"")
}

/// Strips a prefix; `None` if the text does not begin with it.
pub(super) fn strip<'t>(text: &'t [u8], prefix: &str) -> Option<&'t [u8]> {
    text.strip_prefix(prefix.as_bytes())
}

/// Returns the position of the first quote that is not escaped.
fn find_closing_quote(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    text.bytes().position(|byte| {
        let is_end = byte == b'"' && !is_escaped;
        is_escaped = byte == b'\\' && !is_escaped;
        is_end
    })
}

/// Returns the escape sequence of a character that must be escaped in a label value.
fn escape(byte: u8) -> Option<&'static str> {
    match byte {
        b'\\' => Some("\\\\"),
        b'"' => Some("\\\""),
        b'\n' => Some("\\n"),
        _ => None,
    }
}

fn unescape(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match char {
            '\\' => match chars.next() {
                Some('n') => value.push('\n'),
                Some(other) => value.push(other),
                None => {}
            },
            _ => value.push(char),
        }
    }
    value
}
