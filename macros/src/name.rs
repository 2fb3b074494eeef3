//! Checks of metric and label names.

use proc_macro2::Span;
use syn::{Error, LitStr, Result};

/// Checks the name of a metric.
pub(crate) fn check_metric(name: &LitStr) -> Result<()> {
    let text = name.value();
    let reason = if text == "_total" {
        "it is only the suffix of a counter"
    } else if is_metric(&text) {
        return Ok(());
    } else {
        "use letters, digits, `_` and `:`, and do not start with a digit"
    };
    let text = format!("{text:?} is not a valid metric name: {reason}");
    Err(Error::new(name.span(), text))
}

/// Returns true if the text is a valid metric name.
pub(crate) fn is_metric(name: &str) -> bool {
    is_name(name, |letter| letter == '_' || letter == ':')
}

/// Checks the name of a label.
pub(crate) fn check_label(name: &str, span: Span) -> Result<()> {
    let reason = if !is_name(name, |letter| letter == '_') {
        "is not a valid label name: use letters, digits and `_`, and do not start with a digit"
    } else if name.starts_with("__") {
        "is reserved by Prometheus: do not start a label with `__`"
    } else if name == "_name_" {
        "is an alias of a metric's name in some tools: choose another name"
    } else if matches!(name, "le" | "quantile") {
        "is a label that histograms already have: choose another name"
    } else {
        return Ok(());
    };
    Err(Error::new(span, format!("`{name}` {reason}")))
}

fn is_name(name: &str, is_symbol: impl Fn(char) -> bool) -> bool {
    let is_valid = |letter: char| letter.is_ascii_alphanumeric() || is_symbol(letter);
    let starts_well = name.starts_with(|letter: char| !letter.is_ascii_digit());
    starts_well && name.chars().all(is_valid)
}
