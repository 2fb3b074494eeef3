//! Builds PromQL queries as text.

use std::collections::BTreeSet;
use std::fmt;

use crate::dashboards::roles::{PromMetric, Roles};
use crate::snapshot::{Role, is_classic_label, is_classic_metric, push_quoted};

/// A PromQL duration, in minutes.
#[derive(Debug, Clone, Copy)]
pub(super) struct PromDuration {
    minutes: u32,
}

impl PromDuration {
    pub(super) const fn minutes(minutes: u32) -> Self {
        Self { minutes }
    }

    pub(super) const fn hours(hours: u32) -> Self {
        Self::minutes(60 * hours)
    }

    pub(super) const fn days(days: u32) -> Self {
        Self::hours(24 * days)
    }

    fn seconds(self) -> u32 {
        60 * self.minutes
    }
}

/// Formats the duration in the largest unit that divides it.
impl fmt::Display for PromDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HOUR: u32 = 60;
        const DAY: u32 = 24 * HOUR;
        match self.minutes {
            minutes if minutes % DAY == 0 => write!(f, "{}d", minutes / DAY),
            minutes if minutes % HOUR == 0 => write!(f, "{}h", minutes / HOUR),
            minutes => write!(f, "{minutes}m"),
        }
    }
}

/// A label, used only inside queries, that keeps the value of a new series apart from its
/// increase.
const NEW_SERIES_LABEL: &str = "tachometer_new";

/// An instant vector selector: the series of a metric whose labels match.
#[derive(Debug, Clone)]
pub(super) struct Selector<'a> {
    metric: &'a PromMetric,
    suffix: &'static str,
    matchers: Vec<Matcher>,
}

impl<'a> Selector<'a> {
    pub(super) fn new(metric: &'a PromMetric) -> Self {
        Self {
            metric,
            suffix: "",
            matchers: target_matchers(&metric.target_labels).collect(),
        }
    }

    /// Selects a series of a classic histogram: `_bucket`, `_sum` or `_count`.
    pub(super) fn with_suffix(mut self, suffix: &'static str) -> Self {
        self.suffix = suffix;
        self
    }

    /// Adds a label matcher. An empty label name matches everything.
    pub(super) fn match_label(mut self, label: &str, operator: &'static str, value: &str) -> Self {
        if !label.is_empty() {
            self.matchers
                .push((label.to_owned(), operator, value.to_owned()));
        }
        self
    }

    pub(super) fn rate(&self, window: &str) -> String {
        format!("rate({self}[{window}])")
    }

    /// Returns the rate of a histogram's sum, for classic and native histograms.
    pub(super) fn sum_rate(&self, window: &str) -> String {
        let classic = self.clone().with_suffix("_sum").rate(window);
        if !self.metric.has_native_buckets {
            return classic;
        }
        format!("{classic} or histogram_sum({})", self.rate(window))
    }

    /// Returns the increase of each counter, including the first value of a new series.
    pub(super) fn increase_from_zero(&self, window: PromDuration, roles: &Roles) -> String {
        let increase = format!("increase({self}[{window}])");
        let value = format!("max_over_time({self}[{window}])");
        self.or_value_if_new(&increase, &value, window, roles)
    }

    /// Returns the rate of each counter, including the first value of a new series.
    pub(super) fn rate_from_zero(&self, window: PromDuration, roles: &Roles) -> String {
        let rate = self.rate(&window.to_string());
        let value = format!("max_over_time({self}[{window}]) / {}", window.seconds());
        self.or_value_if_new(&rate, &value, window, roles)
    }

    /// Returns the change of each counter, or the value of a new one if that is larger.
    ///
    /// The functions of PromQL count only what follows the first sample of a series. What came
    /// before it is known if the series is new: it did not exist at the start of the window,
    /// and either the process started later or the target was scraped at that time. Otherwise
    /// the series may be missing because of a gap in scraping, and its value may be the total
    /// of a long-lived process.
    ///
    /// The value of a new series is exact, unless there is a reset in the window. Then the
    /// value and the change are both lower bounds.
    fn or_value_if_new(
        &self,
        change: &str,
        value: &str,
        window: PromDuration,
        roles: &Roles,
    ) -> String {
        let start = roles.get(Role::ProcessStart);
        let scraped = format!("up offset {window} == 1");
        let is_known = match start.map(Selector::new) {
            // The minimum, since the window may have samples of several processes.
            Some(start) => format!(
                "min_over_time({start}[{window}]) > time() - {} or {scraped}",
                window.seconds()
            ),
            None => scraped,
        };
        let and = self.and_on_target(start);
        let new = format!("{value} unless {self} offset {window} {and} ({is_known})");
        let new = format!("label_replace({new}, \"{NEW_SERIES_LABEL}\", \"1\", \"\", \"\")");
        Grouping::Without(&[NEW_SERIES_LABEL]).aggregate("max", &format!("{change} or {new}"))
    }

