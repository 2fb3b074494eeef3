//! Queries of Prometheus, put together of texts.

use std::fmt;

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

    /// Returns the rate of a histogram's sum, whichever kind of buckets it is stored with.
    pub(super) fn rate_of_sum(&self, window: &str) -> String {
        let classic = self.clone().part("_sum").rate(window);
        if !self.metric.native {
            return classic;
        }
        format!("{classic} or histogram_sum({})", self.rate(window))
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

/// Which labels what is made of several series keeps.
#[derive(Debug, Clone, Copy)]
pub(super) enum Keep<'a> {
    /// These alone.
    Only(&'a [&'a str]),
    /// All but these, so also those that the target has, of which no layer knows.
    AllBut(&'a [&'a str]),
}

impl Keep<'_> {
    /// Returns what `operator` makes of `of`.
    pub(super) fn each(self, operator: &str, of: &str) -> String {
        self.each_and(&[], operator, of)
    }

    pub(super) fn sum(self, of: &str) -> String {
        self.each("sum", of)
    }

    /// Keeps these labels besides.
    fn each_and(self, more: &[&str], operator: &str, of: &str) -> String {
        let names = |labels: &[&str]| {
            let labels = labels.iter().filter(|label| !label.is_empty());
            let names: Vec<_> = labels.map(|label| label_name(label)).collect();
            names.join(", ")
        };
        match self {
            Self::Only([]) if more.is_empty() => format!("{operator}({of})"),
            Self::Only(labels) => {
                let labels = names(&[more, labels].concat());
                format!("{operator} by ({labels}) ({of})")
            }
            Self::AllBut(labels) => format!("{operator} without ({}) ({of})", names(labels)),
        }
    }
}

/// Returns the sum over all labels but these.
pub(super) fn sum_by(labels: &[&str], of: &str) -> String {
    Keep::Only(labels).sum(of)
}

/// Returns which part of a whole this is: 0 where there is a whole and no part, and
/// nothing where there is no whole, of which a part would be no number.
pub(super) fn share(part: &str, whole: &str) -> String {
    format!("({part} or 0 * {whole}) / ({whole} > 0)")
}

/// Returns a quantile of a histogram's rate. Of one with both kinds of buckets, Prometheus
/// stores the exponential ones alone where it takes them, and else the classic ones alone.
pub(super) fn quantile(
    quantile: &str,
    histogram: &Series<'_>,
    keep: Keep<'_>,
    window: &str,
) -> String {
    let of = |sum: &str| format!("histogram_quantile({quantile}, {sum})");
    let buckets = histogram.clone().part("_bucket").rate(window);
    let classic = of(&keep.each_and(&["le"], "sum", &buckets));
    if !histogram.metric.native {
        return classic;
    }
    format!("{classic} or {}", of(&keep.sum(&histogram.rate(window))))
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
