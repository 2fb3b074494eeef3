//! Numbers as the exposition formats write them.

use crate::snapshot::Count;

pub(super) fn push_u64(out: &mut String, number: u64) {
    out.push_str(itoa::Buffer::new().format(number));
}

/// Appends a counter's value, its whole part exact where there is no fraction.
pub(super) fn push_count(out: &mut String, count: Count) {
    if count.fraction == 0.0 {
        push_u64(out, count.whole);
    } else {
        push_f64(out, count.value());
    }
}

/// Appends a number as Prometheus reads it: the shortest text that reads back as
/// the same number, whole numbers without a point, `+Inf`, `-Inf` and `NaN`.
pub(super) fn push_f64(out: &mut String, number: f64) {
    // Below this, every whole number is exact and short.
    const WHOLE: f64 = 1e15;
    if number.fract() == 0.0 && number.abs() < WHOLE && (number != 0.0 || number.is_sign_positive())
    {
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 1e15")]
        out.push_str(itoa::Buffer::new().format(number as i64));
    } else {
        push_float(out, number);
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
        let mut text = String::new();
        push_float(&mut text, bound);
        return text;
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

fn push_float(out: &mut String, number: f64) {
    if number.is_finite() {
        out.push_str(zmij::Buffer::new().format_finite(number));
    } else if number.is_nan() {
        out.push_str("NaN");
    } else {
        out.push_str(if number > 0.0 { "+Inf" } else { "-Inf" });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(number: f64, expected: &str) {
        let mut out = String::new();
        push_f64(&mut out, number);
        assert_eq!(out, expected);
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
    fn a_count_past_2_to_the_53_keeps_every_digit() {
        let mut out = String::new();
        push_count(&mut out, ((1 << 60) + 1).into());
        assert_eq!(out, "1152921504606846977");
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
