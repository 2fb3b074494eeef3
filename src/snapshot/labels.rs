//! A series' labels, as the text that every Prometheus format prints.

use std::borrow::Cow;
use std::sync::Arc;

/// The labels of one series, rendered once: `method="GET",route="/users/{id}"`.
///
/// Values are escaped as Prometheus's text format asks (`\\`, `\"` and `\n`),
/// and nothing else is stored: [`pairs`](Self::pairs) reads the values back. A
/// clone shares the text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Labels(Arc<str>);

impl Labels {
    /// Renders labels in the order given; the names are taken as they are,
    /// unchecked.
    pub fn new<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut text = String::new();
        for (name, value) in pairs {
            if !text.is_empty() {
                text.push(',');
            }
            text.push_str(name);
            text.push_str("=\"");
            push_escaped(&mut text, value);
            text.push('"');
        }
        Self(text.into())
    }

    /// Returns the rendered text, without braces; empty when there are none.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns true when the series has no labels.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the labels' names and their values, unescaped.
    #[must_use]
    pub fn pairs(&self) -> Pairs<'_> {
        Pairs { rest: &self.0 }
    }

    /// Returns true when the text has a backslash, and so is not its values' own.
    pub(crate) fn is_escaped(&self) -> bool {
        self.0.contains('\\')
    }

    /// Returns true when these labels are `pairs`, in that order: the right names,
    /// as many of them, and perhaps other values. The text must not be
    /// [escaped](Self::is_escaped).
    #[inline]
    pub(crate) fn have_plain_values<'a>(
        &self,
        pairs: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> bool {
        let text = self.0.as_bytes();
        // Past the name and `="`; from the second label on, past the comma too.
        let mut start = 0;
        let mut separator = 0;
        for (name, value) in pairs {
            start += separator + name.len() + 2;
            separator = 1;
            // Each value stands between two quotes of the text, none of which is
            // counted twice. Without backslashes there are just so many in it, so
            // that no value has one of its own.
            let end = start + value.len();
            let quoted = text.get(start - 1) == Some(&b'"') && text.get(end) == Some(&b'"');
            if !quoted || text.get(start..end) != Some(value.as_bytes()) {
                return false;
            }
            start = end + 1;
        }
        start == text.len()
    }

    /// Returns true when these labels are `pairs`, in that order.
    pub(crate) fn are<'a>(&self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> bool {
        let mut rest = self.0.as_bytes();
        for (position, (name, value)) in pairs.into_iter().enumerate() {
            let separator = if position == 0 { "" } else { "," };
            let after = strip(rest, separator)
                .and_then(|rest| strip(rest, name))
                .and_then(|rest| strip(rest, "=\""))
                .and_then(|rest| strip_escaped(rest, value))
                .and_then(|rest| strip(rest, "\""));
            match after {
                Some(after) => rest = after,
                None => return false,
            }
        }
        rest.is_empty()
    }
}

/// The names and values of a series' labels, in the order of the text.
#[derive(Debug, Clone)]
pub struct Pairs<'a> {
    rest: &'a str,
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (&'a str, Cow<'a, str>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, after) = self.rest.split_once("=\"")?;
        let end = end_of_value(after)?;
        let (value, after) = after.split_at(end);
        // Past the closing quote, and past the comma where another follows.
        self.rest = after.get(1..).unwrap_or_default();
        self.rest = self.rest.strip_prefix(',').unwrap_or(self.rest);
        Some((name, unescape(value)))
    }
}

/// Returns where the first quote stands that no backslash escapes.
fn end_of_value(text: &str) -> Option<usize> {
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

fn push_escaped(text: &mut String, value: &str) {
    let mut plain = 0;
    for (at, byte) in value.bytes().enumerate() {
        if let Some(escaped) = escape(byte) {
            text.push_str(&value[plain..at]);
            text.push_str(escaped);
            plain = at + 1;
        }
    }
    text.push_str(&value[plain..]);
}

fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
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
    Cow::Owned(value)
}

fn strip<'t>(text: &'t [u8], prefix: &str) -> Option<&'t [u8]> {
    text.strip_prefix(prefix.as_bytes())
}

/// Strips the escaped form of `value`, without writing it down.
fn strip_escaped<'t>(text: &'t [u8], value: &str) -> Option<&'t [u8]> {
    let mut rest = text;
    for byte in value.bytes() {
        rest = match escape(byte) {
            Some(escaped) => strip(rest, escaped)?,
            None => match rest.split_first() {
                Some((first, after)) if *first == byte => after,
                _ => return None,
            },
        };
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All strings of up to `length` symbols over an alphabet that holds every
    /// character with a meaning of its own in the text.
    fn awkward_values(length: usize) -> Vec<String> {
        let mut values = vec![String::new()];
        let mut longest = values.clone();
        for _ in 0..length {
            longest = longest
                .iter()
                .flat_map(|head| {
                    ['\\', '"', '\n', 'n', ',', '=', 'é'].map(|last| format!("{head}{last}"))
                })
                .collect();
            values.extend_from_slice(&longest);
        }
        values
    }

    #[test]
    fn every_awkward_value_comes_back_from_the_text() {
        for value in awkward_values(5) {
            let labels = Labels::new([("a", value.as_str()), ("b", "x")]);
            let pairs: Vec<_> = labels.pairs().collect();
            assert_eq!(pairs, [("a", Cow::from(&*value)), ("b", Cow::from("x"))]);
        }
    }

    #[test]
    fn labels_are_recognised_by_their_values_and_by_no_others() {
        let values = awkward_values(3);
        for one in &values {
            let labels = Labels::new([("a", one.as_str()), ("b", "x")]);
            for other in &values {
                let pairs = [("a", other.as_str()), ("b", "x")];
                assert_eq!(labels.are(pairs), one == other, "{one:?} and {other:?}");
                if !labels.is_escaped() {
                    let same = labels.have_plain_values(pairs);
                    assert_eq!(same, one == other, "{one:?} and {other:?}");
                }
            }
        }
    }

    #[test]
    fn a_label_more_or_less_is_another_label_set() {
        let labels = Labels::new([("a", "1"), ("b", "2")]);
        assert!(!labels.are([("a", "1")]));
        assert!(!labels.are([("a", "1"), ("b", "2"), ("c", "3")]));
        assert!(!labels.are([("a", "1"), ("b", "")]));
        assert!(Labels::new([]).are([]));
        assert!(!labels.have_plain_values([("a", "1\",b=\"2"), ("b", "2")]));
        assert!(labels.have_plain_values([("a", "1"), ("b", "2")]));
    }

    #[test]
    fn a_value_that_runs_into_the_next_label_is_another_value() {
        let labels = Labels::new([("a", "x"), ("b", "01234567")]);
        assert!(!labels.have_plain_values([("a", "x\",b="), ("b", "4567")]));
        assert!(!labels.have_plain_values([("a", "x\",b=\"01234567"), ("b", "")]));
        assert!(labels.have_plain_values([("a", "x"), ("b", "01234567")]));
    }
}
