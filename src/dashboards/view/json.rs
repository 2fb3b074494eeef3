//! Writing JSON.

use serde_json::Value;

/// JSON that is being written: what comes next in an array or an object goes behind a comma
/// where there is something before it.
#[derive(Debug, Default)]
pub(super) struct Json {
    text: String,
    /// Whether a value follows another.
    follows: bool,
}

impl Json {
    pub(super) fn into_text(self) -> String {
        self.text
    }

    /// Writes an object, of whose members `members` writes key and value in turn.
    pub(super) fn object(&mut self, members: impl FnOnce(&mut Self)) {
        self.nested('{', members, '}');
    }

    pub(super) fn array(&mut self, items: impl FnOnce(&mut Self)) {
        self.nested('[', items, ']');
    }

    /// Writes a member's name, which needs no escape; its value comes next.
    pub(super) fn key(&mut self, key: &str) -> &mut Self {
        self.begin();
        self.text.push('"');
        self.text.push_str(key);
        self.text.push_str("\":");
        self.follows = false;
        self
    }

    /// Writes a number; JSON has none for what is not finite, which is `null`.
    pub(super) fn number(&mut self, number: f64) {
        self.begin();
        if number.is_finite() {
            let mut buffer = zmij::Buffer::new();
            let text = buffer.format_finite(number);
            self.text.push_str(text.strip_suffix(".0").unwrap_or(text));
        } else {
            self.text.push_str("null");
        }
    }

    /// Writes a number in as many digits as a page has use for.
    pub(super) fn rounded(&mut self, number: f64) {
        self.number(round(number));
    }

    /// Writes a number, or `null` where there is none.
    pub(super) fn maybe(&mut self, number: Option<f64>) {
        self.number(number.map_or(f64::NAN, round));
    }

    /// Writes a text, or what begins it where it is very long.
    pub(super) fn text(&mut self, text: &str) {
        const MOST: usize = 200;
        self.begin();
        match text.char_indices().nth(MOST) {
            Some((end, _)) => {
                let text = format!("{}…", &text[..end]);
                self.text.push_str(&Value::from(text).to_string());
            }
            None => self.text.push_str(&Value::from(text).to_string()),
        }
    }

    fn nested(&mut self, open: char, write: impl FnOnce(&mut Self), close: char) {
        self.begin();
        self.text.push(open);
        self.follows = false;
        write(self);
        self.text.push(close);
        self.follows = true;
    }

    fn begin(&mut self) {
        if self.follows {
            self.text.push(',');
        }
        self.follows = true;
    }
}

/// Rounds to six digits.
fn round(number: f64) -> f64 {
    if number == 0.0 || !number.is_finite() {
        return number;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "an f64's exponent is small"
    )]
    let digits = 5 - number.abs().log10().floor() as i32;
    // Of a number too small or too big for it, all digits.
    let scale = 10_f64.powi(digits);
    let rounded = (number * scale).round() / scale;
    if rounded.is_finite() { rounded } else { number }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_json_and_texts_are_short() {
        let mut json = Json::default();
        json.array(|json| {
            for number in [0.0, 1.0, -2.5, 1e300, 1e-300, f64::NAN, f64::INFINITY] {
                json.number(number);
            }
            json.rounded(1.234_567_89);
            json.rounded(123_456_789.0);
            json.rounded(f64::MIN_POSITIVE / 2.0);
            json.maybe(None);
            json.text("<\"\u{202e}\n\u{1}>");
            json.text(&"é".repeat(1_000_000));
            json.object(|json| json.key("a").object(|json| json.key("b").number(1.0)));
            json.object(|_| ());
        });
        let text = json.into_text();
        assert!(text.len() < 1_000, "{}", text.len());
        let read: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(read[1], 1.0);
        assert_eq!(read[3], 1e300);
        assert_eq!(read[7], 1.23457);
        assert_eq!(read[8], 123_457_000.0);
        assert!(read[5].is_null() && read[6].is_null() && read[10].is_null());
        assert_eq!(read[11], "<\"\u{202e}\n\u{1}>");
        assert_eq!(read[12].as_str().unwrap().chars().count(), 201);
        assert_eq!(read[13]["a"]["b"], 1.0);
    }
}
