//! A parser for expositions.
//!
//! `testing` is part of every build, so a parser crate would be a dependency of every service.
//!
//! The tests of this crate have a second parser (`tests/it/support/parse`). It is separate on
//! purpose: it checks the encoders strictly, and shares no mistake with this one.

use std::collections::BTreeMap;
use std::fmt::{self, Write};

use crate::error::Error;
use crate::testing::cursor::Cursor;

/// A parsed exposition in Prometheus's text format or in OpenMetrics.
///
/// It is displayed as its samples, in Prometheus's text format.
///
/// ```
/// use tachometer::testing::Exposition;
///
/// let text = "# TYPE jobs_total counter\njobs_total{queue=\"mail\"} 3\n";
/// let exposition = Exposition::parse(text)?;
/// assert_eq!(exposition.value("jobs_total", [("queue", "mail")]), Some(3.0));
/// for (name, labels, value) in exposition.samples() {
///     assert_eq!((name, labels["queue"].as_str(), value), ("jobs_total", "mail", 3.0));
/// }
/// # Ok::<(), tachometer::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Exposition {
    pub(super) samples: Vec<Sample>,
    /// The texts of metadata lines, by their keyword and the name of the metric.
    pub(super) metadata: BTreeMap<(&'static str, String), String>,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sample {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

/// The keywords of metadata lines.
const KEYWORDS: [&str; 3] = ["HELP", "TYPE", "UNIT"];

impl Exposition {
    /// Parses a text. Exemplars and timestamps are ignored.
    ///
    /// # Errors
    ///
    /// If a line is neither a comment nor a sample ([`Error::is_invalid_exposition`]).
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut exposition = Self::default();
        for (index, line) in text.lines().enumerate() {
            let trimmed = line.trim();
            let invalid = |reason: String| {
                let number = index + 1;
                Error::invalid_exposition(format_args!("line {number}, {trimmed:?}: {reason}"))
            };
            // Trailing spaces belong to a help text.
            if let Some(comment) = line.trim_start().strip_prefix('#') {
                exposition.parse_comment(comment).map_err(invalid)?;
            } else if !trimmed.is_empty() {
                let (key, value) = parse_sample(trimmed).map_err(invalid)?;
                let value = parse_value(value).map_err(invalid)?;
                exposition.samples.push(key.into_sample(value));
            }
        }
        Ok(exposition)
    }

    /// Returns the name, the labels and the value of each sample, in the order of the text.
    ///
    /// A name has its suffix, such as `_total` or `_bucket`. A value may be infinite or NaN.
    pub fn samples(&self) -> impl ExactSizeIterator<Item = (&str, &BTreeMap<String, String>, f64)> {
        self.samples
            .iter()
            .map(|sample| (sample.name.as_str(), &sample.labels, sample.value))
    }

    /// Returns the sum of the samples with this name and all of these labels, or `None` if there
    /// are none.
    #[must_use]
    pub fn value<'a>(&self, name: &str, labels: impl AsRef<[(&'a str, &'a str)]>) -> Option<f64> {
        let labels = labels.as_ref();
        let is_match = |sample: &&Sample| {
            let has_label = |(label, value): &(&str, &str)| {
                sample.labels.get(*label).is_some_and(|one| one == value)
            };
            sample.name == name && labels.iter().all(has_label)
        };
        let samples = self.samples.iter().filter(is_match);
        let values = samples.map(|sample| sample.value);
        values.reduce(|sum, value| sum + value)
    }

    /// Returns the help text of a metric, by the name in its `HELP` line.
    #[must_use]
    pub fn help(&self, name: &str) -> Option<&str> {
        self.metadata_of("HELP", name)
    }

    /// Returns the type of a metric, such as `counter` or `histogram`, by the name in its `TYPE`
    /// line.
    #[must_use]
    pub fn kind(&self, name: &str) -> Option<&str> {
        self.metadata_of("TYPE", name)
    }

    fn metadata_of(&self, keyword: &'static str, name: &str) -> Option<&str> {
        let text = self.metadata.get(&(keyword, name.to_owned()));
        text.map(String::as_str)
    }

    fn parse_comment(&mut self, comment: &str) -> Result<(), String> {
        let mut cursor = Cursor(comment);
        cursor.skip_spaces();
        let word = cursor.take_until(&[' ', '\t']);
        // Other comments are not metadata.
        if let Some(keyword) = KEYWORDS.into_iter().find(|keyword| *keyword == word) {
            cursor.skip_spaces();
            let name = cursor.take_name()?;
            let text = cursor.0.strip_prefix(' ').unwrap_or(cursor.0);
            let text = if keyword == "HELP" { text } else { text.trim() };
            self.metadata.insert((keyword, name), unescape(text));
        }
        Ok(())
    }
}

