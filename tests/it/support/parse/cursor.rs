//! A cursor over a line of text.

use crate::support::parse::{Pair, Read, is_classic};

/// The unread part of a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    pub(super) rest: &'a str,
}

impl<'a> Cursor<'a> {
    pub(super) fn new(line: &'a str) -> Self {
        Self { rest: line }
    }

    /// Consumes a text, if it comes next.
    pub(super) fn take(&mut self, piece: &str) -> bool {
        let rest = self.rest.strip_prefix(piece);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    pub(super) fn expect(&mut self, piece: &str) -> Read<()> {
        if self.take(piece) {
            return Ok(());
        }
        Err(format!("{piece:?} was expected before {:?}", self.rest))
    }

    /// Consumes up to the end or to the first of these characters.
    pub(super) fn up_to(&mut self, ends: &[char]) -> &'a str {
        let end = self.rest.find(ends).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// Consumes a quoted text; exactly three characters are escaped.
    pub(super) fn quoted(&mut self) -> Read<String> {
        self.expect("\"")?;
        let mut text = String::new();
        loop {
            text.push_str(self.up_to(&['"', '\\']));
            if self.take("\"") {
                return Ok(text);
            }
            text.push(self.escaped("\\\"n")?);
        }
    }

    /// Consumes a backslash and one of these characters.
    fn escaped(&mut self, allowed: &str) -> Read<char> {
        self.expect("\\")?;
        let char = self.rest.chars().next();
        let char = char.filter(|char| allowed.contains(*char));
        let char = char.ok_or_else(|| format!("an escape that is none: {:?}", self.rest))?;
        self.rest = &self.rest[char.len_utf8()..];
        Ok(if char == 'n' { '\n' } else { char })
    }

    /// Consumes the remaining line as a help text with these characters escaped.
    pub(super) fn help(&mut self, allowed: &str) -> Read<String> {
        let mut text = String::new();
        loop {
            text.push_str(self.up_to(&['\\']));
            if self.rest.is_empty() {
                return Ok(text);
            }
            text.push(self.escaped(allowed)?);
        }
    }

    /// Consumes a name: a classic one unquoted, any other one in quotes.
    pub(super) fn name(&mut self, ends: &[char], colons: bool) -> Read<String> {
        if self.rest.starts_with('"') {
            let name = self.quoted()?;
            // A classic one in quotes is legal, but then one name has two texts.
            let odd = is_classic(&name, colons) || name.is_empty();
            return if odd {
                Err(format!("needless quotes: {name:?}"))
            } else {
                Ok(name)
            };
        }
        let name = self.up_to(ends);
        if is_classic(name, colons) {
            return Ok(name.to_owned());
        }
        Err(format!("not a name: {name:?} before {:?}", self.rest))
    }

    /// Takes labels up to and with the closing brace.
    pub(super) fn labels(&mut self) -> Read<Vec<Pair>> {
        let mut pairs = Vec::new();
        if self.take("}") {
            return Ok(pairs);
        }
        loop {
            let name = self.name(&['='], false)?;
            self.expect("=")?;
            pairs.push((name, self.quoted()?));
            if self.take("}") {
                return Ok(pairs);
            }
            self.expect(",")?;
        }
    }
}
