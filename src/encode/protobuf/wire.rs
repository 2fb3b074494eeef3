//! Fields as protobuf writes them: a number and a type, then the value.
//!
//! <https://protobuf.dev/programming-guides/encoding/>

use crate::encode::Buffer;

/// Appends a number.
#[inline]
pub(super) fn put_varint(page: &mut Buffer, number: u64) {
    for_each_varint_byte(number, |byte| page.push(byte));
}

/// Calls `put` with the bytes of a number, seven bits in each, the lowest first.
#[inline]
pub(super) fn for_each_varint_byte(mut number: u64, mut put: impl FnMut(u8)) {
    // What is left fits a byte once it is below 128.
    while number >= 0x80 {
        put(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    put(number.to_le_bytes()[0]);
}

/// Returns how many bytes a number takes.
#[inline]
pub(super) fn varint_len(number: u64) -> usize {
    let bits = u64::BITS - (number | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

/// Returns how many bytes a field of so many bytes takes.
#[inline]
pub(super) fn bytes_field_len(len: usize) -> usize {
    1 + varint_len(len as u64) + len
}

/// Begins a field of so many bytes, which are to follow.
#[inline]
pub(super) fn put_bytes_header(page: &mut Buffer, field: u8, len: usize) {
    page.push(field << 3 | 2);
    put_varint(page, len as u64);
}

/// Appends a field of a number, unless it is 0, which is the same as none.
#[inline]
pub(super) fn put_u64(page: &mut Buffer, field: u8, number: u64) {
    if number != 0 {
        page.push(field << 3);
        put_varint(page, number);
    }
}

/// Appends a field of a number that is near to 0 on either side.
pub(super) fn put_sint(page: &mut Buffer, field: u8, number: i64) {
    page.push(field << 3);
    put_varint(page, zigzag(number));
}

/// Appends a field of a floating-point number, be it 0 or not.
#[inline]
pub(super) fn put_f64(page: &mut Buffer, field: u8, number: f64) {
    page.push(field << 3 | 1);
    page.put_slice(&number.to_le_bytes());
}

/// Appends a field of bytes: a text, or a message.
#[inline]
pub(super) fn put_bytes(page: &mut Buffer, field: u8, bytes: &[u8]) {
    put_bytes_header(page, field, bytes.len());
    page.put_slice(bytes);
}

/// Returns the number whose lowest bit is the sign.
pub(super) fn zigzag(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_specification_s_examples_are() {
        #[track_caller]
        fn check(put: impl Fn(&mut Buffer), expected: &[u8]) {
            let mut page = Buffer::default();
            put(&mut page);
            assert_eq!(page.written(), expected);
        }
        check(|page| put_u64(page, 1, 150), &[0x08, 0x96, 0x01]);
        check(|page| put_u64(page, 1, 0), &[]);
        check(
            |page| put_varint(page, u64::MAX),
            &[255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
        );
        check(|page| put_bytes(page, 2, b"testing"), b"\x12\x07testing");
        check(
            |page| put_f64(page, 3, 1.0),
            &[0x19, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f],
        );
        check(|page| put_sint(page, 1, -2), &[0x08, 3]);
        for number in (0..64).flat_map(|bit| [(1 << bit) - 1, 1 << bit, u64::MAX >> bit]) {
            let mut page = Buffer::default();
            put_varint(&mut page, number);
            assert_eq!(varint_len(number), page.len(), "{number}");
        }
        assert_eq!([0, -1, 1, -2].map(zigzag), [0, 1, 2, 3]);
        assert_eq!(zigzag(i64::MIN), u64::MAX);
    }
}
