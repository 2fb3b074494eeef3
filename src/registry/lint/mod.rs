//! What is wrong with the names of a registry's metrics.

mod rules;
#[cfg(test)]
mod tests;
mod units;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::sync::Arc;

use crate::registry::Registry;
use crate::snapshot::{Desc, Escaping, Labels, SeriesBlock};

/// Something about a metric that `promtool check metrics` complains of.
///
/// As text it says what is wrong and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lint {
    /// The metric's name, as Prometheus's formats print it.
    pub metric: String,
    /// What it breaks.
    pub rule: Rule,
    /// The sentence about it.
    text: String,
}

/// What a metric should keep to, in the order in which [`Registry::lint`] tells of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Rule {
    /// There is a help text.
    Help,
    /// No word of the name is a unit other than Prometheus's base units: seconds,
    /// not minutes or milliseconds; bytes, not bits or kilobytes.
    BaseUnit,
    /// Only a counter's name ends in `_total`.
    Total,
    /// Only a histogram's name ends in `_bucket`, `_count` or `_sum`, and no label is
    /// called `le` or `quantile`.
    Reserved,
    /// No word of the name, after the first, is a type of metric: `counter`, `gauge`,
    /// `histogram` or `summary`.
    TypeInName,
    /// The name has no `:`, which is left to recording rules.
    Colon,
    /// The names of the metric and of its labels are not written in camelCase.
    SnakeCase,
    /// No word of the name, after the first, is an abbreviated unit, as `ms` and `mb`.
    Abbreviation,
    /// No two series have the same labels.
    Duplicate,
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What there is to check of a family.
struct LintedFamily {
    desc: Arc<Desc>,
    /// The names of its labels.
    labels: BTreeSet<String>,
    /// Its series so far.
    series: HashSet<Labels>,
    /// Those that came once more.
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

    /// Notes label names that the family is known to have, as text 0.0.4 has them.
    fn add_label_names(&mut self, names: impl IntoIterator<Item = impl AsRef<str>>) {
        for name in names {
            let name = Escaping::Underscores.label_name(name.as_ref());
            if !self.labels.contains(&*name) {
                self.labels.insert(name.into_owned());
            }
        }
    }

    /// Notes the series of a block.
    fn add_series(&mut self, block: &SeriesBlock) {
        for labels in &block.labels {
            self.add_label_names(labels.pairs().map(|(name, _)| name));
            if !self.series.insert(labels.clone()) {
                self.duplicates.push(labels.clone());
            }
        }
    }
}

impl Registry {
    /// Returns what `promtool check metrics` would complain of, sorted by metric and
    /// rule, for a test to assert that there is nothing.
    ///
    /// It goes over all metrics of the registry, also those without a series yet,
    /// which no scrape shows. It reads them as a scrape does, and so calls the
    /// collectors.
    ///
    /// Versions of promtool differ in two rules. Where a name has several units, or
    /// the name of a type other than its own, one version complains and another does
    /// not; here it is always said.
    ///
    /// ```
    /// use tachometer::Registry;
    /// use tachometer::registry::Rule;
    ///
    /// let registry = Registry::new();
    /// registry.histogram("job_seconds", "How long a job takes.")?;
    /// assert_eq!(registry.lint(), []);
    ///
    /// registry.gauge("job_age_minutes", "Age of the oldest job.")?;
    /// let lints = registry.lint();
    /// assert_eq!(lints[0].rule, Rule::BaseUnit);
    /// assert!(lints[0].to_string().contains("seconds"));
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    #[must_use]
    pub fn lint(&self) -> Vec<Lint> {
        let mut families = BTreeMap::new();
        for metric in self.metrics() {
            let family = family(&mut families, metric.desc());
            family.add_label_names(metric.constant_labels().pairs().map(|(name, _)| name));
            family.add_label_names(metric.label_names());
        }
        for block in self.gather() {
            family(&mut families, &block.desc).add_series(&block);
        }
        families.values().flat_map(rules::check).collect()
    }
}

/// Returns the family of that description; a metric may have been registered since
/// the others were listed.
fn family<'a>(
    families: &'a mut BTreeMap<String, LintedFamily>,
    desc: &Arc<Desc>,
) -> &'a mut LintedFamily {
    let name = Escaping::Underscores.metric_name(desc.exposed_name());
    let shown = match &name {
        Cow::Borrowed(_) => Arc::clone(desc),
        // As text 0.0.4 has it, which is what promtool reads.
        Cow::Owned(name) => Arc::new(Desc::new(name, desc.help(), desc.kind())),
    };
    let family = families.entry(name.into_owned());
    family.or_insert_with(|| LintedFamily::new(&shown))
}
