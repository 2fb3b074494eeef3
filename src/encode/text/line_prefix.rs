//! Names and labels in the lines of the text formats.

use std::borrow::Cow;

use crate::encode::buffer::{Buffer, PaddedText};
use crate::snapshot::{Desc, Escaping, Labels, LabelsView, is_classic_metric, push_quoted};

/// The start of the lines of a family, up to the labels.
///
/// A name that is not classic is quoted and precedes the labels inside the braces: `{"http.requests","http.route"="/"} 1`.
#[derive(Debug, Default)]
pub(super) struct LinePrefix {
    /// For a series without labels, up to its value.
    without_labels: PaddedText,
    /// For a series with labels, up to the first label.
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
            without_labels: PaddedText::new(bare.as_bytes()),
            with_labels: PaddedText::new(labelled.as_bytes()),
        }
    }

    /// Appends everything before the value of a series.
    #[inline]
    pub(super) fn put(&self, labels: &str, buffer: &mut Buffer) {
        if labels.is_empty() {
            buffer.put_padded(&self.without_labels);
        } else {
            buffer.put_padded(&self.with_labels);
            buffer.put_str(labels);
            buffer.put_eight(*b"}       ", 2);
        }
    }

    /// Sets `line` to the start of a bucket line, up to the `le` label.
    pub(super) fn set_bucket_line(&self, labels: &str, line: &mut PaddedText) {
        let comma: &[u8] = if labels.is_empty() { b"" } else { b"," };
        line.set([self.with_labels.text(), labels.as_bytes(), comma]);
    }
}

/// Returns a name as headers contain it.
pub(super) fn header_name(name: &str) -> Cow<'_, str> {
    if is_classic_metric(name) {
        Cow::Borrowed(name)
    } else {
        Cow::Owned(quoted(name))
    }
}

/// Returns the text of the labels of a series, with escaped names.
///
/// If all names are classic, the existing text is returned.
pub(super) fn label_text<'a>(
    desc: &Desc,
    labels: LabelsView<'a>,
    escaping: Escaping,
) -> Cow<'a, str> {
    if escaping == Escaping::Utf8 || desc.is_classic() {
        return Cow::Borrowed(labels.as_str());
    }
    Cow::Owned(escaped_label_text(labels, escaping))
}

fn escaped_label_text(labels: LabelsView<'_>, escaping: Escaping) -> String {
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
