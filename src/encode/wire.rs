//! The wire format of protobuf: a field number and a type, then the value.
//!
//! <https://protobuf.dev/programming-guides/encoding/>

use crate::encode::Buffer;

/// The maximum length of a varint field with a tag of one byte.
pub(super) const MAX_FIELD: usize = 11;

/// Appends a varint: seven bits per byte, the lowest first.
#[inline]
pub(super) fn put_varint(buffer: &mut Buffer, number: u64) {
    if number <= MAX_SHORT {
        let (bytes, len) = short_varint(number);
        buffer.put_eight(bytes, len);
    } else {
        put_long_varint(buffer, number);
    }
}

/// The largest number whose varint has eight bytes.
const MAX_SHORT: u64 = (1 << 56) - 1;

/// Returns the varint of a number of at most [`MAX_SHORT`], and its length.
///
/// It is computed without a branch. The number of bytes varies from number to number, and a
/// mispredicted branch costs more than computing them.
#[inline]
pub(super) fn short_varint(number: u64) -> ([u8; 8], usize) {
    debug_assert!(number <= MAX_SHORT);
    // Moves groups of 28 bits apart, then of 14, then of seven.
    let twos = (number & (MAX_SHORT << 28)) << 4 | number & 0x0FFF_FFFF;
    let fours = (twos & 0x0FFF_C000_0FFF_C000) << 2 | twos & 0x0000_3FFF_0000_3FFF;
    let eights = (fours & 0x3F80_3F80_3F80_3F80) << 1 | fours & 0x007F_007F_007F_007F;
    // The number 0 has one byte.
    let zeroes = (eights | 1).leading_zeros() / 8;
    // All bytes but the last have the highest bit set.
    let continued = 0x0080_8080_8080_8080 >> (8 * zeroes);
    ((eights | continued).to_le_bytes(), 8 - zeroes as usize)
}

/// The maximum length of a varint.
#[cfg(feature = "otlp")]
pub(super) const MAX_VARINT: usize = 10;

/// Writes a varint to the start of a slice of at least [`MAX_VARINT`] bytes, and returns its
/// length.
#[cfg(feature = "otlp")]
#[inline]
pub(super) fn write_varint(target: &mut [u8], number: u64) -> usize {
    if number < 0x80 {
        target[0] = number.to_le_bytes()[0];
        return 1;
    }
    if number <= MAX_SHORT {
        let (bytes, len) = short_varint(number);
        target[..8].copy_from_slice(&bytes);
        return len;
    }
    let mut varint = Buffer::default();
    put_long_varint(&mut varint, number);
    target[..varint.len()].copy_from_slice(varint.written());
    varint.len()
}