    /// Returns the `and` operator that matches series by target. Its right side is `up` or a
    /// metric of the registry without labels.
    ///
    /// All labels of the target must match, since `job` and `instance` may be the same in two
    /// clusters.
    fn and_on_target(&self, other: Option<&PromMetric>) -> String {
        let other = other.into_iter().flat_map(|other| &other.constant_labels);
        let labels = self
            .metric
            .labels
            .iter()
            .chain(&self.metric.constant_labels);
        let labels: BTreeSet<_> = labels.chain(other).map(String::as_str).collect();
        if labels.is_empty() {
            return "and".into();
        }
        // Prometheus re-parses the rules that it prints, and quotes label names in this place
        // only since its pull request 17687.
        if !labels.iter().all(|label| is_classic_label(label)) {
            return "and on (job, instance)".into();
        }
        let labels: Vec<_> = labels.into_iter().collect();
        format!("and ignoring ({})", labels.join(", "))
    }
}

impl fmt::Display for Selector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("{}{}", self.metric.name, self.suffix);
        f.write_str(&format_selector(&name, self.matchers.iter().cloned()))
    }
}

/// The label, operator and value of a label matcher.
type Matcher = (String, &'static str, String);

/// Returns matchers that select targets with these labels.
fn target_matchers(targets: &[(String, String)]) -> impl Iterator<Item = Matcher> {
    let targets = targets.iter().cloned();
    targets.map(|(label, value)| (label, "=", value))
}

/// Returns the selector of a recording rule, restricted to targets with these labels.
pub(super) fn record_selector(name: &str, targets: &[(String, String)]) -> String {
    format_selector(name, target_matchers(targets))
}

fn format_selector(name: &str, matchers: impl Iterator<Item = Matcher>) -> String {
    // Prometheus 3 accepts a name that is not classic if it is quoted inside the braces.
    let is_classic = is_classic_metric(name);
    let quoted_name = (!is_classic).then(|| quoted(name));
    let matchers = matchers.map(|(label, operator, value)| {
        format!("{}{operator}{}", label_name(&label), quoted(&value))
    });
    let parts: Vec<_> = quoted_name.into_iter().chain(matchers).collect();
    let name = if is_classic { name } else { "" };
    if parts.is_empty() {
        return name.to_owned();
    }
    format!("{name}{{{}}}", parts.join(","))
}

/// The labels that an aggregation keeps.
#[derive(Debug, Clone, Copy)]
pub(super) enum Grouping<'a> {
    /// Only these.
    By(&'a [&'a str]),
    /// All but these. Labels of the target, which the registry does not know, are kept.
    Without(&'a [&'a str]),
}

impl Grouping<'_> {
    /// Returns the aggregation of a query.
    pub(super) fn aggregate(self, operator: &str, query: &str) -> String {
        self.aggregate_keeping(&[], operator, query)
    }

    pub(super) fn sum(self, query: &str) -> String {
        self.aggregate("sum", query)
    }

    /// Returns the aggregation of a query that also keeps the labels in `more`.
    fn aggregate_keeping(self, more: &[&str], operator: &str, query: &str) -> String {
        let names = |labels: &[&str]| {
            let labels = labels.iter().filter(|label| !label.is_empty());
            let names: Vec<_> = labels.map(|label| label_name(label)).collect();
            names.join(", ")
        };
        match self {
            Self::By([]) if more.is_empty() => format!("{operator}({query})"),
            Self::By(labels) => {
                let labels = names(&[more, labels].concat());
                format!("{operator} by ({labels}) ({query})")
            }
            Self::Without(labels) => format!("{operator} without ({}) ({query})", names(labels)),
        }
    }
}

/// Returns the sum by these labels.
pub(super) fn sum_by(labels: &[&str], query: &str) -> String {
    Grouping::By(labels).sum(query)
}

/// Returns `part / whole`. The result is 0 if there is no series for the part, and has no series
/// if the whole is 0 or missing, so it is never NaN.
pub(super) fn ratio(part: &str, whole: &str) -> String {
    format!("({part} or 0 * {whole}) / ({whole} > 0)")
}

/// Returns a quantile of a histogram's rate. If a histogram has both kinds of buckets, Prometheus
/// stores only the native ones if it ingests native histograms, and else only the classic ones.
pub(super) fn quantile(
    quantile: &str,
    histogram: &Selector<'_>,
    grouping: Grouping<'_>,
    window: &str,
) -> String {
    let histogram_quantile = |sum: &str| format!("histogram_quantile({quantile}, {sum})");
    let buckets = histogram.clone().with_suffix("_bucket").rate(window);
    let classic = histogram_quantile(&grouping.aggregate_keeping(&["le"], "sum", &buckets));
    if !histogram.metric.has_native_buckets {
        return classic;
    }
    format!(
        "{classic} or {}",
        histogram_quantile(&grouping.sum(&histogram.rate(window)))
    )
}

/// Returns a label name as queries spell it, in quotes if it is not classic.
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
