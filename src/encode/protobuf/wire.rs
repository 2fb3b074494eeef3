//! Fields as protobuf writes them: a number and a type, then the value.
//!
//! <https://protobuf.dev/programming-guides/encoding/>

use crate::encode::Page;

/// Appends a number, seven bits a byte, the lowest first.
#[inline]
pub(super) fn put_varint(page: &mut Page, mut number: u64) {
    // What is left fits a byte once it is below 128.
    while number >= 0x80 {
        page.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    page.push(number.to_le_bytes()[0]);
}

/// Appends a field of a number, unless it is 0, which is the same as none.
#[inline]
pub(super) fn put_u64(page: &mut Page, field: u8, number: u64) {
    if number != 0 {
        page.push(field << 3);
        put_varint(page, number);
    }
}

/// Appends a field of a number that is near to 0 on either side.
pub(super) fn put_sint(page: &mut Page, field: u8, number: i64) {
    page.push(field << 3);
    put_varint(page, zigzag(number));
}

/// Appends a field of a floating-point number, be it 0 or not.
#[inline]
pub(super) fn put_f64(page: &mut Page, field: u8, number: f64) {
    page.push(field << 3 | 1);
    page.put(&number.to_le_bytes());
}

/// Appends a field of bytes: a text, or a message.
#[inline]
pub(super) fn put_bytes(page: &mut Page, field: u8, bytes: &[u8]) {
    page.push(field << 3 | 2);
    put_varint(page, bytes.len() as u64);
    page.put(bytes);
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
        fn check(put: impl Fn(&mut Page), expected: &[u8]) {
            let mut page = Page::default();
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
        assert_eq!([0, -1, 1, -2].map(zigzag), [0, 1, 2, 3]);
        assert_eq!(zigzag(i64::MIN), u64::MAX);
    }
}
