//! Comparing an exposition with what was expected.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::registry::Registry;
use crate::testing::exposition::{
    Exposition, ParsedSample, SeriesKey, parse_number, sample, write_key, write_number,
};

/// Asserts that the registry exports these metrics as they are written here, in Prometheus's
/// text format, and no other series of them.
///
/// Metrics that the text does not name are not looked at, nor are `HELP` and `TYPE` where the
/// text has none; the order of lines and labels does not matter, and lines may be indented.
/// A number that is not known beforehand, such as a duration, is written as `*`.
///
/// ```
/// use tachometer::Registry;
/// use tachometer::testing::assert_exposition;
///
/// let registry = Registry::new();
/// registry.counter_with("jobs_total", "Jobs done.", [("queue", "mail")])?.inc();
/// registry.gauge("age_seconds", "Age of the oldest job.")?.set(0.25);
/// assert_exposition(
///     &registry,
///     r#"
///     ## HELP jobs_total Jobs done.
///     jobs_total{queue="mail"} 1
///     age_seconds *
///     "#,
/// );
/// # Ok::<(), tachometer::Error>(())
/// ```
///
/// # Panics
///
/// When something else is there, with the lines that are missing and those that are too many;
/// when the text is no exposition.
#[track_caller]
pub fn assert_exposition(registry: &Registry, expected: &str) {
    let found = match Exposition::parse(&registry.export_prometheus()) {
        Ok(found) => found,
        Err(error) => panic!("the registry's own text cannot be read: {error}"),
    };
    match difference(&found, expected) {
        Ok(None) => {}
        Ok(Some(lines)) => panic!("- expected, + found:\n{lines}"),
        Err(error) => panic!("what is expected cannot be read: {error}"),
    }
}

/// Returns all lines where there is a difference, and what is wrong with a line that is none.
fn difference(found: &Exposition, expected: &str) -> Result<Option<String>, String> {
    let (mut comments, mut samples) = (String::new(), Vec::new());
    for line in expected.lines().map(str::trim) {
        if line.starts_with('#') {
            let _ = writeln!(comments, "{line}");
        } else if !line.is_empty() {
            let (key, number) = sample(line).map_err(|what| format!("{line:?}: {what}"))?;
            let number = ExpectedValue::of(number).map_err(|what| format!("{line:?}: {what}"))?;
            samples.push((key, number));
        }
    }
    let comments = Exposition::parse(&comments).map_err(|error| error.to_string())?;
    let mut lines = Diff::default();
    for ((word, name), text) in &comments.metadata {
        let own = found.metadata.get(&(*word, name.clone()));
        let line = |text: &str| format!("# {word} {name} {text}");
        // What is expected has lost the spaces around it.
        let is_same = own.is_some_and(|own| own.trim() == text.trim());
        lines.compare(&line(text), own.map(|own| line(own)), is_same);
    }
    // In the order of what is expected, and then what is too much.
    let mut rest: BTreeMap<_, _> = found
        .samples()
        .iter()
        .filter(|sample| samples.iter().any(|(key, _)| key.name == sample.name))
        .map(|sample| ((&sample.name, &sample.labels), sample))
        .collect();
    for (key, number) in &samples {
        let own = rest.remove(&(&key.name, &key.labels));
        let is_same = own.is_some_and(|own| number.is(own.value));
        lines.compare(&number.line(key), own.map(ParsedSample::to_string), is_same);
    }
    for sample in rest.values() {
        lines.add('+', &sample.to_string());
    }
    Ok(lines.differ.then_some(lines.text))
}

/// A number that is expected.
enum ExpectedValue {
    Any,
    Only(f64),
}

impl ExpectedValue {
    fn of(text: &str) -> Result<Self, String> {
        match text {
            "*" => Ok(Self::Any),
            _ => parse_number(text).map(Self::Only),
        }
    }

    fn is(&self, found: f64) -> bool {
        match self {
            Self::Any => true,
            Self::Only(number) => *number == found || (number.is_nan() && found.is_nan()),
        }
    }

    fn line(&self, key: &SeriesKey) -> String {
        let mut line = String::new();
        let _ = write_key(&mut line, &key.name, &key.labels);
        line.push(' ');
        let _ = match self {
            Self::Any => line.write_char('*'),
            Self::Only(number) => write_number(&mut line, *number),
        };
        line
    }
}

