//! Names that Prometheus reads.

use proc_macro2::Span;
use syn::{Error, LitStr, Result};

/// Checks the name of a metric.
pub(crate) fn check_metric(name: &LitStr) -> Result<()> {
    let text = name.value();
    let why = if text == "_total" {
        "it is a counter's suffix alone"
    } else if is_metric(&text) {
        return Ok(());
    } else {
        "use letters, digits, `_` and `:`, and begin with no digit"
    };
    let text = format!("{text:?} is no metric's name: {why}");
    Err(Error::new(name.span(), text))
}

/// Whether a text is a metric's name.
pub(crate) fn is_metric(name: &str) -> bool {
    is_name(name, |letter| letter == '_' || letter == ':')
}

/// Checks the name of a label of one's own.
pub(crate) fn check_label(name: &str, span: Span) -> Result<()> {
    let why = if !is_name(name, |letter| letter == '_') {
        "is no label's name: use letters, digits and `_`, and begin with no digit"
    } else if name.starts_with("__") {
        "is a label that Prometheus keeps for itself: begin with no `__`"
    } else if name == "_name_" {
        "is how some readers are told a metric's own name: choose another name"
    } else if matches!(name, "le" | "quantile") {
        "is a label that histograms have already: choose another name"
    } else {
        return Ok(());
    };
    Err(Error::new(span, format!("`{name}` {why}")))
}

fn is_name(name: &str, is_sign: impl Fn(char) -> bool) -> bool {
    let fits = |letter: char| letter.is_ascii_alphanumeric() || is_sign(letter);
    let begins = name.starts_with(|letter: char| !letter.is_ascii_digit());
    begins && name.chars().all(fits)
}
