//! The values that the scanner passes on.

/// A value, or one end of an object or array.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Bool(bool),
    /// As written.
    Number(&'a str),
    /// Without escapes. A long string is cut off.
    Text(&'a str),
    /// An object or array starts.
    Open,
    /// An object or array ends, after all values inside it.
    Close,
}

/// 2^53: all whole numbers up to this are exact as `f64`.
const MAX_EXACT: u64 = 1 << 53;

/// Lenient conversions: some servers write numbers and booleans as strings.
impl<'a> Value<'a> {
    /// Returns a whole number that is not negative. It may be written as a float or a string.
    pub(crate) fn to_u64(self) -> Option<u64> {
        let text = self.scalar()?;
        text.parse()
            .ok()
            .or_else(|| whole(text.trim().parse().ok()?))
    }

    /// Returns a number, which may be written as a string.
    pub(crate) fn to_f64(self) -> Option<f64> {
        self.scalar()?.trim().parse().ok()
    }

    /// Returns a boolean, which may be written as a string, or as 0 or 1.
    pub(crate) fn to_bool(self) -> Option<bool> {
        match self {
            Self::Bool(value) => Some(value),
            Self::Text("true" | "True") | Self::Number("1") => Some(true),
            Self::Text("false" | "False") | Self::Number("0") => Some(false),
            _ => None,
        }
    }

    /// Returns true for `true`, in any form of [`to_bool`](Self::to_bool).
    pub(crate) fn is_true(self) -> bool {
        self.to_bool() == Some(true)
    }

    /// Returns a string, or a number as written.
    pub(crate) fn scalar(self) -> Option<&'a str> {
        match self {
            Self::Text(text) | Self::Number(text) => Some(text),
            _ => None,
        }
    }

    /// Returns a string that is not empty.
    pub(crate) fn non_empty(self) -> Option<&'a str> {
        match self {
            Self::Text(text) if !text.is_empty() => Some(text),
            _ => None,
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is whole, not negative and within bounds"
)]
fn whole(number: f64) -> Option<u64> {
    let bounds = 0.0..=MAX_EXACT as f64;
    (number.fract() == 0.0 && bounds.contains(&number)).then_some(number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_may_be_floats_or_strings() {
        for (text, number) in [
            ("12", Some(12)),
            ("12.0", Some(12)),
            ("1e3", Some(1_000)),
            (" 12 ", Some(12)),
            ("18446744073709551615", Some(u64::MAX)),
            ("1.5", None),
            ("-1", None),
            ("1e16", None),
            ("NaN", None),
            ("", None),
        ] {
            assert_eq!(Value::Number(text).to_u64(), number, "{text:?}");
            assert_eq!(Value::Text(text).to_u64(), number, "{text:?}");
        }
        assert_eq!(Value::Open.to_u64(), None);
    }

    #[test]
    fn booleans_may_be_strings_or_bits() {
        for value in [Value::Bool(true), Value::Text("True"), Value::Number("1")] {
            assert!(value.is_true(), "{value:?}");
        }
        for value in [Value::Bool(false), Value::Text("false"), Value::Number("0")] {
            assert_eq!(value.to_bool(), Some(false), "{value:?}");
        }
        for value in [
            Value::Null,
            Value::Text("yes"),
            Value::Number("2"),
            Value::Open,
        ] {
            assert_eq!(value.to_bool(), None, "{value:?}");
        }
    }
}
