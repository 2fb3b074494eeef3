//! Comparison of an exposition with an expected text.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::registry::Registry;
use crate::testing::exposition::{
    Exposition, Sample, SeriesKey, parse_sample, parse_value, write_key, write_value,
};

/// Asserts that the registry exports exactly these series of the metrics that `expected` names,
/// in Prometheus's text format.
///
/// Other metrics are not compared. `HELP` and `TYPE` are compared only if `expected` contains
/// them. The order of lines and labels does not matter, and lines may be indented. A value that
/// is not known in advance, such as a duration, is written as `*`.
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
/// If there is a difference, with the missing and the additional lines, or if `expected` is not
/// a valid exposition.
#[doc(alias("snapshot", "golden"))]
#[track_caller]
pub fn assert_exposition(registry: &Registry, expected: &str) {
    let actual = match Exposition::parse(&registry.export_prometheus()) {
        Ok(actual) => actual,
        Err(error) => panic!("the registry's exposition is not valid: {error}"),
    };
    match diff(&actual, expected) {
        Ok(None) => {}
        Ok(Some(lines)) => panic!("- expected, + found:\n{lines}"),
        Err(error) => panic!("the expected text is not valid: {error}"),
    }
}

/// Returns the lines of a diff, or `None` if there is no difference.
///
/// # Errors
///
/// If a line of `expected` is not valid.
fn diff(actual: &Exposition, expected: &str) -> Result<Option<String>, String> {
    let (mut comments, mut samples) = (String::new(), Vec::new());
    for line in expected.lines().map(str::trim) {
        if line.starts_with('#') {
            let _ = writeln!(comments, "{line}");
        } else if !line.is_empty() {
            let invalid = |reason: String| format!("{line:?}: {reason}");
            let (key, value) = parse_sample(line).map_err(invalid)?;
            samples.push((key, ExpectedValue::parse(value).map_err(invalid)?));
        }
    }
    let comments = Exposition::parse(&comments).map_err(|error| error.to_string())?;
    let mut diff = Diff::default();
    for ((keyword, name), text) in &comments.metadata {
        let actual = actual.metadata.get(&(*keyword, name.clone()));
        let line = |text: &str| format!("# {keyword} {name} {text}");
        // Leading and trailing spaces of the expected text were trimmed.
        let is_equal = actual.is_some_and(|actual| actual.trim() == text.trim());
        diff.compare(&line(text), actual.map(|actual| line(actual)), is_equal);
    }
    // First the expected samples in their order, then the additional ones.
    let mut remaining: BTreeMap<_, _> = actual
        .samples
        .iter()
        .filter(|sample| samples.iter().any(|(key, _)| key.name == sample.name))
        .map(|sample| ((&sample.name, &sample.labels), sample))
        .collect();
    for (key, value) in &samples {
        let actual = remaining.remove(&(&key.name, &key.labels));
        let is_equal = actual.is_some_and(|actual| value.matches(actual.value));
        diff.compare(&value.line(key), actual.map(Sample::to_string), is_equal);
    }
    for sample in remaining.values() {
        diff.add('+', &sample.to_string());
    }
    Ok(diff.has_difference.then_some(diff.text))
}

enum ExpectedValue {
    Any,
    Exactly(f64),
}

impl ExpectedValue {
    fn parse(text: &str) -> Result<Self, String> {
        match text {
            "*" => Ok(Self::Any),
            _ => parse_value(text).map(Self::Exactly),
        }
    }

    fn matches(&self, actual: f64) -> bool {
        match self {
            Self::Any => true,
            Self::Exactly(value) => *value == actual || (value.is_nan() && actual.is_nan()),
        }
    }

    fn line(&self, key: &SeriesKey) -> String {
        let mut line = String::new();
        let _ = write_key(&mut line, &key.name, &key.labels);
        line.push(' ');
        let _ = match self {
            Self::Any => line.write_char('*'),
            Self::Exactly(value) => write_value(&mut line, *value),
        };
        line
    }
}

/// The lines of a diff, also those without a difference.
#[derive(Default)]
struct Diff {
    text: String,
    has_difference: bool,
}

impl Diff {
    fn compare(&mut self, expected: &str, actual: Option<String>, is_equal: bool) {
        if is_equal {
            self.add(' ', actual.as_deref().unwrap_or(expected));
            return;
        }
        self.add('-', expected);
        if let Some(actual) = actual {
            self.add('+', &actual);
        }
    }

    fn add(&mut self, sign: char, line: &str) {
        self.has_difference |= sign != ' ';
        let _ = writeln!(self.text, "{sign} {line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(actual: &str, expected: &str, difference: Option<&str>) {
        let actual = Exposition::parse(actual).unwrap();
        let lines = diff(&actual, expected).unwrap();
        assert_eq!(lines.as_deref(), difference);
    }

    const ACTUAL: &str = "# HELP a_total All.\n# TYPE a_total counter\n\
        a_total{x=\"1\",y=\"2\"} 1\na_total{x=\"3\",y=\"\\\"\"} 2.5\nb NaN\nc +Inf\n";

    #[test]
    fn order_indentation_and_notation_make_no_difference() {
        for expected in [
            "",
            "b NaN",
            "  c Inf\n\n b * \n",
            "a_total{y=\"2\",x=\"1\"} 1.0\na_total{y=\"\\\"\", x=\"3\",} 25e-1",
            "# TYPE a_total counter",
            "# HELP a_total All.\n# another comment\nb *\n# EOF",
        ] {
            check(ACTUAL, expected, None);
        }
    }

    #[test]
    fn a_difference_is_shown_line_by_line() {
        check(ACTUAL, "b 1", Some("- b 1\n+ b NaN\n"));
        check(ACTUAL, "c *\nd *", Some("  c +Inf\n- d *\n"));
        check(ACTUAL, "c -Inf", Some("- c -Inf\n+ c +Inf\n"));
        check(
            ACTUAL,
            "# TYPE a_total gauge\na_total{x=\"1\",y=\"2\"} 1",
            Some(
                "- # TYPE a_total gauge\n+ # TYPE a_total counter\n  a_total{x=\"1\",y=\"2\"} 1\n\
                 + a_total{x=\"3\",y=\"\\\"\"} 2.5\n",
            ),
        );
        check(ACTUAL, "# HELP b B.", Some("- # HELP b B.\n"));
    }

    #[test]
    fn a_displayed_sample_can_be_parsed() {
        let actual = Exposition::parse(ACTUAL).unwrap();
        for sample in &actual.samples {
            let line = sample.to_string();
            let parsed = Exposition::parse(&line).unwrap();
            assert_eq!(parsed.samples[0].to_string(), line);
        }
    }

    /// Editors remove trailing spaces, which a help text may contain.
    #[test]
    fn trailing_spaces_of_a_help_text_are_parsed_but_not_compared() {
        let actual = "# HELP a All. \t\n# HELP b  B\u{a0}\r\n# TYPE a gauge \n";
        let parsed = Exposition::parse(actual).unwrap();
        assert_eq!(parsed.help("a"), Some("All. \t"));
        assert_eq!(parsed.help("b"), Some(" B\u{a0}"));
        assert_eq!(parsed.kind("a"), Some("gauge"));
        check(actual, "# HELP a All.\n# HELP b B\n# TYPE a gauge", None);
    }

    #[test]
    fn an_invalid_line_is_an_error_with_its_number() {
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
            assert!(error.is_invalid_exposition());
            assert!(error.to_string().starts_with("line 2, "), "{error}");
            assert!(diff(&Exposition::default(), text).is_err(), "{text}");
        }
    }
}
