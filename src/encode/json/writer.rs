//! A streaming JSON writer.
//!
//! `serde_json` serializes one whole value. An exposition has to be written series by series
//! instead, into a buffer that is sent and cleared in between. `serde_json` also writes the
//! number 1 as `1.0`. It escapes the strings here.

use crate::encode::buffer::{Buffer, ShortText};
use crate::encode::number::{put_count, put_f64, put_u64};
use crate::snapshot::Count;

/// Writes JSON to a buffer, and the commas between members and elements.
#[derive(Debug)]
pub(crate) struct JsonWriter<'a> {
    buffer: &'a mut Buffer,
    /// Whether the next member or element follows another.
    needs_comma: bool,
}

impl<'a> JsonWriter<'a> {
    pub(crate) fn new(buffer: &'a mut Buffer) -> Self {
        Self::resume(buffer, false)
    }

    /// Continues an object or an array; `needs_comma` is true if it is not empty.
    pub(super) fn resume(buffer: &'a mut Buffer, needs_comma: bool) -> Self {
        Self {
            buffer,
            needs_comma,
        }
    }

    /// Writes an object; `write_members` writes each key and its value in turn.
    #[inline]
    pub(crate) fn object(&mut self, write_members: impl FnOnce(&mut Self)) {
        self.nested(b'{', write_members, b'}');
    }

    /// Writes an array; `write_elements` writes its elements.
    #[cfg(feature = "dashboard")]
    pub(crate) fn array(&mut self, write_elements: impl FnOnce(&mut Self)) {
        self.nested(b'[', write_elements, b']');
    }

    #[inline]
    fn nested(&mut self, open: u8, write: impl FnOnce(&mut Self), close: u8) {
        self.begin_value();
        self.buffer.push(open);
        self.needs_comma = false;
        write(self);
        self.buffer.push(close);
        self.needs_comma = true;
    }

    /// Writes the key of a member, which must not need escaping. Its value comes next.
    #[inline]
    pub(crate) fn key(&mut self, key: &str) -> &mut Self {
        self.begin_value();
        self.buffer.push(b'"');
        self.buffer.put_str(key);
        self.buffer.put_str("\":");
        self.needs_comma = false;
        self
    }

    /// Writes the key of a member, escaped. Its value comes next.
    #[inline]
    pub(crate) fn escaped_key(&mut self, key: &str) -> &mut Self {
        self.string(key);
        self.buffer.push(b':');
        self.needs_comma = false;
        self
    }

    /// Writes the encoded key of a member, such as `,"sum":`. Its value comes next.
    #[inline]
    pub(super) fn encoded_key(&mut self, key: &'static str) -> &mut Self {
        self.buffer.put_str(key);
        self.needs_comma = false;
        self
    }

    /// Writes members with encoded keys, such as `,"0.5":`.
    #[inline]
    pub(super) fn integers<'k>(&mut self, members: impl Iterator<Item = (&'k ShortText, u64)>) {
        for (key, number) in members {
            self.buffer.put_short_text(key);
            put_u64(self.buffer, number);
        }
        self.needs_comma = true;
    }

    #[inline]
    pub(crate) fn string(&mut self, text: &str) {
        self.begin_value();
        // Neither the buffer nor a string returns an error.
        let _ = serde_json::to_writer(&mut *self.buffer, text);
    }

    /// Writes a number, or `null` if it is not finite, which JSON cannot express.
    #[inline]
    pub(crate) fn number(&mut self, number: f64) {
        if number.is_finite() {
            self.begin_value();
            put_f64(self.buffer, number);
        } else {
            self.null();
        }
    }

    /// Writes a number, or `null` if there is none.
    #[cfg(feature = "dashboard")]
    pub(crate) fn optional_number(&mut self, number: Option<f64>) {
        self.number(number.unwrap_or(f64::NAN));
    }

    #[inline]
    pub(crate) fn integer(&mut self, number: u64) {
        self.begin_value();
        put_u64(self.buffer, number);
    }

    pub(super) fn count(&mut self, count: Count) {
        self.begin_value();
        put_count(self.buffer, count);
    }

    pub(crate) fn null(&mut self) {
        self.begin_value();
        self.buffer.put_str("null");
    }

    /// Appends encoded JSON verbatim. A value, or the first member or element comes next.
    #[inline]
    pub(super) fn raw_before(&mut self, json: &str) {
        self.buffer.put_str(json);
        self.needs_comma = false;
    }

    /// Appends encoded JSON verbatim that ends a value.
    #[inline]
    pub(super) fn raw_after(&mut self, json: &str) {
        self.buffer.put_str(json);
        self.needs_comma = true;
    }

    #[inline]
    fn begin_value(&mut self) {
        if self.needs_comma {
            self.buffer.push(b',');
        }
        self.needs_comma = true;
    }
}
