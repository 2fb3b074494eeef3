//! Checks of metric and label names, and the names that a metric is exported under.

use std::fmt;

use crate::error::Error;
use crate::snapshot::{Desc, Escaping, Kind, is_classic_label, is_classic_metric};

/// Which names a registry accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Names {
    /// Names that every Prometheus reads.
    #[default]
    Classic,
    /// Any text that is not empty.
    Utf8,
}

impl Names {
    /// Checks a metric name. A classic name has letters, digits, `_` and `:`, and does not start
    /// with a digit.
    pub(crate) fn check_metric(self, name: &str) -> Result<(), Error> {
        self.check_name(format_args!("metric name {name:?}"), name)
    }

    /// Checks the prefix of metric names. What follows it need not be a valid name: it may begin
    /// with a digit.
    pub(crate) fn check_prefix(self, prefix: &str) -> Result<(), Error> {
        self.check_name(format_args!("prefix {prefix:?}"), &format!("{prefix}x"))
    }

    /// Checks a name that `described` describes for the error text.
    fn check_name(self, described: fmt::Arguments<'_>, name: &str) -> Result<(), Error> {
        // The name of a counter without its suffix would be empty.
        let is_suffix = Escaping::Underscores.metric_name(name) == "_total";
        let (fault, remedy) = match self {
            _ if is_suffix => (
                "it is only the suffix of a counter".to_owned(),
                "choose another name",
            ),
            Self::Classic if !is_classic_metric(name) => (
                fault(name, |char| char == ':'),
                "use letters, digits, `_` and `:`, without a leading digit",
            ),
            Self::Utf8 if name.is_empty() => ("it is empty".to_owned(), "choose one"),
            _ => return Ok(()),
        };
        Err(Error::invalid_name(format_args!(
            "the {described} is not valid: {fault}; {remedy}"
        )))
    }

    /// Checks the label names of the metric called `metric`: none may be reserved or repeated.
    /// A classic name has letters, digits and `_`, and does not start with a digit.
    pub(crate) fn check_labels(self, metric: &str, labels: &[&str]) -> Result<(), Error> {
        for (position, label) in labels.iter().enumerate() {
            let owner = format!("of the metric {metric:?}");
            self.check_label(&owner, label)?;
            if labels[..position]
                .iter()
                .any(|other| is_same_when_escaped(other, label))
            {
                return Err(Error::invalid_label(format_args!(
                    "the label name {label:?} {owner} is not valid: it is repeated; \
                     use each label once"
                )));
            }
        }
        Ok(())
    }

    /// Checks a label name as each escaping scheme writes it. `owner` describes, for the error
    /// text, what the label belongs to.
    pub(crate) fn check_label(self, owner: &str, label: &str) -> Result<(), Error> {
        // As it is exported for a Prometheus that reads classic names only.
        let escaped = Escaping::Underscores.label_name(label);
        let (fault, remedy) = if self == Self::Classic && !is_classic_label(label) {
            let remedy = "use letters, digits and `_`, without a leading digit";
            (fault(label, |_| false), remedy)
        } else if label.is_empty() {
            ("it is empty".to_owned(), "choose one")
        } else if escaped.starts_with("__") {
            let fault = "names that start with `__` are reserved by Prometheus";
            (fault.to_owned(), "remove the underscores")
        } else if Escaping::Dots.label_name(label) == "__name__" {
            let fault = "with dots written as `_dot_` it would be the metric name";
            (fault.to_owned(), "choose another name")
        } else if matches!(&*escaped, "le" | "quantile") {
            let fault = "Prometheus reserves it for the buckets of histograms and summaries";
            (fault.to_owned(), "choose another name")
        } else {
            return Ok(());
        };
        Err(Error::invalid_label(format_args!(
            "the label name {label:?} {owner} is not valid: {fault}; {remedy}"
        )))
    }
}

/// Returns true if some escaping scheme writes two label names the same.
pub(crate) fn is_same_when_escaped(one: &str, other: &str) -> bool {
    let mut schemes = Escaping::ALL.into_iter();
    schemes.any(|scheme| scheme.label_name(one) == scheme.label_name(other))
}

