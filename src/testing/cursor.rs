//! A cursor that parses one line from left to right.

/// The remaining text of a line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a>(pub(super) &'a str);

/// The name and the value of a label.
pub(super) type LabelPair = (String, String);

impl<'a> Cursor<'a> {
    /// Consumes `token` if the text starts with it.
    pub(super) fn take(&mut self, token: &str) -> bool {
        let remaining = self.0.strip_prefix(token);
        self.0 = remaining.unwrap_or(self.0);
        remaining.is_some()
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) {
            return Ok(());
        }
        Err(format!("expected {token:?} before {:?}", self.0))
    }

    pub(super) fn skip_spaces(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }

    /// Consumes the text up to the first of these characters, or to its end.
    pub(super) fn take_until(&mut self, ends: &[char]) -> &'a str {
        let end = self.0.find(ends).unwrap_or(self.0.len());
        let (taken, remaining) = self.0.split_at(end);
        self.0 = remaining;
        taken
    }

    /// Consumes a name, with or without quotes.
    pub(super) fn take_name(&mut self) -> Result<String, String> {
        if self.0.starts_with('"') {
            return self.take_quoted();
        }
        let name = self.take_until(&['{', '}', '=', ',', ' ', '\t', '"']);
        if name.is_empty() {
            return Err(format!("expected a name before {:?}", self.0));
        }
        Ok(name.to_owned())
    }

    /// Consumes a quoted string, and decodes its escape sequences.
    fn take_quoted(&mut self) -> Result<String, String> {
        self.expect("\"")?;
        let mut text = String::new();
        loop {
            text.push_str(self.take_until(&['"', '\\']));
            if self.take("\"") {
                return Ok(text);
            }
            text.push(self.take_escape_sequence()?);
        }
    }

    fn take_escape_sequence(&mut self) -> Result<char, String> {
        self.expect("\\")?;
        for (code, char) in [("n", '\n'), ("\\", '\\'), ("\"", '"')] {
            if self.take(code) {
                return Ok(char);
            }
        }
        Err(format!("unknown escape sequence before {:?}", self.0))
    }

    /// Consumes labels and the closing brace. Returns the labels, and the metric's name if it is
    /// within the braces.
    pub(super) fn take_labels(&mut self) -> Result<(Option<String>, Vec<LabelPair>), String> {
        let (mut metric, mut labels) = (None, Vec::new());
        loop {
            self.skip_spaces();
            if self.take("}") {
                return Ok((metric, labels));
            }
            let name = self.take_name()?;
            self.skip_spaces();
            if self.take("=") {
                self.skip_spaces();
                labels.push((name, self.take_quoted()?));
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
