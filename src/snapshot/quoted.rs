//! Texts in quotes, as every Prometheus format writes them.

use std::borrow::Cow;

use memchr::memchr2;

/// Appends a text in quotes, escaped.
pub(crate) fn push_quoted(text: &mut String, value: &str) {
    text.push('"');
    let mut plain = 0;
    for (at, byte) in value.bytes().enumerate() {
        if let Some(escaped) = escape(byte) {
            text.push_str(&value[plain..at]);
            text.push_str(escaped);
            plain = at + 1;
        }
    }
    text.push_str(&value[plain..]);
    text.push('"');
}

/// Takes what stands before a closing quote, unescaped, and returns it with what follows
/// the quote; none where there is no such quote.
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

/// Strips the escaped form of `value` in quotes, without writing it down.
pub(super) fn strip_quoted<'t>(text: &'t [u8], value: &str) -> Option<&'t [u8]> {
    let mut rest = strip(text, "\"")?;
    for byte in value.bytes() {
        rest = match escape(byte) {
            Some(escaped) => strip(rest, escaped)?,
            None => match rest.split_first() {
                Some((first, after)) if *first == byte => after,
                _ => return None,
            },
        };
    }
    strip(rest, "\"")
}

/// Strips what the text begins with, if it does.
pub(super) fn strip<'t>(text: &'t [u8], prefix: &str) -> Option<&'t [u8]> {
    text.strip_prefix(prefix.as_bytes())
}

/// Returns where the first quote stands that no backslash escapes.
fn find_closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

/// Returns how the text format writes a character that may not stand in a label
/// value as it is.
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
