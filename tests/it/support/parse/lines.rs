//! One line of a text format: a sample.
//!
//! Prometheus: <https://prometheus.io/docs/instrumenting/exposition_formats/>.
//! OpenMetrics: <https://prometheus.io/docs/specs/om/open_metrics_spec/>, "ABNF".

use crate::support::parse::cursor::Cursor;
use crate::support::parse::{Exemplar, Number, Pair, Read, Real, check};

#[derive(Debug)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: Vec<Pair>,
    pub(super) number: Number,
    /// The number as it is written.
    pub(super) text: String,
    pub(super) exemplar: Option<Exemplar>,
}

pub(super) fn sample(line: &str) -> Read<Sample> {
    let mut cursor = Cursor::new(line);
    let (name, labels) = if cursor.take("{") {
        // Only a name in quotes stands inside, before all labels.
        check(cursor.rest.starts_with('"'), || "no name".to_owned())?;
        let name = cursor.name(&[], true)?;
        let labels = if cursor.take("}") {
            Vec::new()
        } else {
            cursor.expect(",")?;
            cursor.labels()?
        };
        (name, labels)
    } else {
        let bare = !cursor.rest.starts_with('"');
        check(bare, || "a quoted name outside of the braces".to_owned())?;
        let name = cursor.name(&['{', ' '], true)?;
        let labels = if cursor.take("{") {
            cursor.labels()?
        } else {
            Vec::new()
        };
        (name, labels)
    };
    cursor.expect(" ")?;
    let text = cursor.up_to(&[' ']);
    let number = number(text)?;
    let exemplar = match cursor.rest {
        "" => None,
        _ => Some(exemplar(&mut cursor)?),
    };
    Ok(Sample {
        name,
        labels,
        number,
        text: text.to_owned(),
        exemplar,
    })
}

fn exemplar(cursor: &mut Cursor<'_>) -> Read<Exemplar> {
    cursor.expect(" # {")?;
    let labels = cursor.labels()?;
    let lengths = labels.iter().flat_map(|(name, value)| [name, value]);
    let length: usize = lengths.map(|text| text.chars().count()).sum();
    check(length <= 128, || format!("an exemplar of {length} letters"))?;
    cursor.expect(" ")?;
    let value = number(cursor.up_to(&[' ']))?.real();
    let time = if cursor.take(" ") {
        Some(time(cursor.up_to(&[' ']))?)
    } else {
        None
    };
    check(cursor.rest.is_empty(), || {
        format!("more: {:?}", cursor.rest)
    })?;
    Ok(Exemplar {
        labels,
        value,
        time,
    })
}

/// Reads a number: decimal digits with a point and an exponent, or one of the three
/// that are none.
pub(super) fn number(text: &str) -> Read<Number> {
    let number = match text {
        "NaN" => f64::NAN,
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        _ => {
            let allowed = |byte: u8| byte.is_ascii_digit() || b"+-.e".contains(&byte);
            let begins = text
                .trim_start_matches('-')
                .starts_with(|c: char| c.is_ascii_digit());
            let fault = || format!("not a number: {text:?}");
            check(begins && text.bytes().all(allowed), fault)?;
            if let Ok(whole) = text.parse() {
                return Ok(Number::Whole(whole));
            }
            text.parse().map_err(|_| fault())?
        }
    };
    Ok(Number::Real(Real(number)))
}

/// Reads a time in seconds after 1970, exactly, in nanoseconds.
pub(super) fn time(text: &str) -> Read<u64> {
    let fault = || format!("not a time: {text:?}");
    let (seconds, nanos) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let fits = !nanos.is_empty() && nanos.len() <= 9;
    check(fits && digits(seconds) && digits(nanos), fault)?;
    let seconds: u64 = seconds.parse().map_err(|_| fault())?;
    let nanos: u64 = format!("{nanos:0<9}").parse().map_err(|_| fault())?;
    Ok(seconds * 1_000_000_000 + nanos)
}
