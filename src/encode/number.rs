//! Numbers as the exposition formats write them.

use crate::encode::buffer::{Buffer, ShortText};
use crate::snapshot::Count;

#[inline]
pub(super) fn put_u64(page: &mut Buffer, number: u64) {
    page.put_short_text(&digits(number));
}

/// Returns a number's digits.
///
/// Those of up to eight are made without a branch: counts differ in how many they
/// have from one line to the next, and a processor that guesses wrongly loses more
/// time than the digits take.
#[inline]
pub(super) fn digits(number: u64) -> ShortText {
    if number < 100_000_000 {
        eight_digits(number)
    } else {
        ShortText::new(itoa::Buffer::new().format(number))
    }
}

/// Returns the digits of a number of at most eight.
///
/// The number is cut in half, the halves at once again, and these once more, each
/// part in bits of its own. The products stand for divisions, by 100 of what is below
/// 10,000 and by 10 of what is below 100, and are exact for those.
#[inline]
fn eight_digits(number: u64) -> ShortText {
    let fours = (number / 10_000) | ((number % 10_000) << 32);
    let hundreds = ((fours * 10_486) >> 20) & 0x0000_007F_0000_007F;
    let twos = hundreds | ((fours - 100 * hundreds) << 16);
    let tens = ((twos * 103) >> 10) & 0x000F_000F_000F_000F;
    // The first digit in the lowest byte.
    let ones = tens | ((twos - 10 * tens) << 8);
    // Of 0, one digit stays.
    let zeroes = (ones.trailing_zeros() / 8).min(7);
    let text = (ones | 0x3030_3030_3030_3030) >> (8 * zeroes);
    ShortText::from_bytes(text.to_le_bytes(), 8 - zeroes as usize)
}

/// Appends a counter's value, its whole part exact where there is no fraction.
pub(super) fn put_count(page: &mut Buffer, count: Count) {
    if count.fraction == 0.0 {
        put_u64(page, count.whole);
    } else {
        put_f64(page, count.value());
    }
}

/// Appends a number as Prometheus reads it: the shortest text that reads back as
/// the same number, whole numbers without a point, `+Inf`, `-Inf` and `NaN`.
pub(super) fn put_f64(page: &mut Buffer, number: f64) {
    // Below this, every whole number is exact and short.
    const WHOLE: f64 = 1e15;
    if number.fract() == 0.0 && number.abs() < WHOLE && (number != 0.0 || number.is_sign_positive())
    {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 1e15")]
        page.put_short_text(&ShortText::new(itoa::Buffer::new().format(number as i64)));
    } else {
        put_float(page, number);
    }
}

/// Returns a bucket's bound in OpenMetrics's canonical form (specification 1.0,
/// "Considerations: Canonical Numbers"): the shortest digits, an exponent of at
/// least two digits below 1e-4 and from 1e6 on, and else a point: `1.0`, `1e+06`.
///
/// Prometheus 3 rewrites bounds to this form, so that another one would be
/// another series there than in Prometheus 2.
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

/// Returns a time in seconds since 1970, to the millisecond.
pub(super) fn millis_to_seconds(millis: u64) -> f64 {
    millis as f64 / 1e3
}

fn put_float(page: &mut Buffer, number: f64) {
    if number.is_finite() {
        page.put_short_text(&ShortText::new(zmij::Buffer::new().format_finite(number)));
    } else {
        page.put_str(non_finite_text(number));
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
        let mut page = Buffer::default();
        put_f64(&mut page, number);
        assert_eq!(page.written(), expected.as_bytes());
        let back = expected.replace("Inf", "inf").parse::<f64>().unwrap();
        assert!(back == number || (back.is_nan() && number.is_nan()));
    }

    #[test]
    fn numbers_are_short_and_read_back_as_themselves() {
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
    fn whole_numbers_of_every_length_have_their_digits() {
        let mut numbers: Vec<u64> = (0..20_000).collect();
        let powers = (0..20).map(|power| 10_u64.pow(power));
        numbers.extend(powers.flat_map(|power| [power - 1, power, power + 1, power / 3]));
        let mut random = fastrand::Rng::with_seed(6);
        numbers.extend((0..50_000).map(|_| random.u64(..) >> random.u32(..64)));
        numbers.push(u64::MAX);
        for number in numbers {
            let mut page = Buffer::default();
            put_u64(&mut page, number);
            assert_eq!(page.written(), number.to_string().as_bytes());
        }
    }

    #[test]
    fn a_count_past_2_to_the_53_keeps_every_digit() {
        let mut page = Buffer::default();
        put_count(&mut page, ((1 << 60) + 1).into());
        assert_eq!(page.written(), b"1152921504606846977");
    }

    #[test]
    fn bounds_are_in_the_canonical_form_of_openmetrics() {
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
