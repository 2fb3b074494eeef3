//! Writes numbers as the exposition formats require.

use crate::encode::buffer::{Buffer, ShortText};
use crate::snapshot::Count;

#[inline]
pub(super) fn put_u64(buffer: &mut Buffer, number: u64) {
    buffer.put_short_text(&digits(number));
}

/// Returns the digits of a number.
///
/// Up to eight digits are computed without a branch. The number of digits varies from line to line,
/// and a mispredicted branch costs more than computing the digits.
#[inline]
pub(super) fn digits(number: u64) -> ShortText {
    if number < 100_000_000 {
        eight_digits(number)
    } else {
        ShortText::new(itoa::Buffer::new().format(number))
    }
}

/// Returns the digits of a number below 100,000,000.
///
/// The number is split into two parts of four digits, these at once into parts of two digits, and
/// these into single digits, each part in separate bits. The multiplications replace divisions by
/// 100 and by 10, and are exact for numbers below 10,000 and below 100.
#[inline]
fn eight_digits(number: u64) -> ShortText {
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007F_0000_007F;
    let twos = hundreds | ((fours - 100 * hundreds) << 16);
    let tens = ((twos * 103) >> 10) & 0x000F_000F_000F_000F;
    // The first digit is in the lowest byte.
    let ones = tens | ((twos - 10 * tens) << 8);
    // The number 0 keeps one digit.
    let zeroes = (ones.trailing_zeros() / 8).min(7);
    let text = (ones | 0x3030_3030_3030_3030) >> (8 * zeroes);
    ShortText::from_bytes(text.to_le_bytes(), 8 - zeroes as usize)
}

/// Appends the value of a counter; without a fraction, the whole part is exact.
pub(super) fn put_count(buffer: &mut Buffer, count: Count) {
    if count.fraction == 0.0 {
        put_u64(buffer, count.whole);
    } else {
        put_f64(buffer, count.value());
    }
}

/// Appends a number in Prometheus's syntax: the shortest text that parses to the same number, whole
/// numbers without a decimal point, `+Inf`, `-Inf` or `NaN`.
pub(super) fn put_f64(buffer: &mut Buffer, number: f64) {
    // Whole numbers below this are exact and short.
    const MAX_WHOLE: f64 = 1e15;
    if number.fract() == 0.0
        && number.abs() < MAX_WHOLE
        && (number != 0.0 || number.is_sign_positive())
    {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 1e15")]
        buffer.put_short_text(&ShortText::new(itoa::Buffer::new().format(number as i64)));
    } else {
        put_float(buffer, number);
    }
}

/// Returns a bucket bound in OpenMetrics's canonical form (specification 1.0, "Considerations:
/// Canonical Numbers"): the shortest digits, with an exponent of at least two digits below 1e-4 and
/// from 1e6 on, otherwise with a decimal point: `1.0`, `1e+06`.
///
/// Prometheus 3 converts bounds to this form. Another form would be a different series there than
/// in Prometheus 2.
pub(super) fn bound_text(bound: f64) -> String {
    if !bound.is_finite() {
        return non_finite_text(bound).to_owned();
    }
    let scientific = format!("{bound:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>().unwrap_or(0) {
        -4..6 if bound.fract() == 0.0 => format!("{bound}.0"),
        -4..6 => format!("{bound}"),
        exponent => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
    }
}

/// Converts milliseconds to seconds.
pub(super) fn millis_to_seconds(millis: u64) -> f64 {
    millis as f64 / 1e3
}

fn put_float(buffer: &mut Buffer, number: f64) {
    if number.is_finite() {
        buffer.put_short_text(&ShortText::new(zmij::Buffer::new().format_finite(number)));
    } else {
        buffer.put_str(non_finite_text(number));
    }
}

fn non_finite_text(number: f64) -> &'static str {
    if number.is_nan() {
        "NaN"
    } else if number > 0.0 {
        "+Inf"
    } else {
        "-Inf"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(number: f64, expected: &str) {
        let mut buffer = Buffer::default();
        put_f64(&mut buffer, number);
        assert_eq!(buffer.written(), expected.as_bytes());
        let back = expected.replace("Inf", "inf").parse::<f64>().unwrap();
        assert!(back == number || (back.is_nan() && number.is_nan()));
    }

    #[test]
    fn numbers_are_short_and_parse_back_to_themselves() {
        check(0.0, "0");
        check(-0.0, "-0.0");
        check(42.0, "42");
        check(-7.0, "-7");
        check(0.1 + 0.2, "0.30000000000000004");
        check(1e21, "1e+21");
        check(5e-324, "5e-324");
        check(f64::MAX, "1.7976931348623157e+308");
        check(f64::INFINITY, "+Inf");
        check(f64::NEG_INFINITY, "-Inf");
        check(f64::NAN, "NaN");
    }

    #[test]
    fn whole_numbers_of_every_length_have_the_right_digits() {
        let mut numbers: Vec<u64> = (0..20_000).collect();
        let powers = (0..20).map(|power| 10_u64.pow(power));
        numbers.extend(powers.flat_map(|power| [power - 1, power, power + 1, power / 3]));
        let mut random = fastrand::Rng::with_seed(6);
        numbers.extend((0..50_000).map(|_| random.u64(..) >> random.u32(..64)));
        numbers.push(u64::MAX);
        for number in numbers {
            let mut buffer = Buffer::default();
            put_u64(&mut buffer, number);
            assert_eq!(buffer.written(), number.to_string().as_bytes());
        }
    }

    #[test]
    fn a_count_above_2_to_the_53_keeps_every_digit() {
        let mut buffer = Buffer::default();
        put_count(&mut buffer, ((1 << 60) + 1).into());
        assert_eq!(buffer.written(), b"1152921504606846977");
    }

    #[test]
    fn bounds_have_the_canonical_form_of_openmetrics() {
        for (bound, text) in [
            (0.0, "0.0"),
            (10.0, "10.0"),
            (-2.5, "-2.5"),
            (0.005, "0.005"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (123_456.0, "123456.0"),
            (1e6, "1e+06"),
            (1_048_576.0, "1.048576e+06"),
            (1e100, "1e+100"),
            (f64::INFINITY, "+Inf"),
        ] {
            assert_eq!(bound_text(bound), text);
        }
    }
}
