//! The metrics of a registry by name, and the names that they print.

use std::collections::{HashMap, HashSet};
use std::fmt::{self, Debug};
use std::sync::Arc;

use crate::error::{Conflict, Error};
use crate::metric::{
    AnySet, Instrument, Label, Metric, SeriesSet, desc_of, exported_names, set_of,
};
use crate::registry::registered_collector::RegisteredCollector;
use crate::registry::self_metrics;
use crate::snapshot::{Desc, Kind, Labels};

/// All series with the same metric name.
#[derive(Clone)]
pub(super) struct MetricEntry {
    /// At least one group. Within one registry, each has different constant labels.
    pub(super) groups: Vec<SeriesGroup>,
}

/// The series of a metric that have the same constant labels.
#[derive(Clone)]
pub(super) struct SeriesGroup {
    /// The constant labels, sorted by name.
    constant: Labels,
    pub(super) set: Arc<dyn AnySet>,
    /// The collector that computes the series, and the index of the family in it.
    pub(super) collector: Option<(Arc<RegisteredCollector>, usize)>,
}

/// Metrics, sorted by name.
#[derive(Clone, Default)]
pub(super) struct SortedMetrics(Vec<Arc<MetricEntry>>);

/// The metrics of a registry by name, and every name that they print.
pub(super) struct MetricTable {
    metrics: SortedMetrics,
    /// Each printed name, and the name of the metric that prints it.
    printed: HashMap<String, String>,
    /// All collectors, those without a family too.
    collectors: Vec<Arc<RegisteredCollector>>,
}

impl SortedMetrics {
    pub(super) fn get(&self, name: &str) -> Option<&Arc<MetricEntry>> {
        let position = self.position(name).ok()?;
        self.0.get(position)
    }

    /// Adds a metric, or its groups to the metric of the same name, and returns that metric.
    pub(super) fn add(&mut self, entry: Arc<MetricEntry>) -> &MetricEntry {
        let position = match self.position(entry.desc().name()) {
            Ok(position) => {
                let groups = &mut Arc::make_mut(&mut self.0[position]).groups;
                groups.extend_from_slice(&entry.groups);
                position
            }
            Err(position) => {
                self.0.insert(position, entry);
                position
            }
        };
        &self.0[position]
    }

    pub(super) fn into_vec(self) -> Vec<Arc<MetricEntry>> {
        self.0
    }

    /// Returns the position of a metric, or the one at which it would be inserted.
    fn position(&self, name: &str) -> Result<usize, usize> {
        self.0
            .binary_search_by(|entry| entry.desc().name().cmp(name))
    }
}

impl MetricEntry {
    /// Returns the description of the first group that has a help text, or of the first group.
    pub(super) fn desc(&self) -> &Arc<Desc> {
        desc_of(&self.groups, |group| &group.set)
    }

    pub(super) fn metric(&self) -> Metric {
        Metric::new(self.groups.iter().map(|group| Arc::clone(&group.set)))
    }