/// The name and the labels of a sample.
pub(super) struct SeriesKey {
    pub(super) name: String,
    pub(super) labels: BTreeMap<String, String>,
}

impl SeriesKey {
    fn into_sample(self, value: f64) -> Sample {
        Sample {
            name: self.name,
            labels: self.labels,
            value,
        }
    }
}

/// Parses a line with a sample. Returns its key, and the text of its value.
pub(super) fn parse_sample(line: &str) -> Result<(SeriesKey, &str), String> {
    let mut cursor = Cursor(line);
    let mut name = None;
    if !cursor.0.starts_with('{') {
        name = Some(cursor.take_name()?);
        cursor.skip_spaces();
    }
    let mut labels = BTreeMap::new();
    if cursor.take("{") {
        let (quoted_name, pairs) = cursor.take_labels()?;
        name = match (name, quoted_name) {
            (Some(name), Some(other)) => {
                return Err(format!("two names, {name:?} and {other:?}"));
            }
            (name, quoted_name) => name.or(quoted_name),
        };
        for (label, value) in pairs {
            if labels.insert(label.clone(), value).is_some() {
                return Err(format!("the label {label:?} is repeated"));
            }
        }
    }
    cursor.skip_spaces();
    let value = cursor.take_until(&[' ', '\t']);
    let name = name.ok_or_else(|| "expected the name of a metric".to_owned())?;
    Ok((SeriesKey { name, labels }, value))
}

pub(super) fn parse_value(text: &str) -> Result<f64, String> {
    let invalid = || format!("expected a number, found {text:?}");
    match text {
        "NaN" => Ok(f64::NAN),
        "Inf" | "+Inf" => Ok(f64::INFINITY),
        "-Inf" => Ok(f64::NEG_INFINITY),
        // The formats do not allow other words that Rust parses, such as `infinity`.
        _ if text.ends_with(|end: char| end.is_ascii_digit() || end == '.') => {
            text.parse().map_err(|_| invalid())
        }
        _ => Err(invalid()),
    }
}

/// Decodes the escape sequences of a help text.
fn unescape(text: &str) -> String {
    let mut cursor = Cursor(text);
    let mut unescaped = String::new();
    loop {
        unescaped.push_str(cursor.take_until(&['\\']));
        if cursor.0.is_empty() {
            return unescaped;
        }
        // A backslash before any other character is kept.
        let sequences = [("\\n", '\n'), ("\\\\", '\\'), ("\\\"", '"'), ("\\", '\\')];
        for (sequence, char) in sequences {
            if cursor.take(sequence) {
                unescaped.push(char);
                break;
            }
        }
    }
}

impl fmt::Display for Exposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.samples
            .iter()
            .try_for_each(|sample| writeln!(f, "{sample}"))
    }
}

impl fmt::Display for Sample {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_key(f, &self.name, &self.labels)?;
        f.write_char(' ')?;
        write_value(f, self.value)
    }
}

/// Writes a value as [`parse_value`] reads it.
pub(super) fn write_value(f: &mut impl fmt::Write, value: f64) -> fmt::Result {
    match value {
        f64::INFINITY => f.write_str("+Inf"),
        f64::NEG_INFINITY => f.write_str("-Inf"),
        _ => write!(f, "{value}"),
    }
}

pub(super) fn write_key(
    f: &mut impl fmt::Write,
    name: &str,
    labels: &BTreeMap<String, String>,
) -> fmt::Result {
    f.write_str(name)?;
    for (index, (label, value)) in labels.iter().enumerate() {
        f.write_str(if index == 0 { "{" } else { "," })?;
        let value = value
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n");
        write!(f, "{label}=\"{value}\"")?;
    }
    f.write_str(if labels.is_empty() { "" } else { "}" })
}
