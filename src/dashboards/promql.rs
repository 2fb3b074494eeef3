//! Queries of Prometheus, put together of texts.

use std::collections::BTreeSet;
use std::fmt;

use crate::dashboards::roles::{Found, Roles};
use crate::snapshot::{Role, is_classic_label, is_classic_metric, push_quoted};

/// A range of time that ends now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    minutes: u32,
}

impl Window {
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

/// Writes a duration of PromQL in the largest unit that fits.
impl fmt::Display for Window {
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

/// The label that tells the value of a new series from its increase, in queries only.
const NEW: &str = "tachometer_new";

/// The series of a metric that have certain labels.
#[derive(Debug, Clone)]
pub(super) struct Series<'a> {
    metric: &'a Found,
    suffix: &'static str,
    matchers: Vec<Matcher>,
}

impl<'a> Series<'a> {
    pub(super) fn of(metric: &'a Found) -> Self {
        Self {
            metric,
            suffix: "",
            matchers: matchers(&metric.targets).collect(),
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

    /// Returns the increase of each counter, with the value at which a new series began.
    pub(super) fn increase_from_zero(&self, window: Window, roles: &Roles) -> String {
        let increase = format!("increase({self}[{window}])");
        let value = format!("max_over_time({self}[{window}])");
        self.or_value_if_new(&increase, &value, window, roles)
    }

    /// Returns the rate of each counter, with the value at which a new series began.
    pub(super) fn rate_from_zero(&self, window: Window, roles: &Roles) -> String {
        let rate = self.rate(&window.to_string());
        let value = format!("max_over_time({self}[{window}]) / {}", window.seconds());
        self.or_value_if_new(&rate, &value, window, roles)
    }

    /// Returns the change of each counter, or the value of a new one if that is larger.
    ///
    /// The functions of PromQL count what follows the first sample of a series. What came
    /// before it is known if the series is new: it did not exist at the start of the window,
    /// and either the process started later or the target was scraped at that time. Otherwise
    /// the series may be missing because of a gap in scraping, and its value may be the total
    /// of a long-lived process.
    ///
    /// The value of a new series is exact, unless there is a reset in the window. Then the
    /// value and the change are both lower bounds.
    fn or_value_if_new(&self, change: &str, value: &str, window: Window, roles: &Roles) -> String {
        let start = roles.get(Role::ProcessStart);
        let scraped = format!("up offset {window} == 1");
        let is_known = match start.map(Series::of) {
            // The minimum, since the window may have samples of several processes.
            Some(start) => format!(
                "min_over_time({start}[{window}]) > time() - {} or {scraped}",
                window.seconds()
            ),
            None => scraped,
        };
        let and = self.and_of_target(start);
        let new = format!("{value} unless {self} offset {window} {and} ({is_known})");
        let new = format!("label_replace({new}, \"{NEW}\", \"1\", \"\", \"\")");
        Keep::AllBut(&[NEW]).each("max", &format!("{change} or {new}"))
    }

    /// Returns the operator that keeps the series whose target has one on its right side:
    /// of `up`, or of another metric of the registry without labels.
    ///
    /// All labels of the target must match, since `job` and `instance` may be the same in two
    /// clusters.
    fn and_of_target(&self, other: Option<&Found>) -> String {
        let other = other.into_iter().flat_map(|other| &other.constant);
        let labels = self.metric.labels.iter().chain(&self.metric.constant);
        let labels: BTreeSet<_> = labels.chain(other).map(String::as_str).collect();
        if labels.is_empty() {
            return "and".into();
        }
        // Prometheus evaluates a rule as it prints it, and quotes labels here only since its
        // pull request 17687.
        if !labels.iter().all(|label| is_classic_label(label)) {
            return "and on (job, instance)".into();
        }
        let labels: Vec<_> = labels.into_iter().collect();
        format!("and ignoring ({})", labels.join(", "))
    }
}

impl fmt::Display for Series<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = format!("{}{}", self.metric.name, self.suffix);
        f.write_str(&selector(&name, self.matchers.iter().cloned()))
    }
}

/// A label, an operator, and the text to which it compares the value.
type Matcher = (String, &'static str, String);

/// Returns the matchers of the targets that have these labels.
fn matchers(targets: &[(String, String)]) -> impl Iterator<Item = Matcher> {
    let targets = targets.iter().cloned();
    targets.map(|(label, value)| (label, "=", value))
}

/// Returns what selects the series of a recording rule, of the targets that have these labels.
pub(super) fn recorded(name: &str, targets: &[(String, String)]) -> String {
    selector(name, matchers(targets))
}

fn selector(name: &str, matchers: impl Iterator<Item = Matcher>) -> String {
    // As Prometheus 3 reads names that are not classic.
    let is_classic = is_classic_metric(name);
    let unusual = (!is_classic).then(|| quoted(name));
    let matchers =
        matchers.map(|(label, is, value)| format!("{}{is}{}", label_name(&label), quoted(&value)));
    let parts: Vec<_> = unusual.into_iter().chain(matchers).collect();
    let name = if is_classic { name } else { "" };
    if parts.is_empty() {
        return name.to_owned();
    }
    format!("{name}{{{}}}", parts.join(","))
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