    /// Returns the library that creates the series, if another library does.
    pub(super) fn library(&self) -> Option<&'static str> {
        self.groups[0].set.library()
    }

    /// Returns the group that has these constant labels, in any order.
    pub(super) fn group(&self, constant: &Labels) -> Option<&SeriesGroup> {
        let constant = constant.sorted();
        self.groups.iter().find(|group| group.constant == constant)
    }

    /// Returns true if no two groups can contain the same series: all have the same constant
    /// label names, with different values.
    pub(super) fn has_disjoint_groups(&self) -> bool {
        let mut seen = HashSet::new();
        let names = self.groups[0].constant_names();
        self.groups
            .iter()
            .all(|group| group.constant_names() == names && seen.insert(group.constant.canonical()))
    }

    /// Checks that a group of this kind with these constant labels can be added. `labels` are
    /// the names of its other labels, or `None` if they are not known yet.
    pub(super) fn check_new_group(
        &self,
        kind: Kind,
        constant: &Labels,
        labels: Option<&[&str]>,
    ) -> Result<(), Error> {
        if self.desc().kind() != kind {
            return Err(self.kind_conflict(kind));
        }
        // All groups of a registry have constant labels with the same names.
        let names = label_names(&constant.sorted());
        let existing = self.groups[0].constant_names();
        if existing != names {
            return Err(self.conflict(
                Conflict::Labels,
                format_args!("with the constant labels {existing:?}"),
                format_args!("with {names:?}"),
                "use a handle whose constant labels have the same names",
            ));
        }
        let mut stored = self.groups.iter().filter(|group| group.has_fixed_labels());
        match (labels, stored.next()) {
            (Some(labels), Some(group)) => self.check_labels(group, labels),
            _ => Ok(()),
        }
    }

    /// Checks that a group has these labels, and that they allow the same values.
    fn check_limits(&self, group: &SeriesGroup, labels: &[Label<'_>]) -> Result<(), Error> {
        self.check_labels(group, &names_of(labels))?;
        match group.set.limits() {
            Some(limits) if !limits.allow(labels) => Err(self.conflict(
                Conflict::Labels,
                format_args!("with the labels {:?}", limits.rules()),
                format_args!("with {labels:?}"),
                "allow the same values, pass the label names only",
            )),
            _ => Ok(()),
        }
    }

    fn check_labels(&self, group: &SeriesGroup, labels: &[&str]) -> Result<(), Error> {
        let names = group.set.label_names();
        if are_same_names(names, labels) {
            return Ok(());
        }
        Err(self.conflict(
            Conflict::Labels,
            format_args!("with the labels {names:?}"),
            format_args!("with {labels:?}"),
            "pass the same labels, in any order",
        ))
    }

    /// Returns why a group does not contain a set of the instruments that are requested.
    fn type_conflict(&self, group: &SeriesGroup, requested: Kind) -> Error {
        let existing = self.desc().kind();
        if group.collector.is_some() {
            return self.conflict(
                Conflict::Metric,
                format_args!("by a collector"),
                format_args!("as a {requested} to record in"),
                "let the collector compute it",
            );
        }
        if let Some(library) = group.set.library() {
            return self.conflict(
                Conflict::Metric,
                format_args!("as a {existing}{}", by_library(library)),
                format_args!("as a {requested} of this crate"),
                &format!("record it with `{library}`"),
            );
        }
        if existing == requested {
            return self.conflict(
                Conflict::Metric,
                format_args!("as a {existing} that updates itself"),
                format_args!("as a {requested} to update"),
                "read it through `Registry::get`",
            );
        }
        self.kind_conflict(requested)
    }

    pub(super) fn kind_conflict(&self, requested: Kind) -> Error {
        let existing = self.desc().kind();
        self.conflict(
            Conflict::Metric,
            format_args!("as a {existing}"),
            format_args!("as a {requested}"),
            &format!("request a {existing}"),
        )
    }

    fn settings_conflict(&self, existing: &dyn Debug, requested: &dyn Debug) -> Error {
        self.conflict(
            Conflict::Buckets,
            format_args!("with {existing:?}"),
            format_args!("with {requested:?}"),
            "pass the same, leave them out",
        )
    }

    pub(super) fn conflict(
        &self,
        conflict: Conflict,
        existing: fmt::Arguments<'_>,
        requested: fmt::Arguments<'_>,
        remedy: &str,
    ) -> Error {
        let name = self.desc().name();
        Error::conflict(
            conflict,
            format_args!(
                "the metric {name:?} is already registered {existing} and was requested \
                 {requested}"
            ),
            format_args!("{remedy}, or choose another name"),
        )
    }
}

impl SeriesGroup {
    /// Makes the group of a registered metric, or of a family that a collector computes.
    pub(super) fn new(
        set: Arc<dyn AnySet>,
        collector: Option<(Arc<RegisteredCollector>, usize)>,
    ) -> Self {
        Self {
            constant: set.constant_labels().sorted(),
            set,
            collector,
        }
    }

    /// Returns the names of the constant labels, sorted.
    fn constant_names(&self) -> Vec<String> {
        label_names(&self.constant)
    }

