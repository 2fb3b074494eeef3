//! Numbers and texts as the page's JSON holds them: short.

use std::borrow::Cow;

/// The longest text, in characters.
const MAX_CHARS: usize = 200;

/// Rounds a number to six significant digits.
pub(super) fn round(number: f64) -> f64 {
    if number == 0.0 || !number.is_finite() {
        return number;
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "an f64's exponent is small"
    )]
    let digits = 5 - number.abs().log10().floor() as i32;
    // The scale of a very small or very large number is not finite or 0; then nothing is rounded.
    let scale = 10_f64.powi(digits);
    let rounded = (number * scale).round() / scale;
    if rounded.is_finite() { rounded } else { number }
}

/// Rounds a number, if there is one, to six significant digits.
pub(super) fn rounded(number: Option<f64>) -> Option<f64> {
    number.map(round)
}

/// Returns a text, or its start and an ellipsis if it is very long.
pub(super) fn shortened(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MAX_CHARS) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::encode::{Buffer, JsonWriter};

    #[test]
    fn numbers_and_texts_are_valid_and_short_json() {
        let mut buffer = Buffer::default();
        JsonWriter::new(&mut buffer).array(|json| {
            for number in [0.0, 1.0, -2.5, 1e300, 1e-300, f64::NAN, f64::INFINITY] {
                json.number(number);
            }
            for number in [1.234_567_89, 123_456_789.0, f64::MIN_POSITIVE / 2.0] {
                json.number(round(number));
            }
            json.optional_number(None);
            json.string(&shortened("<\"\u{202e}\n\u{1}>"));
            json.string(&shortened(&"é".repeat(1_000_000)));
            json.object(|json| json.key("a").object(|json| json.key("b").number(1.0)));
            json.object(|_| ());
        });
        let text = buffer.into_string();
        assert!(text.len() < 1_000, "{}", text.len());
        let values: Vec<Value> = serde_json::from_str(&text).unwrap();
        assert_eq!(values[1], 1.0);
        assert_eq!(values[3], 1e300);
        assert_eq!(values[7], 1.23457);
        assert_eq!(values[8], 123_457_000.0);
        assert!(values[5].is_null() && values[6].is_null() && values[10].is_null());
        assert_eq!(values[11], "<\"\u{202e}\n\u{1}>");
        assert_eq!(values[12].as_str().unwrap().chars().count(), 201);
        assert_eq!(values[13]["a"]["b"], 1.0);
    }
}
