//! Encodes the labels of a series.

use memchr::memchr2;

use crate::encode::Buffer;
use crate::encode::buffer::PaddedText;
use crate::encode::protobuf::wire::{put_bytes, put_message, put_varint, varint_len};
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
    /// The encoded name, and the tag of the value.
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
        if !self.put_with_names(buffer, field, labels) {
            buffer.truncate(start);
            put_labels(buffer, field, labels, self.escaping);
            self.set_names(labels);
        }
    }

    /// Appends the labels if they have these names and if no value is escaped. Otherwise it returns
    /// false, and may have appended some of them.
    #[inline]
    fn put_with_names(&self, buffer: &mut Buffer, field: u8, labels: LabelsView<'_>) -> bool {
        let mut text = labels.as_str().as_bytes();
        for name in &self.names {
            let Some(after) = text.strip_prefix(name.text.as_bytes()) else {
                return false;
            };
            let end = memchr2(b'"', b'\\', after).unwrap_or(after.len());
            let (value, after) = after.split_at(end);
            let Some(after) = after.strip_prefix(b"\"") else {
                return false;
            };
            let value_len = varint_len(value.len() as u64);
            let len = name.encoded.text().len() + value_len + value.len();
            buffer.push(field << 3 | 2);
            put_varint(buffer, len as u64);
            buffer.put_padded(&name.encoded);
            put_varint(buffer, value.len() as u64);
            buffer.put_slice(value);
            text = after;
        }
        text.is_empty()
    }

    #[cold]
    fn set_names(&mut self, labels: LabelsView<'_>) {
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
