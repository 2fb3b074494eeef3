//! Names and labels as a line of text has them.

use std::borrow::Cow;

use crate::encode::buffer::{Buffer, PaddedText};
use crate::snapshot::{Desc, Escaping, Labels, is_classic_metric, push_quoted};

/// What a family's lines begin with, up to their labels.
///
/// A name that is not classic stands in quotes inside the braces, before the
/// labels: `{"http.requests","http.route"="/"} 1`.
#[derive(Debug, Default)]
pub(super) struct LinePrefix {
    /// Of a series without labels, up to its value.
    without_labels: PaddedText,
    /// Of one with labels, up to the first of them.
    with_labels: PaddedText,
}

impl LinePrefix {
    pub(super) fn new(name: &str) -> Self {
        let (bare, labelled) = if is_classic_metric(name) {
            (format!("{name} "), format!("{name}{{"))
        } else {
            let name = quoted(name);
            (format!("{{{name}}} "), format!("{{{name},"))
        };
        Self {
            without_labels: PaddedText::new(&bare),
            with_labels: PaddedText::new(&labelled),
        }
    }

    /// Appends what stands before a series' value; `labels` is their text and what
    /// closes it, or nothing.
    #[inline]
    pub(super) fn put(&self, labels: &PaddedText, page: &mut Buffer) {
        if labels.is_empty() {
            page.put_padded(&self.without_labels);
        } else {
            page.put_padded(&self.with_labels);
            page.put_padded(labels);
        }
    }

    /// Makes `line` what stands before one more label.
    pub(super) fn set_bucket_line(&self, labels: &str, line: &mut PaddedText) {
        let comma: &[u8] = if labels.is_empty() { b"" } else { b"," };
        line.set([self.with_labels.text(), labels.as_bytes(), comma]);
    }
}

/// Makes `closed` the text of labels and what closes it, or nothing where there are
/// none.
pub(super) fn set_closed_labels(labels: &str, closed: &mut PaddedText) {
    if labels.is_empty() {
        closed.set([]);
    } else {
        closed.set([labels.as_bytes(), b"} "]);
    }
}

/// Returns a name as a header has it.
pub(super) fn header_name(name: &str) -> Cow<'_, str> {
    if is_classic_metric(name) {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(quoted(name))
    }
}

/// Returns the text of a series' labels, their names written by the scheme.
///
/// It is the text that is there already wherever all names are classic.
pub(super) fn label_text<'a>(desc: &Desc, labels: &'a Labels, escaping: Escaping) -> Cow<'a, str> {
    if escaping == Escaping::Utf8 || desc.is_classic() {
        return Cow::Borrowed(labels.as_str());
    }
    Cow::Owned(escaped_label_text(labels, escaping))
}

fn escaped_label_text(labels: &Labels, escaping: Escaping) -> String {
    let mut text = String::new();
    for (name, value) in labels.pairs() {
        Labels::render(&mut text, [(&*escaping.label_name(&name), &*value)]);
    }
    text
}

fn quoted(name: &str) -> String {
    let mut text = String::new();
    push_quoted(&mut text, name);
    text
}
