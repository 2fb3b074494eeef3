//! Numbers of tokens, as providers write them.

use crate::llm::scan::Value;

/// More tokens than this are no number of tokens.
const MOST_TOKENS: u64 = 1 << 40;

/// Returns a number of tokens, which is whole, but may be written as a float.
pub(super) fn tokens(value: Value<'_>) -> Option<u64> {
    let Value::Number(text) = value else {
        return None;
    };
    let tokens = match text.parse::<u64>() {
        Ok(tokens) => tokens,
        Err(_) => whole(text.parse().ok()?)?,
    };
    (tokens <= MOST_TOKENS).then_some(tokens)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is whole, not negative and within bounds"
)]
fn whole(number: f64) -> Option<u64> {
    let bounds = 0.0..=MOST_TOKENS as f64;
    (number.fract() == 0.0 && bounds.contains(&number)).then_some(number as u64)
}