    /// Returns the number of stored series. A family that a collector computes counts as one,
    /// since this must not run the collector.
    pub(super) fn stored_series(&self) -> u64 {
        if self.collector.is_some() {
            return 1;
        }
        self.set.len() as u64
    }

    /// Returns true if all series have the same label names, which are known.
    fn has_fixed_labels(&self) -> bool {
        self.collector.is_none() && self.set.library().is_none()
    }

    /// Returns the names of all labels of the series; `None` if a collector or another library
    /// chooses them.
    pub(super) fn label_names(&self) -> Option<Vec<String>> {
        if !self.has_fixed_labels() {
            return None;
        }
        let mut names = self.constant_names();
        names.extend(self.set.label_names().iter().map(ToString::to_string));
        Some(names)
    }
}

impl MetricTable {
    pub(super) fn new() -> Self {
        let mut table = Self {
            metrics: SortedMetrics::default(),
            printed: HashMap::new(),
            collectors: Vec::new(),
        };
        for (name, kind) in self_metrics::NAMES {
            for printed in exported_names(name, kind) {
                table.printed.insert(printed, name.to_owned());
            }
        }
        table
    }

    pub(super) fn get(&self, name: &str) -> Option<&Arc<MetricEntry>> {
        self.metrics.get(name)
    }

    /// Returns the counter that is exposed as `name`, such as `jobs_total` for `jobs`.
    pub(super) fn get_exposed(&self, name: &str) -> Option<&Arc<MetricEntry>> {
        let entry = self.get(self.printed_by(name)?)?;
        (entry.desc().exposed_name() == name).then_some(entry)
    }

    /// Returns all metrics, sorted by name.
    pub(super) fn metrics(&self) -> &[Arc<MetricEntry>] {
        &self.metrics.0
    }

    /// Returns the name of the metric that prints the name `printed`.
    pub(super) fn printed_by(&self, printed: &str) -> Option<&str> {
        self.printed.get(printed).map(String::as_str)
    }

