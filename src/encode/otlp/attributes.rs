//! Encodes labels as attributes.

use std::sync::Arc;

use crate::encode::Buffer;
use crate::encode::buffer::PaddedText;
use crate::encode::label_value::value_end;
use crate::encode::wire::{put_bytes, put_message, put_varint, short_varint};
use crate::snapshot::{Desc, Labels, LabelsView, SemanticNames};

/// The field numbers of `KeyValue` and `AnyValue`.
mod field {
    pub(super) const KEY: u8 = 1;
    pub(super) const VALUE: u8 = 2;
    pub(super) const STRING: u8 = 1;
    pub(super) const INTEGER: u8 = 3;
}

/// The attribute that the semantic conventions define as an integer.
const STATUS_CODE: &str = "http.response.status_code";
/// The value of a label of the crate's metrics that does not apply.
const NONE: &str = "none";

/// An attribute whose name and value have at most this many bytes has a length of one byte.
const MAX_SHORT: usize = 120;

/// Encodes labels. It keeps the encoded names of the last series, since most series have the names
/// of the one before.
///
/// A label with an empty value is left out. To Prometheus it is the same as no label.
#[derive(Debug, Default)]
pub(super) struct AttributeEncoder {
    /// The field number of an attribute in a point.
    field: u8,
    /// The family of the last series.
    desc: Option<Arc<Desc>>,
    names: Vec<EncodedName>,
}

/// A label name.
#[derive(Debug)]
struct EncodedName {
    /// What the text of the labels has before the value: `,route="`, or without the comma.
    text: String,
    /// The tag of the attribute, one byte for its length, the encoded name, and the tag of the value.
    encoded: PaddedText,
    kind: AttributeKind,
}

/// What the values of an attribute are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AttributeKind {
    Text,
    /// A text that is left out if it is `none`.
    SemanticText,
    /// A number, or any other text but `none`.
    StatusCode,
}

impl AttributeEncoder {
    /// Prepares for points of a family, whose attributes have this field number.
    pub(super) fn start_block(&mut self, desc: &Arc<Desc>, field: u8) {
        let is_same = |last: &Arc<Desc>| {
            Arc::ptr_eq(last, desc) || last.semantic_names() == desc.semantic_names()
        };
        if self.field != field || !self.desc.as_ref().is_some_and(is_same) {
            self.field = field;
            self.names.clear();
        }
        self.desc = Some(Arc::clone(desc));
    }

    /// Appends an attribute for each label.
    pub(super) fn put(&mut self, buffer: &mut Buffer, labels: LabelsView<'_>) {
        let start = buffer.len();
        if !self.put_with_names(buffer, labels) {
            buffer.truncate(start);
            self.put_and_set_names(buffer, labels);
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
            let (value, after) = after.split_at(value_end(after));
            let Some(after) = after.strip_prefix(b"\"") else {
                return false;
            };
            if !name.put(buffer, value) {
                return false;
            }
            text = after;
        }
        text.is_empty()
    }

    #[cold]
    fn put_and_set_names(&mut self, buffer: &mut Buffer, labels: LabelsView<'_>) {
        let desc = self.desc.as_ref();
        let semantic = desc.and_then(|desc| desc.semantic_names());
        put_labels(buffer, self.field, labels, semantic);
        self.names.clear();
        for (name, _) in labels.pairs() {
            let mut text = String::new();
            Labels::render(&mut text, [(&*name, "")]);
            // Without the closing quote.
            text.pop();
            if !self.names.is_empty() {
                text.insert(0, ',');
            }
            let (attribute, kind) = attribute(semantic, &name);
            let mut encoded = Buffer::default();
            encoded.push(self.field << 3 | 2);
            encoded.push(0);
            put_bytes(&mut encoded, field::KEY, attribute.as_bytes());
            encoded.push(field::VALUE << 3 | 2);
            self.names.push(EncodedName {
                text,
                encoded: PaddedText::new(encoded.written()),
                kind,
            });
        }
    }
}

