//! Reading an exposition back.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::{self, Write};

use crate::testing::cursor::Cursor;

/// What a service has served, in Prometheus's text format or in `OpenMetrics`.
///
/// ```
/// use tachometer::testing::Exposition;
///
/// let told = Exposition::parse("# TYPE jobs_total counter\njobs_total{queue=\"mail\"} 3\n")?;
/// assert_eq!(told.value("jobs_total", [("queue", "mail")]), Some(3.0));
/// assert_eq!(told.samples()[0].labels["queue"], "mail");
/// # Ok::<(), tachometer::testing::ParseError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exposition {
    samples: Vec<ParsedSample>,
    /// What lines of comment say: the name and what it is, by the word that they begin with.
    pub(super) metadata: BTreeMap<(&'static str, String), String>,
}

/// A line of an exposition: a name, labels, and a number.
#[derive(Debug, Clone, PartialEq)]
pub struct ParsedSample {
    /// The name as it stands there, with its `_total`, `_bucket` and so on.
    pub name: String,
    /// The labels by their names.
    pub labels: BTreeMap<String, String>,
    /// The number, which may be infinite or NaN.
    pub value: f64,
}

/// Why a text is no exposition: the line and what is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParseError {
    line: usize,
    text: String,
    what: String,
}

/// The words by which lines say something of a family.
const WORDS: [&str; 3] = ["HELP", "TYPE", "UNIT"];

impl Exposition {
    /// Reads a text. Exemplars and times are read over.
    ///
    /// # Errors
    ///
    /// When a line is neither a comment nor a sample, with the line.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        let mut read = Self::default();
        for (at, line) in text.lines().enumerate() {
            let taken = line.trim();
            let fault = |what| ParseError {
                line: at + 1,
                text: taken.to_owned(),
                what,
            };
            // A help text ends where the line does, and not before its last spaces.
            if let Some(comment) = line.trim_start().strip_prefix('#') {
                read.comment(comment).map_err(fault)?;
            } else if !taken.is_empty() {
                let (key, number) = sample(taken).map_err(fault)?;
                let value = parse_number(number).map_err(fault)?;
                read.samples.push(key.with(value));
            }
        }
        Ok(read)
    }

    /// Returns all samples, in their order.
    #[must_use]
    pub fn samples(&self) -> &[ParsedSample] {
        &self.samples
    }

    /// Returns the sum of the samples of this name that have all of these labels; `None` where
    /// there is none.
    #[must_use]
    pub fn value<'a>(&self, name: &str, labels: impl AsRef<[(&'a str, &'a str)]>) -> Option<f64> {
        let labels = labels.as_ref();
        let has = |sample: &&ParsedSample| {
            let has = |(name, value): &(&str, &str)| {
                sample.labels.get(*name).is_some_and(|own| own == value)
            };
            sample.name == name && labels.iter().all(has)
        };
        let values = self.samples.iter().filter(has).map(|sample| sample.value);
        values.reduce(|sum, value| sum + value)
    }

    /// Returns the help text of a metric, as it is called there.
    #[must_use]
    pub fn help(&self, name: &str) -> Option<&str> {
        self.metadata
            .get(&("HELP", name.to_owned()))
            .map(|help| &**help)
    }

    /// Returns the type of a metric, as it is called there: `counter`, `histogram`, and so on.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<&str> {
        self.metadata
            .get(&("TYPE", name.to_owned()))
            .map(|kind| &**kind)
    }

    fn comment(&mut self, comment: &str) -> Result<(), String> {
        let mut cursor = Cursor(comment);
        cursor.skip_spaces();
        let word = cursor.up_to(&[' ', '\t']);
        // Any other comment says nothing.
        if let Some(word) = WORDS.into_iter().find(|known| *known == word) {
            cursor.skip_spaces();
            let name = cursor.name()?;
            let rest = cursor.0.strip_prefix(' ').unwrap_or(cursor.0);
            let rest = if word == "HELP" { rest } else { rest.trim() };
            self.metadata.insert((word, name), unescape(rest));
        }
        Ok(())
    }
}

/// What a sample is of.
pub(super) struct SeriesKey {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
}

impl SeriesKey {
    fn with(self, value: f64) -> ParsedSample {
        ParsedSample {
            name: self.name,
            labels: self.labels,
            value,
        }
    }
}

/// Reads a sample: what it is of, and the text of its number.
pub(super) fn sample(line: &str) -> Result<(SeriesKey, &str), String> {
    let mut cursor = Cursor(line);
    let mut name = None;
    if !cursor.0.starts_with('{') {
        name = Some(cursor.name()?);
        cursor.skip_spaces();
    }
    let mut labels = BTreeMap::new();
    if cursor.take("{") {
        let (inside, pairs) = cursor.labels()?;
        name = match (name, inside) {
            (Some(name), Some(other)) => {
                return Err(format!("two names, {name:?} and {other:?}"));
            }
            (name, inside) => name.or(inside),
        };
        for (label, value) in pairs {
            if labels.insert(label.clone(), value).is_some() {
                return Err(format!("the label {label:?} is there twice"));
            }
        }
    }
    cursor.skip_spaces();
    let number = cursor.up_to(&[' ', '\t']);
    let name = name.ok_or_else(|| "expected a metric's name".to_owned())?;
    Ok((SeriesKey { name, labels }, number))
}

pub(super) fn parse_number(text: &str) -> Result<f64, String> {
    // Other words that Rust reads as numbers, such as `infinity`, no exposition has.
    let fault = || format!("expected a number before {text:?}");
    match text {
        "NaN" => Ok(f64::NAN),
        "Inf" | "+Inf" => Ok(f64::INFINITY),
        "-Inf" => Ok(f64::NEG_INFINITY),
        _ if text.ends_with(|end: char| end.is_ascii_digit() || end == '.') => {
            text.parse().map_err(|_| fault())
        }
        _ => Err(fault()),
    }
}

/// Undoes the escapes of a help text.
fn unescape(text: &str) -> String {
    let mut cursor = Cursor(text);
    let mut plain = String::new();
    loop {
        plain.push_str(cursor.up_to(&['\\']));
        if cursor.0.is_empty() {
            return plain;
        }
        let escapes = [("\\n", '\n'), ("\\\\", '\\'), ("\\\"", '"'), ("\\", '\\')];
        for (written, meant) in escapes {
            if cursor.take(written) {
                plain.push(meant);
                break;
            }
        }
    }
}

/// With quotes, backslashes and infinity as the formats write them.
impl fmt::Display for ParsedSample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_key(f, &self.name, &self.labels)?;
        f.write_char(' ')?;
        write_number(f, self.value)
    }
}

/// Writes a number as [`parse_number`] reads it.
pub(super) fn write_number(f: &mut impl fmt::Write, number: f64) -> fmt::Result {
    match number {
        f64::INFINITY => f.write_str("+Inf"),
        f64::NEG_INFINITY => f.write_str("-Inf"),
        _ => write!(f, "{number}"),
    }
}

pub(super) fn write_key(
    f: &mut impl fmt::Write,
    name: &str,
    labels: &BTreeMap<String, String>,
) -> fmt::Result {
    f.write_str(name)?;
    for (at, (label, value)) in labels.iter().enumerate() {
        f.write_str(if at == 0 { "{" } else { "," })?;
        let value = value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n");
        write!(f, "{label}=\"{value}\"")?;
    }
    f.write_str(if labels.is_empty() { "" } else { "}" })
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, text, what } = self;
        write!(
            f,
            "line {line}, {text:?}, is no line of an exposition: {what}"
        )
    }
}

impl Error for ParseError {}
