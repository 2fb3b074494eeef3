//! The wire format of protobuf: a field number and a type, then the value.
//!
//! <https://protobuf.dev/programming-guides/encoding/>

use crate::encode::Buffer;

/// Appends a varint.
#[inline]
pub(super) fn put_varint(buffer: &mut Buffer, number: u64) {
    for_each_varint_byte(number, |byte| buffer.push(byte));
}

/// Calls `put` with each byte of a varint: seven bits per byte, the lowest first.
#[inline]
pub(super) fn for_each_varint_byte(mut number: u64, mut put: impl FnMut(u8)) {
    // The last byte is below 128.
    while number >= 0x80 {
        put(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    put(number.to_le_bytes()[0]);
}

/// Returns the length of a varint.
#[inline]
pub(super) fn varint_len(number: u64) -> usize {
    let bits = u64::BITS - (number | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

/// Returns the length of a field with a value of `len` bytes.
#[inline]
pub(super) fn bytes_field_len(len: usize) -> usize {
    1 + varint_len(len as u64) + len
}

/// Appends the header of a field with a value of `len` bytes, which must follow.
#[inline]
pub(super) fn put_bytes_header(buffer: &mut Buffer, field: u8, len: usize) {
    buffer.push(field << 3 | 2);
    put_varint(buffer, len as u64);
}

/// Appends an integer field, unless it is 0, the default.
#[inline]
pub(super) fn put_u64(buffer: &mut Buffer, field: u8, number: u64) {
    if number != 0 {
        buffer.push(field << 3);
        put_varint(buffer, number);
    }
}

/// Appends a signed integer field.
pub(super) fn put_sint(buffer: &mut Buffer, field: u8, number: i64) {
    buffer.push(field << 3);
    put_varint(buffer, zigzag(number));
}

/// Appends a floating-point field, even if it is 0.
#[inline]
pub(super) fn put_f64(buffer: &mut Buffer, field: u8, number: f64) {
    buffer.push(field << 3 | 1);
    buffer.put_slice(&number.to_le_bytes());
}

/// Appends a field of bytes: a string or a message.
#[inline]
pub(super) fn put_bytes(buffer: &mut Buffer, field: u8, bytes: &[u8]) {
    put_bytes_header(buffer, field, bytes.len());
    buffer.put_slice(bytes);
}

/// Encodes a signed integer with the sign in the lowest bit.
pub(super) fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_encoded_as_in_the_specification() {
        #[track_caller]
        fn check(put: impl Fn(&mut Buffer), expected: &[u8]) {
            let mut buffer = Buffer::default();
            put(&mut buffer);
            assert_eq!(buffer.written(), expected);
        }
        check(|buffer| put_u64(buffer, 1, 150), &[0x08, 0x96, 0x01]);
        check(|buffer| put_u64(buffer, 1, 0), &[]);
        check(
            |buffer| put_varint(buffer, u64::MAX),
            &[255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
        );
        check(
            |buffer| put_bytes(buffer, 2, b"testing"),
            b"\x12\x07testing",
        );
        check(
            |buffer| put_f64(buffer, 3, 1.0),
            &[0x19, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f],
        );
        check(|buffer| put_sint(buffer, 1, -2), &[0x08, 3]);
        for number in (0..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit, u64::MAX >> bit]) {
            let mut buffer = Buffer::default();
            put_varint(&mut buffer, number);
            assert_eq!(varint_len(number), buffer.len(), "{number}");
        }
        assert_eq!([0, -1, 1, -2].map(zigzag), [0, 1, 2, 3]);
        assert_eq!(zigzag(i64::MIN), u64::MAX);
    }
}
