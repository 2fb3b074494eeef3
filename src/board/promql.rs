//! Queries of Prometheus, put together of texts.

use std::fmt::{self, Write};

use crate::board::roles::Found;
use crate::snapshot::{is_classic_label, is_classic_metric, push_quoted};

/// The series of a metric that have certain labels.
#[derive(Debug, Clone)]
pub(super) struct Series<'a> {
    metric: &'a Found,
    suffix: &'static str,
    matchers: Vec<(String, &'static str, String)>,
}

impl<'a> Series<'a> {
    pub(super) fn of(metric: &'a Found) -> Self {
        Self {
            metric,
            suffix: "",
            matchers: Vec::new(),
        }
    }

    /// Takes one of the parts of a histogram: `_bucket`, `_sum` or `_count`.
    pub(super) fn part(mut self, suffix: &'static str) -> Self {
        self.suffix = suffix;
        self
    }

    /// Takes only those whose label is as told; of a label without a name, all.
    pub(super) fn with(mut self, label: &str, is: &'static str, value: &str) -> Self {
        if !label.is_empty() {
            self.matchers.push((label.to_owned(), is, value.to_owned()));
        }
        self
    }

    pub(super) fn rate(&self, window: &str) -> String {
        format!("rate({self}[{window}])")
    }

    pub(super) fn increase(&self, window: &str) -> String {
        format!("increase({self}[{window}])")
    }
}

impl fmt::Display for Series<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("{}{}", self.metric.name, self.suffix);
        let mut parts = Vec::new();
        if is_classic_metric(&name) {
            f.write_str(&name)?;
        } else {
            // As Prometheus 3 reads names that are not classic.
            parts.push(quoted(&name));
        }
        for (label, is, value) in &self.matchers {
            parts.push(format!("{}{is}{}", label_name(label), quoted(value)));
        }
        if parts.is_empty() {
            return Ok(());
        }
        write!(f, "{{{}}}", parts.join(","))
    }
}

/// Returns the sum over all labels but these.
pub(super) fn sum_by(labels: &[&str], of: &str) -> String {
    format!("sum{}({of})", by(labels))
}

/// Returns the sum that keeps the labels which no layer has given.
pub(super) fn sum_without(labels: &[&str], of: &str) -> String {
    let labels: Vec<_> = labels.iter().map(|label| label_name(label)).collect();
    format!("sum without ({}) ({of})", labels.join(", "))
}

/// Returns `by` and the labels, or nothing where there are none.
pub(super) fn by(labels: &[&str]) -> String {
    let mut text = String::new();
    for label in labels.iter().filter(|label| !label.is_empty()) {
        let before = if text.is_empty() { " by (" } else { ", " };
        let _ = write!(text, "{before}{}", label_name(label));
    }
    if !text.is_empty() {
        text.push_str(") ");
    }
    text
}

/// Returns which part of a whole this is: 0 where there is a whole and no part, and
/// nothing where there is no whole.
pub(super) fn share(part: &str, whole: &str) -> String {
    format!("({part} or 0 * {whole}) / {whole}")
}

/// Returns a quantile of a histogram's rate.
pub(super) fn quantile(
    quantile: &str,
    buckets: &Series<'_>,
    labels: &[&str],
    window: &str,
) -> String {
    let rate = buckets.clone().part("_bucket").rate(window);
    let labels: Vec<_> = ["le"].iter().chain(labels).copied().collect();
    format!("histogram_quantile({quantile}, {})", sum_by(&labels, &rate))
}

/// Returns a label's name as it stands in a query.
pub(super) fn label_name(name: &str) -> String {
    if is_classic_label(name) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::new();
    push_quoted(&mut quoted, text);
    quoted
}