    /// Returns the set registered under `name` with these constant labels; `None` if there is
    /// none and one can be added.
    ///
    /// # Errors
    ///
    /// If the set has another kind, other labels or other settings than requested (`None` are
    /// any settings), or if the name belongs to a metric that no such set can be added to.
    pub(super) fn find<M: Instrument>(
        &self,
        name: &str,
        constant: &Labels,
        labels: &[Label<'_>],
        settings: Option<&M::Settings>,
    ) -> Result<Option<Arc<SeriesSet<M>>>, Error> {
        let Some((entry, group)) = self.find_group(name, constant, labels, M::KIND)? else {
            return Ok(None);
        };
        let set = set_of::<M>(&group.set).ok_or_else(|| entry.type_conflict(group, M::KIND))?;
        entry.check_limits(group, labels)?;
        match settings {
            Some(settings) if settings != set.settings() => {
                Err(entry.settings_conflict(set.settings(), settings))
            }
            _ => Ok(Some(set)),
        }
    }

    /// Returns the group with these constant labels, and its metric; `None` if there is none and
    /// one of this kind can be added.
    fn find_group(
        &self,
        name: &str,
        constant: &Labels,
        labels: &[Label<'_>],
        kind: Kind,
    ) -> Result<Option<(&MetricEntry, &SeriesGroup)>, Error> {
        let Some(entry) = self.metrics.get(name) else {
            return Ok(None);
        };
        let group = entry.group(constant);
        if group.is_none() {
            entry.check_new_group(kind, constant, Some(&names_of(labels)))?;
        }
        Ok(group.map(|group| (&**entry, group)))
    }

    /// Returns the help text of the metric registered under `name`, or `new` if it has none.
    pub(super) fn help<'a>(&'a self, name: &str, new: &'a str) -> &'a str {
        let existing = self.metrics.get(name).map(|entry| entry.desc().help());
        existing.filter(|help| !help.is_empty()).unwrap_or(new)
    }

    /// Returns the settings of the metric registered under `name`.
    pub(super) fn settings<M: Instrument>(&self, name: &str) -> Option<M::Settings> {
        let groups = &self.metrics.get(name)?.groups;
        let mut sets = groups.iter().filter_map(|group| set_of::<M>(&group.set));
        sets.next().map(|set| set.settings().clone())
    }

    /// Adds a metric that [`find`](Self::find) did not find.
    pub(super) fn insert(&mut self, set: Arc<dyn AnySet>) -> Result<(), Error> {
        self.insert_all(vec![SeriesGroup::new(set, None)])
    }

    /// Returns all collectors.
    pub(super) fn collectors(&self) -> &[Arc<RegisteredCollector>] {
        &self.collectors
    }

    /// Adds a collector and the groups of its families, or nothing.
    pub(super) fn insert_collector(
        &mut self,
        collector: Arc<RegisteredCollector>,
        groups: Vec<SeriesGroup>,
    ) -> Result<(), Error> {
        self.insert_all(groups)?;
        self.collectors.push(collector);
        Ok(())
    }

    /// Adds all these groups, or none.
    pub(super) fn insert_all(&mut self, groups: Vec<SeriesGroup>) -> Result<(), Error> {
        let mut new_printed = HashMap::new();
        for group in &groups {
            let desc = group.set.desc();
            let joins_metric = self.check_new_group(group)?;
            let all_printed = exported_names(desc.name(), desc.kind());
            for printed in &all_printed {
                let registered = self.printed.get(printed).filter(|_| !joins_metric);
                if let Some(owner) = registered.or(new_printed.get(printed)) {
                    let library = self.get(owner).and_then(|entry| entry.library());
                    return Err(printed_conflict(desc, printed, owner, library));
                }
            }
            for printed in all_printed {
                new_printed.insert(printed, desc.name().to_owned());
            }
        }
        self.printed.extend(new_printed);
        for group in groups {
            let groups = vec![group];
            self.metrics.add(Arc::new(MetricEntry { groups }));
        }
        Ok(())
    }

    /// Returns true if the group can be added to a registered metric, and false if there is no
    /// metric of its name, or the metric has a group with the same constant labels.
    fn check_new_group(&self, group: &SeriesGroup) -> Result<bool, Error> {
        let (desc, constant) = (group.set.desc(), group.set.constant_labels());
        let entry = self.metrics.get(desc.name());
        let Some(entry) = entry.filter(|entry| entry.group(constant).is_none()) else {
            return Ok(false);
        };
        let names = group.set.label_names().iter();
        let names: Vec<_> = names.map(|name| &**name).collect();
        let names = group.has_fixed_labels().then_some(&*names);
        entry.check_new_group(desc.kind(), constant, names)?;
        Ok(true)
    }
}

fn printed_conflict(desc: &Desc, printed: &str, owner: &str, library: Option<&str>) -> Error {
    let (kind, name) = (desc.kind(), desc.name());
    let by = library.map(by_library).unwrap_or_default();
    if name == owner {
        return Error::conflict(
            Conflict::Metric,
            format_args!("the metric {name:?} is already registered{by}"),
            "register it once, or choose another name",
        );
    }
    Error::conflict(
        Conflict::Metric,
        format_args!(
            "the {kind} {name:?} would be printed as {printed:?}, which the metric {owner:?}{by} \
             already is"
        ),
        "rename one of them",
    )
}

/// Returns by whom a metric of another library is registered, for an error text.
pub(super) fn by_library(library: &str) -> String {
    format!(" by a library that uses the crate `{library}`")
}

/// Returns true if two lists have the same names, in any order.
pub(super) fn are_same_names(one: &[impl AsRef<str>], other: &[impl AsRef<str>]) -> bool {
    let is_in_other = |name: &str| other.iter().any(|other| other.as_ref() == name);
    one.len() == other.len() && one.iter().all(|name| is_in_other(name.as_ref()))
}

fn names_of<'a>(labels: &[Label<'a>]) -> Vec<&'a str> {
    labels.iter().map(Label::name).collect()
}

fn label_names(labels: &Labels) -> Vec<String> {
    labels.pairs().map(|(name, _)| name.into_owned()).collect()
}