/// Returns every name that some exposition format uses for such a metric.
///
/// Two metrics of one registry must have no such name in common, or one name would have two
/// meanings in a scrape.
pub(crate) fn exported_names(name: &str, kind: Kind) -> Vec<String> {
    let desc = Desc::new(name, "", kind);
    let suffixes: &[&str] = match kind {
        Kind::Counter => &["", "_total", "_created"],
        Kind::Gauge => &[""],
        Kind::Histogram => &["", "_bucket", "_sum", "_count", "_created"],
    };
    let mut names = Vec::new();
    for scheme in Escaping::ALL {
        let exposed = scheme.metric_name(desc.exposed_name());
        let base = match kind {
            // In OpenMetrics, the family of a counter has no suffix.
            Kind::Counter => exposed.strip_suffix("_total").unwrap_or(&exposed),
            Kind::Gauge | Kind::Histogram => &*exposed,
        };
        for suffix in suffixes {
            let name = [base, suffix].concat();
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// Returns what is wrong with a name that is not classic.
fn fault(name: &str, is_also_valid: impl Fn(char) -> bool) -> String {
    if name.starts_with(|char: char| char.is_ascii_digit()) {
        return "it starts with a digit".into();
    }
    let is_invalid =
        |char: &char| !(char.is_ascii_alphanumeric() || *char == '_' || is_also_valid(*char));
    match name.chars().find(is_invalid) {
        Some(char) => format!("it contains {char:?}"),
        None => "it is empty".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classic_metric_names_pass_and_others_are_refused_with_the_fault() {
        for name in ["a", "_", "http_requests_total", "node:cpu:rate5m", "A9"] {
            assert_eq!(Names::Classic.check_metric(name), Ok(()), "{name}");
        }
        for (name, fault) in [
            ("", "empty"),
            ("_total", "suffix"),
            ("9a", "digit"),
            ("a-b", "'-'"),
            ("größe", "'ö'"),
            ("a\nb", r"'\n'"),
            ("a\0", r"'\0'"),
        ] {
            let error = Names::Classic.check_metric(name).unwrap_err();
            assert!(error.is_invalid_name());
            assert!(error.to_string().contains(fault), "{error}");
        }
    }

    #[test]
    fn label_names_that_are_malformed_reserved_or_repeated_are_refused() {
        assert_eq!(
            Names::Classic.check_labels("m", &["method", "_x", "a9"]),
            Ok(())
        );
        for labels in [
            &[""][..],
            &["a:b"],
            &["9"],
            &["a\"b"],
            &["__name__"],
            &["le"],
            &["quantile"],
            &["a", "a"],
        ] {
            let error = Names::Classic.check_labels("m", labels).unwrap_err();
            assert!(error.is_invalid_label(), "{labels:?}");
        }
    }

    #[test]
    fn any_text_is_a_name_if_utf_8_is_allowed_unless_it_is_reserved() {
        for name in ["http.requests", "größe", "9a", "a\nb\"", " "] {
            assert_eq!(Names::Utf8.check_metric(name), Ok(()));
            assert_eq!(Names::Utf8.check_labels("m", &[name]), Ok(()));
        }
        for name in ["", "_total", ".total"] {
            assert!(Names::Utf8.check_metric(name).is_err());
        }
        for labels in [
            &[""][..],
            &["..a"],
            &["__a"],
            &["le"],
            &["-name-"],
            &["a.b", "a_b"],
            &["a.b", "U__a_2e_b"],
        ] {
            assert!(Names::Utf8.check_labels("m", labels).is_err(), "{labels:?}");
        }
        let printed = exported_names("http.requests", Kind::Counter);
        for name in [
            "http.requests_total",
            "http_requests_total",
            "http_requests",
            "U__http_2e_requests__total",
        ] {
            assert!(printed.iter().any(|printed| printed == name), "{printed:?}");
        }
    }

    #[test]
    fn names_that_any_scheme_writes_the_same_have_an_exported_name_in_common() {
        #[track_caller]
        fn check(one: (&str, Kind), other: (&str, Kind)) {
            let (one, other) = (
                exported_names(one.0, one.1),
                exported_names(other.0, other.1),
            );
            assert!(
                one.iter().any(|name| other.contains(name)),
                "{one:?} {other:?}"
            );
        }
        check(("x.total", Kind::Counter), ("x_total", Kind::Gauge));
        check(("x.total", Kind::Counter), ("x_created", Kind::Gauge));
        check(("a.b", Kind::Gauge), ("U__a_2e_b", Kind::Gauge));
        check(("a.b", Kind::Gauge), ("a_dot_b", Kind::Gauge));
        check(("a.b", Kind::Histogram), ("a_b_bucket", Kind::Gauge));
        assert!(is_same_when_escaped("a.b", "a_dot_b") && is_same_when_escaped("a.b", "a-b"));
        assert!(!is_same_when_escaped("a.b", "a_c"));
    }

    #[test]
    fn a_counter_is_exported_the_same_with_and_without_its_suffix() {
        assert_eq!(
            exported_names("x", Kind::Counter),
            exported_names("x_total", Kind::Counter)
        );
        for name in ["x.total", "x-total", "x total", "x/total"] {
            assert_eq!(
                exported_names(name, Kind::Counter),
                exported_names("x", Kind::Counter),
                "{name}"
            );
        }
        for (name, exposed) in [
            ("a:total", "a:total_total"),
            ("subtotal", "subtotal_total"),
            ("total", "total_total"),
            ("a.b.total", "a.b_total"),
        ] {
            assert_eq!(Desc::new(name, "", Kind::Counter).exposed_name(), exposed);
        }
    }
}
