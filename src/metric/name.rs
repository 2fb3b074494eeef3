//! Which names Prometheus reads, and which ones a metric is printed under.

use crate::error::Error;
use crate::snapshot::Kind;

/// Checks a metric's name: letters, digits, `_` and `:`, no digit first.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let fault = match name {
        // A counter's name without its suffix would be empty.
        "_total" => Some("it is a counter's suffix alone".into()),
        _ => fault(name, |byte| byte == b':'),
    };
    match fault {
        None => Ok(()),
        Some(fault) => Err(Error::invalid_name(format_args!(
            "the metric name {name:?} is not valid: {fault}; \
             use letters, digits, `_` and `:`, and no digit first"
        ))),
    }
}

/// Checks the label names of the metric called `metric`: letters, digits and
/// `_`, no digit first, none reserved, none twice.
pub(crate) fn check_labels(metric: &str, labels: &[&str]) -> Result<(), Error> {
    for (position, label) in labels.iter().enumerate() {
        let owner = format!("of the metric {metric:?}");
        check_label(&owner, label)?;
        if labels[..position].contains(label) {
            return Err(Error::invalid_label(format_args!(
                "the label name {label:?} {owner} is not valid: it is there twice; \
                 give each label once"
            )));
        }
    }
    Ok(())
}

/// Checks the name of a label; `owner` says, in an error, whose it is.
pub(crate) fn check_label(owner: &str, label: &str) -> Result<(), Error> {
    let (fault, remedy) = if let Some(fault) = fault(label, |_| false) {
        (fault, "use letters, digits and `_`, and no digit first")
    } else if label.starts_with("__") {
        let fault = "names that begin with `__` are Prometheus's own";
        (fault.to_owned(), "drop the underscores")
    } else if matches!(label, "le" | "quantile") {
        let fault = "Prometheus keeps it for the buckets of histograms and summaries";
        (fault.to_owned(), "choose another name")
    } else {
        return Ok(());
    };
    Err(Error::invalid_label(format_args!(
        "the label name {label:?} {owner} is not valid: {fault}; {remedy}"
    )))
}

/// Returns every name that some exposition format prints for such a metric.
///
/// Two metrics of one registry must have none in common, or a scrape would hold
/// two meanings of one name.
pub(crate) fn printed_names(name: &str, kind: Kind) -> Vec<String> {
    let with = |base: &str, suffixes: &[&str]| {
        suffixes
            .iter()
            .map(|suffix| format!("{base}{suffix}"))
            .collect()
    };
    match kind {
        // OpenMetrics names a counter's family without the suffix.
        Kind::Counter => with(
            name.strip_suffix("_total").unwrap_or(name),
            &["", "_total", "_created"],
        ),
        Kind::Gauge => with(name, &[""]),
        Kind::Histogram => with(name, &["", "_bucket", "_sum", "_count", "_created"]),
    }
}

/// Says what is wrong with a name, if anything is.
fn fault(name: &str, also: impl Fn(u8) -> bool) -> Option<String> {
    let first = name.chars().next();
    match first {
        None => Some("it is empty".into()),
        Some(digit) if digit.is_ascii_digit() => Some("it begins with a digit".into()),
        Some(_) => name
            .chars()
            .find(|&char| {
                let byte = u8::try_from(char).unwrap_or(0);
                !(byte.is_ascii_alphanumeric() || byte == b'_' || also(byte))
            })
            .map(|char| format!("it contains {char:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classic_metric_names_pass_and_others_are_refused_with_the_fault() {
        for name in ["a", "_", "http_requests_total", "node:cpu:rate5m", "A9"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
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
            let error = check_name(name).unwrap_err();
            assert!(error.is_invalid_name());
            assert!(error.to_string().contains(fault), "{error}");
        }
    }

    #[test]
    fn label_names_that_are_malformed_reserved_or_repeated_are_refused() {
        assert_eq!(check_labels("m", &["method", "_x", "a9"]), Ok(()));
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
            let error = check_labels("m", labels).unwrap_err();
            assert!(error.is_invalid_label(), "{labels:?}");
        }
    }

    #[test]
    fn a_counter_prints_alike_with_and_without_its_suffix() {
        assert_eq!(
            printed_names("x", Kind::Counter),
            printed_names("x_total", Kind::Counter)
        );
    }
}