/// The lines of a difference.
#[derive(Default)]
struct Diff {
    text: String,
    differ: bool,
}

impl Diff {
    fn compare(&mut self, expected: &str, found: Option<String>, is_same: bool) {
        if is_same {
            self.add(' ', found.as_deref().unwrap_or(expected));
            return;
        }
        self.add('-', expected);
        if let Some(found) = found {
            self.add('+', &found);
        }
    }

    fn add(&mut self, sign: char, line: &str) {
        self.differ |= sign != ' ';
        let _ = writeln!(self.text, "{sign} {line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: &str, expected: &str, difference: Option<&str>) {
        let found = Exposition::parse(found).unwrap();
        let lines = super::difference(&found, expected).unwrap();
        assert_eq!(lines.as_deref(), difference);
    }

    const FOUND: &str = "# HELP a_total All.\n# TYPE a_total counter\n\
        a_total{x=\"1\",y=\"2\"} 1\na_total{x=\"3\",y=\"\\\"\"} 2.5\nb NaN\nc +Inf\n";

    #[test]
    fn what_is_the_same_however_it_is_written_is_no_difference() {
        for expected in [
            "",
            "b NaN",
            "  c Inf\n\n b * \n",
            "a_total{y=\"2\",x=\"1\"} 1.0\na_total{y=\"\\\"\", x=\"3\",} 25e-1",
            "# TYPE a_total counter",
            "# HELP a_total All.\n# another comment\nb *\n# EOF",
        ] {
            check(FOUND, expected, None);
        }
    }

    #[test]
    fn a_difference_is_told_line_by_line() {
        check(FOUND, "b 1", Some("- b 1\n+ b NaN\n"));
        check(FOUND, "c *\nd *", Some("  c +Inf\n- d *\n"));
        check(FOUND, "c -Inf", Some("- c -Inf\n+ c +Inf\n"));
        check(
            FOUND,
            "# TYPE a_total gauge\na_total{x=\"1\",y=\"2\"} 1",
            Some(
                "- # TYPE a_total gauge\n+ # TYPE a_total counter\n  a_total{x=\"1\",y=\"2\"} 1\n\
                 + a_total{x=\"3\",y=\"\\\"\"} 2.5\n",
            ),
        );
        check(FOUND, "# HELP b B.", Some("- # HELP b B.\n"));
    }

    #[test]
    fn a_line_of_a_difference_is_one_that_may_be_expected() {
        let found = Exposition::parse(FOUND).unwrap();
        for sample in found.samples() {
            let line = sample.to_string();
            let read = Exposition::parse(&line).unwrap();
            assert_eq!(read.samples()[0].to_string(), line);
        }
    }

    /// Editors drop spaces at the end of a line, where an exposition has them for a reason.
    #[test]
    fn spaces_at_the_end_of_a_help_text_are_read_and_need_not_be_expected() {
        let found = "# HELP a All. \t\n# HELP b  B\u{a0}\r\n# TYPE a gauge \n";
        let read = Exposition::parse(found).unwrap();
        assert_eq!(read.help("a"), Some("All. \t"));
        assert_eq!(read.help("b"), Some(" B\u{a0}"));
        assert_eq!(read.kind("a"), Some("gauge"));
        check(found, "# HELP a All.\n# HELP b B\n# TYPE a gauge", None);
    }

    #[test]
    fn what_is_no_exposition_is_told_with_its_line() {
        for text in [
            "a",
            "a b",
            "a{",
            "a{b} 1",
            "a{b=\"1\" 1",
            "a{b=\"1\"c=\"2\"} 1",
            "{} 1",
            "a infinity",
            "a 1x",
            "a{b=\"\\x\"} 1",
            "a{b=\"1\",b=\"1\"} 1",
            "\"a\"{\"b\"} 1",
            "a{b=1} 1",
            "=\"1\"",
            "\"",
        ] {
            let error = Exposition::parse(&format!("b 1\n{text}\n")).unwrap_err();
            assert!(error.to_string().starts_with("line 2, "), "{error}");
            assert!(difference(&Exposition::default(), text).is_err(), "{text}");
        }
    }
}
