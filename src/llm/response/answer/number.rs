//! Numbers and truth values, which some providers write as strings.

use crate::llm::facts::MAX_TOKENS;
use crate::llm::response::json::Value;

/// Returns a number of tokens: a whole one, which may be written as a float or a string.
pub(crate) fn parse_tokens(value: Value<'_>) -> Option<u64> {
    parse_integer(value).filter(|tokens| *tokens <= MAX_TOKENS)
}

/// Returns a whole number that is not negative.
pub(crate) fn parse_integer(value: Value<'_>) -> Option<u64> {
    let text = text(value)?;
    text.parse()
        .ok()
        .or_else(|| whole(text.trim().parse().ok()?))
}

pub(crate) fn parse_number(value: Value<'_>) -> Option<f64> {
    text(value)?.trim().parse().ok()
}

pub(crate) fn parse_bool(value: Value<'_>) -> Option<bool> {
    match value {
        Value::Bool(is) => Some(is),
        Value::Text("true" | "True") | Value::Number("1") => Some(true),
        Value::Text("false" | "False") | Value::Number("0") => Some(false),
        _ => None,
    }
}

fn text(value: Value<'_>) -> Option<&str> {
    match value {
        Value::Number(text) | Value::Text(text) => Some(text),
        _ => None,
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is whole, not negative and within bounds"
)]
fn whole(number: f64) -> Option<u64> {
    let bounds = 0.0..=MAX_TOKENS as f64;
    (number.fract() == 0.0 && bounds.contains(&number)).then_some(number as u64)
}
