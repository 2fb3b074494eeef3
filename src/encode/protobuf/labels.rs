//! Encodes the labels of a series.

use crate::encode::Buffer;
use crate::encode::buffer::PaddedText;
use crate::encode::label_value::value_end;
use crate::encode::wire::{put_bytes, put_message};
use crate::snapshot::{Escaping, Labels, LabelsView};

/// The field numbers of `LabelPair`.
mod field {
    pub(super) const NAME: u8 = 1;
    pub(super) const VALUE: u8 = 2;
}

/// Encodes labels. It keeps the encoded names of the last series, since most series have the names
/// of the one before.
#[derive(Debug)]
pub(super) struct LabelEncoder {
    escaping: Escaping,
    names: Vec<EncodedName>,
}

/// A label name.
#[derive(Debug)]
struct EncodedName {
    /// What the text of the labels has before the value: `,route="`, or without the comma.
    text: String,
    /// The tag of the label, one byte for its length, the encoded name, and the tag of the value.
    encoded: PaddedText,
}

impl LabelEncoder {
    pub(super) fn new(escaping: Escaping) -> Self {
        Self {
            escaping,
            names: Vec::new(),
        }
    }

    /// Appends a field for each label.
    pub(super) fn put(&mut self, buffer: &mut Buffer, field: u8, labels: LabelsView<'_>) {
        let start = buffer.len();
        if !self.put_with_names(buffer, labels) {
            buffer.truncate(start);
            put_labels(buffer, field, labels, self.escaping);
            self.set_names(field, labels);
        }
    }

    /// Appends the labels if they have these names, and if no value is escaped or long. Otherwise it
    /// returns false, and may have appended some of them.
    #[inline]
    fn put_with_names(&self, buffer: &mut Buffer, labels: LabelsView<'_>) -> bool {
        let mut text = labels.as_str().as_bytes();
        for name in &self.names {
            let Some(after) = text.strip_prefix(name.text.as_bytes()) else {
                return false;
            };
            let end = value_end(after);
            let (value, after) = after.split_at(end);
            let Some(after) = after.strip_prefix(b"\"") else {
                return false;
            };
            // Without the first two bytes, but with a byte for the length of the value.
            let len = name.encoded.text().len() - 1 + value.len();
            if len >= 0x80 {
                return false;
            }
            let start = buffer.len();
            buffer.put_padded(&name.encoded);
            buffer.set(start + 1, len.to_le_bytes()[0]);
            buffer.push(value.len().to_le_bytes()[0]);
            buffer.put_slice(value);
            text = after;
        }
        text.is_empty()
    }

    #[cold]
    fn set_names(&mut self, field: u8, labels: LabelsView<'_>) {
        self.names.clear();
        for (name, _) in labels.pairs() {
            let mut text = String::new();
            Labels::render(&mut text, [(&*name, "")]);
            // Without the closing quote.
            text.pop();
            if !self.names.is_empty() {
                text.insert(0, ',');
            }
            let mut encoded = Buffer::default();
            encoded.push(field << 3 | 2);
            encoded.push(0);
            let name = self.escaping.label_name(&name);
            put_bytes(&mut encoded, field::NAME, name.as_bytes());
            encoded.push(field::VALUE << 3 | 2);
            self.names.push(EncodedName {
                text,
                encoded: PaddedText::new(encoded.written()),
            });
        }
    }
}

/// Appends a field for each label.
#[cold]
pub(super) fn put_labels(
    buffer: &mut Buffer,
    field: u8,
    labels: LabelsView<'_>,
    escaping: Escaping,
) {
    for (name, value) in labels.pairs() {
        put_message(buffer, field, &mut 2, |buffer| {
            let name = escaping.label_name(&name);
            put_bytes(buffer, field::NAME, name.as_bytes());
            put_bytes(buffer, field::VALUE, value.as_bytes());
        });
    }
}
