//! Parses labels from their text.

use std::borrow::Cow;

use crate::snapshot::quoted::split_quoted;

/// An iterator over the names and values of labels, in the order of the text.
#[derive(Debug, Clone)]
pub(super) struct LabelPairs<'a> {
    remaining: &'a str,
}

impl<'a> LabelPairs<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { remaining: text }
    }
}

impl<'a> Iterator for LabelPairs<'a> {
    type Item = (Cow<'a, str>, Cow<'a, str>);

    fn next(&mut self) -> Option<Self::Item> {
        let name = match self.remaining.strip_prefix('"') {
            Some(quoted) => {
                let (name, after) = split_quoted(quoted)?;
                self.remaining = after;
                name
            }
            None => {
                let end = self.remaining.bytes().position(|byte| byte == b'=')?;
                let (name, after) = self.remaining.split_at(end);
                self.remaining = after;
                Cow::Borrowed(name)
            }
        };
        let after = self.remaining.strip_prefix('=').unwrap_or(self.remaining);
        let (value, after) = split_quoted(after.strip_prefix('"')?)?;
        self.remaining = after.strip_prefix(',').unwrap_or(after);
        Some((name, value))
    }
}
