//! Stepping through a line.

/// What is left of a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a>(pub(super) &'a str);

/// A label's name and value.
pub(super) type Pair = (String, String);

impl<'a> Cursor<'a> {
    /// Takes a piece of text, if it comes next.
    pub(super) fn take(&mut self, piece: &str) -> bool {
        let rest = self.0.strip_prefix(piece);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    pub(super) fn expect(&mut self, piece: &str) -> Result<(), String> {
        if self.take(piece) {
            return Ok(());
        }
        Err(format!("expected {piece:?} before {:?}", self.0))
    }

    pub(super) fn skip_spaces(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }

    /// Takes all up to the end, or to the first of these characters.
    pub(super) fn up_to(&mut self, ends: &[char]) -> &'a str {
        let end = self.0.find(ends).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }

    /// Takes a name: in quotes, or as it is.
    pub(super) fn name(&mut self) -> Result<String, String> {
        if self.0.starts_with('"') {
            return self.quoted();
        }
        let name = self.up_to(&['{', '}', '=', ',', ' ', '\t', '"']);
        if name.is_empty() {
            return Err(format!("expected a name before {:?}", self.0));
        }
        Ok(name.to_owned())
    }

    /// Takes a text in quotes, in which a backslash escapes itself, quotes and ends of lines.
    fn quoted(&mut self) -> Result<String, String> {
        self.expect("\"")?;
        let mut text = String::new();
        loop {
            text.push_str(self.up_to(&['"', '\\']));
            if self.take("\"") {
                return Ok(text);
            }
            text.push(self.escaped()?);
        }
    }

    fn escaped(&mut self) -> Result<char, String> {
        self.expect("\\")?;
        for (written, meant) in [("n", '\n'), ("\\", '\\'), ("\"", '"')] {
            if self.take(written) {
                return Ok(meant);
            }
        }
        Err(format!("a backslash escapes nothing before {:?}", self.0))
    }

    /// Takes labels, up to and with the closing brace; among them may be a metric's name.
    pub(super) fn labels(&mut self) -> Result<(Option<String>, Vec<Pair>), String> {
        let (mut metric, mut labels) = (None, Vec::new());
        loop {
            self.skip_spaces();
            if self.take("}") {
                return Ok((metric, labels));
            }
            let name = self.name()?;
            self.skip_spaces();
            if self.take("=") {
                self.skip_spaces();
                labels.push((name, self.quoted()?));
            } else if metric.replace(name).is_some() {
                return Err(format!("expected \"=\" before {:?}", self.0));
            }
            self.skip_spaces();
            if !self.take(",") && !self.0.starts_with('}') {
                return Err(format!("expected \",\" or \"}}\" before {:?}", self.0));
            }
        }
    }
}