impl EncodedName {
    /// Appends an attribute with this value, if it has any. Returns false if the value is long.
    #[inline]
    fn put(&self, buffer: &mut Buffer, value: &[u8]) -> bool {
        if value.is_empty() || self.kind != AttributeKind::Text && value == NONE.as_bytes() {
            return true;
        }
        if self.kind == AttributeKind::StatusCode
            && let Some(number) = parse_number(value)
        {
            let (varint, len) = short_varint(number.into());
            let [len, ..] = len.to_le_bytes();
            self.put_value(
                buffer,
                [len + 1, field::INTEGER << 3],
                &varint[..len.into()],
            );
            return true;
        }
        // The name, and a tag and three lengths of one byte each.
        if self.encoded.text().len() + value.len() > MAX_SHORT {
            return false;
        }
        let [len, ..] = value.len().to_le_bytes();
        self.put_value(buffer, [len + 2, field::STRING << 3 | 2, len], value);
        true
    }

    /// Appends an attribute whose value has this start: its length, a tag, and perhaps another
    /// length.
    #[inline]
    fn put_value<const N: usize>(&self, buffer: &mut Buffer, start: [u8; N], value: &[u8]) {
        let max_len = self.encoded.padded_len() + N + value.len();
        buffer.put_with(max_len, |target| {
            self.encoded.copy_to(target);
            let name_len = self.encoded.text().len();
            let len = name_len + N + value.len();
            // Without the tag and the length itself.
            target[1] = (len - 2).to_le_bytes()[0];
            let after_name = &mut target[name_len..][..N + value.len()];
            after_name[..N].copy_from_slice(&start);
            after_name[N..].copy_from_slice(value);
            len
        });
    }
}

/// Appends an attribute for each label that has a value.
fn put_labels(
    buffer: &mut Buffer,
    field: u8,
    labels: LabelsView<'_>,
    semantic: Option<&SemanticNames>,
) {
    for (name, value) in labels.pairs().filter(|(_, value)| !value.is_empty()) {
        let (attribute, kind) = attribute(semantic, &name);
        if kind != AttributeKind::Text && *value == *NONE {
            continue;
        }
        match parse_number(value.as_bytes()) {
            Some(number) if kind == AttributeKind::StatusCode => {
                put_integer_attribute(buffer, field, attribute, number);
            }
            _ => put_attribute(buffer, field, attribute, &value),
        }
    }
}

/// Returns the attribute of a label.
fn attribute<'n>(semantic: Option<&SemanticNames>, label: &'n str) -> (&'n str, AttributeKind) {
    let mut attributes = semantic.iter().flat_map(|names| names.attributes.iter());
    match attributes.find(|(name, _)| *name == label) {
        Some((_, STATUS_CODE)) => (STATUS_CODE, AttributeKind::StatusCode),
        Some((_, attribute)) => (attribute, AttributeKind::SemanticText),
        None => (label, AttributeKind::Text),
    }
}

/// Parses a status code.
fn parse_number(text: &[u8]) -> Option<u16> {
    let [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9'] = text else {
        return None;
    };
    let digits = text.iter().map(|digit| u16::from(digit - b'0'));
    Some(digits.fold(0, |number, digit| 10 * number + digit))
}

/// Appends an attribute whose value is a string.
pub(super) fn put_attribute(buffer: &mut Buffer, field: u8, name: &str, value: &str) {
    put_message(buffer, field, &mut 2, |buffer| {
        put_bytes(buffer, field::KEY, name.as_bytes());
        put_message(buffer, field::VALUE, &mut 2, |buffer| {
            put_bytes(buffer, field::STRING, value.as_bytes());
        });
    });
}

fn put_integer_attribute(buffer: &mut Buffer, field: u8, name: &str, value: u16) {
    put_message(buffer, field, &mut 2, |buffer| {
        put_bytes(buffer, field::KEY, name.as_bytes());
        put_message(buffer, field::VALUE, &mut 2, |buffer| {
            buffer.push(field::INTEGER << 3);
            put_varint(buffer, value.into());
        });
    });
}
