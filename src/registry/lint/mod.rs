//! Checks the names of a registry's metrics as `promtool` does.
//!
//! `promtool` is a program. These checks run in a unit test without it.

mod rules;
#[cfg(test)]
mod tests;
mod units;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::sync::Arc;

use crate::registry::Registry;
use crate::snapshot::{Desc, Escaping, Labels, LabelsView, SeriesBlock};

/// A problem of a metric that `promtool check metrics` reports.
///
/// Its text says what is wrong and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lint {
    metric: String,
    rule: &'static str,
    text: String,
}

impl Lint {
    /// Returns the metric's name, as Prometheus's formats print it.
    #[must_use]
    pub fn metric(&self) -> &str {
        &self.metric
    }

    /// Returns the name of the rule that the metric breaks:
    ///
    /// | name | rule |
    /// | --- | --- |
    /// | `missing_help` | A metric has a help text. |
    /// | `base_unit` | A unit in a name is one of Prometheus's base units: seconds, not minutes or milliseconds; bytes, not bits or kilobytes. |
    /// | `total_suffix` | Only the name of a counter ends in `_total`. |
    /// | `reserved_name` | Only the name of a histogram ends in `_bucket`, `_count` or `_sum`, and no label is called `le` or `quantile`. |
    /// | `type_in_name` | No word of a name, after the first, is `counter`, `gauge`, `histogram` or `summary`. |
    /// | `colon` | A name has no `:`, which is reserved for recording rules. |
    /// | `camel_case` | The names of metrics and labels are not in camelCase. |
    /// | `abbreviated_unit` | No word of a name, after the first, is an abbreviated unit such as `ms` or `mb`. |
    /// | `duplicate_series` | No two series have the same labels. |
    ///
    /// Rules may be added in any release.
    #[must_use]
    pub fn rule(&self) -> &'static str {
        self.rule
    }
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A family to check.
struct LintedFamily {
    desc: Arc<Desc>,
    /// The names of its labels.
    labels: BTreeSet<String>,
    /// The label sets of its series.
    series: HashSet<Labels>,
    /// The label sets that more than one series has.
    duplicates: Vec<Labels>,
}

impl LintedFamily {
    fn new(desc: &Arc<Desc>) -> Self {
        Self {
            desc: Arc::clone(desc),
            labels: BTreeSet::new(),
            series: HashSet::new(),
            duplicates: Vec::new(),
        }
    }

    /// Adds the name of a label, as text format 0.0.4 prints it.
    fn add_label_name(&mut self, name: &str) {
        let name = Escaping::Underscores.label_name(name);
        if !self.labels.contains(&*name) {
            self.labels.insert(name.into_owned());
        }
    }

    /// Adds the names of labels that are rendered.
    fn add_names_of(&mut self, labels: LabelsView<'_>) {
        for (name, _) in labels.pairs() {
            self.add_label_name(&name);
        }
    }

    fn add_series(&mut self, block: &SeriesBlock) {
        for labels in block.labels.iter() {
            self.add_names_of(labels);
            if !self.series.insert(labels.to_labels()) {
                self.duplicates.push(labels.to_labels());
            }
        }
    }
}

impl Registry {
    /// Returns what `promtool check metrics` would report, sorted by metric and rule, so that a
    /// test can assert that there is nothing.
    ///
    /// It checks all metrics of the registry, including those without a series, which no scrape
    /// shows. It reads them like a scrape, and so runs the collectors.
    ///
    /// Versions of promtool differ in two rules: whether they report a name with several units,
    /// and a name with a type other than the metric's. This method always reports both.
    ///
    /// ```
    /// use tachometer::Registry;
    ///
    /// let registry = Registry::new();
    /// registry.histogram("job_seconds", "How long a job takes.")?;
    /// assert_eq!(registry.lint(), []);
    ///
    /// registry.gauge("job_age_minutes", "Age of the oldest job.")?;
    /// let lints = registry.lint();
    /// assert_eq!(lints[0].rule(), "base_unit");
    /// assert!(lints[0].to_string().contains("seconds"));
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    #[must_use]
    #[doc(alias = "promtool")]
    pub fn lint(&self) -> Vec<Lint> {
        let mut families = Vec::new();
        for metric in self.metrics() {
            let family = find_or_add(&mut families, metric.desc());
            family.add_names_of(metric.constant_labels().view());
            for name in metric.label_names() {
                family.add_label_name(name);
            }
        }
        for block in self.gather() {
            // The metric may have been registered after the others were listed.
            find_or_add(&mut families, &block.desc).add_series(&block);
        }
        families.iter().flat_map(rules::check).collect()
    }
}

/// Returns the family with the name that text format 0.0.4 prints, which promtool reads. The
/// families are sorted by this name.
fn find_or_add<'a>(families: &'a mut Vec<LintedFamily>, desc: &Arc<Desc>) -> &'a mut LintedFamily {
    let name = Escaping::Underscores.metric_name(desc.exposed_name());
    let position = families.partition_point(|family| *family.desc.exposed_name() < *name);
    let existing = families.get(position);
    if existing.is_none_or(|family| *family.desc.exposed_name() != *name) {
        let printed = match &name {
            Cow::Borrowed(_) => Arc::clone(desc),
            Cow::Owned(name) => Arc::new(Desc::new(name, desc.help(), desc.kind())),
        };
        families.insert(position, LintedFamily::new(&printed));
    }
    &mut families[position]
}
