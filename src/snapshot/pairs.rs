//! Reading labels back from their text.

use std::borrow::Cow;

use crate::snapshot::quoted::take_quoted;

/// The names and values of a series' labels, in the order of the text.
#[derive(Debug, Clone)]
pub struct Pairs<'a> {
    rest: &'a str,
}

impl<'a> Pairs<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { rest: text }
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (Cow<'a, str>, Cow<'a, str>);

    fn next(&mut self) -> Option<Self::Item> {
        let name = match self.rest.strip_prefix('"') {
            Some(quoted) => {
                let (name, after) = take_quoted(quoted)?;
                self.rest = after;
                name
            }
            None => {
                let end = self.rest.bytes().position(|byte| byte == b'=')?;
                let (name, after) = self.rest.split_at(end);
                self.rest = after;
                Cow::Borrowed(name)
            }
        };
        let after = self.rest.strip_prefix('=').unwrap_or(self.rest);
        let (value, after) = take_quoted(after.strip_prefix('"')?)?;
        self.rest = after.strip_prefix(',').unwrap_or(after);
        Some((name, value))
    }
}