#[cold]
fn put_long_varint(buffer: &mut Buffer, mut number: u64) {
    while number >= 0x80 {
        buffer.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    buffer.push(number.to_le_bytes()[0]);
}

/// Returns the length of a varint.
#[inline]
pub(super) fn varint_len(number: u64) -> usize {
    let bits = u64::BITS - (number | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

/// Appends the header of a field with a value of `len` bytes, which must follow.
#[inline]
pub(super) fn put_bytes_header(buffer: &mut Buffer, field: u8, len: usize) {
    if len < 0x80 {
        let header = [field << 3 | 2, len.to_le_bytes()[0], 0, 0, 0, 0, 0, 0];
        return buffer.put_eight(header, 2);
    }
    buffer.push(field << 3 | 2);
    put_varint(buffer, len as u64);
}

/// Appends an integer field, unless it is 0, the default.
#[inline]
pub(super) fn put_u64(buffer: &mut Buffer, field: u8, number: u64) {
    if number != 0 {
        put_varint_field(buffer, field, number);
    }
}

#[inline]
fn put_varint_field(buffer: &mut Buffer, field: u8, number: u64) {
    buffer.put_with(MAX_FIELD, |target| {
        write_varint_field(target, field, number)
    });
}

/// Writes a varint field to the start of a slice of at least [`MAX_FIELD`] bytes, and returns its
/// length.
#[inline]
pub(super) fn write_varint_field(target: &mut [u8], field: u8, number: u64) -> usize {
    let tag = field << 3;
    if number < 0x80 {
        target[..2].copy_from_slice(&[tag, number.to_le_bytes()[0]]);
        2
    } else {
        write_long_field(target, tag, number)
    }
}

/// Writes a varint field whose number may have more than one byte.
#[inline(never)]
fn write_long_field(target: &mut [u8], tag: u8, number: u64) -> usize {
    const MAX_SEVEN_BYTES: u64 = (1 << 49) - 1;
    if number <= MAX_SEVEN_BYTES {
        let (bytes, len) = short_varint(number);
        let with_tag = u64::from_le_bytes(bytes) << 8 | u64::from(tag);
        target[..8].copy_from_slice(&with_tag.to_le_bytes());
        1 + len
    } else {
        let mut field = Buffer::default();
        field.push(tag);
        put_varint(&mut field, number);
        target[..field.len()].copy_from_slice(field.written());
        field.len()
    }
}

/// Appends a signed integer field.
#[inline]
pub(super) fn put_sint(buffer: &mut Buffer, field: u8, number: i64) {
    put_varint_field(buffer, field, zigzag(number));
}

/// Appends a floating-point field, even if it is 0.
#[inline]
pub(super) fn put_f64(buffer: &mut Buffer, field: u8, number: f64) {
    buffer.push(field << 3 | 1);
    buffer.put_eight(number.to_le_bytes(), 8);
}

/// Appends an integer field of eight bytes, even if it is 0.
#[cfg(feature = "otlp")]
#[inline]
pub(super) fn put_fixed64(buffer: &mut Buffer, field: u8, number: u64) {
    buffer.push(field << 3 | 1);
    buffer.put_eight(number.to_le_bytes(), 8);
}

/// Appends a field of bytes: a string or a message.
#[inline]
pub(super) fn put_bytes(buffer: &mut Buffer, field: u8, bytes: &[u8]) {
    put_bytes_header(buffer, field, bytes.len());
    buffer.put_slice(bytes);
}

/// Appends a message. `header_len` is the expected length of its tag and length, and is set to the
/// actual one: most messages of a kind are about as long as the one before. Otherwise the message
/// is moved.
#[inline]
pub(super) fn put_message(
    buffer: &mut Buffer,
    field: u8,
    header_len: &mut usize,
    put: impl FnOnce(&mut Buffer),
) {
    buffer.put_after_header(header_len, put, |len| {
        let (varint, varint_len) = short_varint(len as u64);
        let mut header = [0; 9];
        header[0] = field << 3 | 2;
        header[1..].copy_from_slice(&varint);
        (header, 1 + varint_len)
    });
}

/// Encodes a signed integer with the sign in the lowest bit.
pub(super) fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(put: impl Fn(&mut Buffer), expected: &[u8]) {
        let mut buffer = Buffer::default();
        put(&mut buffer);
        assert_eq!(buffer.written(), expected);
    }

    #[test]
    fn values_are_encoded_as_in_the_specification() {
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
        assert_eq!([0, -1, 1, -2].map(zigzag), [0, 1, 2, 3]);
        assert_eq!(zigzag(i64::MIN), u64::MAX);
    }

    #[test]
    fn varints_of_every_length_have_seven_bits_per_byte() {
        let edges = (0..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit, u64::MAX >> bit]);
        let mut random = fastrand::Rng::with_seed(3);
        let random = (0..10_000).map(|_| random.u64(..) >> random.u32(..64));
        for number in edges.chain(random) {
            let mut buffer = Buffer::default();
            put_varint(&mut buffer, number);
            let bytes = buffer.written();
            assert_eq!(bytes.len(), varint_len(number), "{number}");
            let is_continued = |byte: &u8| byte & 0x80 != 0;
            let (last, others) = bytes.split_last().unwrap();
            assert!(others.iter().all(is_continued) && !is_continued(last));
            let groups = bytes.iter().rev().map(|byte| u64::from(byte & 0x7F));
            assert_eq!(groups.fold(0, |bits, group| bits << 7 | group), number);

            let number = number.cast_signed();
            check(|buffer| put_sint(buffer, 15, number), &{
                let mut expected = Buffer::default();
                expected.push(15 << 3);
                put_varint(&mut expected, zigzag(number));
                expected.written().to_vec()
            });
        }
    }

    #[test]
    fn messages_of_every_length_follow_their_length() {
        let mut header_len = 2;
        for len in [0, 1, 127, 128, 16_383, 16_384, 70_000, 3] {
            let content = vec![7; len];
            let put = |buffer: &mut Buffer| {
                buffer.push(1);
                put_message(buffer, 3, &mut header_len.clone(), |buffer| {
                    buffer.put_slice(&content);
                });
                buffer.push(2);
            };
            let mut expected = Buffer::default();
            expected.push(1);
            put_bytes(&mut expected, 3, &content);
            expected.push(2);
            check(put, expected.written());
            put_message(&mut Buffer::default(), 3, &mut header_len, |buffer| {
                buffer.put_slice(&content);
            });
            assert_eq!(header_len, 1 + varint_len(len as u64));
        }
    }
}
