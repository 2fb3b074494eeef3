//! Which names are taken, and by what.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::error::Error;
use crate::metric::{AnySet, Instrument, Label, Metric, SeriesSet, printed_names, set_of};
use crate::registry::registered_collector::RegisteredCollector;
use crate::registry::self_metrics;
use crate::snapshot::{Desc, Kind, Labels};

/// All series under one name.
#[derive(Clone)]
pub(super) struct MetricEntry {
    /// At least one. No two have the same constant labels, if they are of one registry.
    pub(super) groups: Vec<SeriesGroup>,
}

/// The series under one name that have the same constant labels.
#[derive(Clone)]
pub(super) struct SeriesGroup {
    /// The constant labels, sorted by name.
    constant: Labels,
    pub(super) set: Arc<dyn AnySet>,
    /// The collector that computes it, and which of its families it is.
    pub(super) collector: Option<(Arc<RegisteredCollector>, usize)>,
}

/// The metrics of a registry by name, and every name that they print.
pub(super) struct MetricTable {
    metrics: BTreeMap<String, Arc<MetricEntry>>,
    /// Each printed name, and the metric that prints it.
    owners: HashMap<String, String>,
}

impl MetricEntry {
    /// Returns what the first part is.
    pub(super) fn desc(&self) -> &Arc<Desc> {
        self.groups[0].set.desc()
    }

    pub(super) fn metric(&self) -> Metric {
        Metric::new(self.groups.iter().map(|part| Arc::clone(&part.set)))
    }

    /// Returns the part that has these constant labels, in any order.
    pub(super) fn group(&self, constant: &Labels) -> Option<&SeriesGroup> {
        let constant = constant.sorted();
        self.groups.iter().find(|part| part.constant == constant)
    }

    /// Returns true if no series of one part can be a series of another, since all parts have
    /// other values of the same constant labels.
    pub(super) fn are_disjoint(&self) -> bool {
        let mut seen = HashSet::new();
        let names = self.groups[0].constant_names();
        self.groups
            .iter()
            .all(|part| part.constant_names() == names && seen.insert(part.constant.canonical()))
    }

    /// Checks that a set of this kind may be another part, and have these constant labels
    /// and, if they are known yet, these labels of its own.
    fn check_new_group(
        &self,
        kind: Kind,
        constant: &Labels,
        labels: Option<&[&str]>,
    ) -> Result<(), Error> {
        let there = self.desc().kind();
        if there != kind {
            return Err(self.conflict(
                &format!("as a {there}"),
                &format!("as a {kind}"),
                &format!("ask for a {there}"),
            ));
        }
        // All parts of a registry have constant labels of the same names.
        let names = label_names(&constant.sorted());
        let first = self.groups[0].constant_names();
        if first != names {
            return Err(self.conflict(
                &format!("with the constant labels {first:?}"),
                &format!("with {names:?}"),
                "ask through a handle whose labels have the same names",
            ));
        }
        let mut stored = self.groups.iter().filter(|part| part.collector.is_none());
        match (labels, stored.next()) {
            (Some(labels), Some(part)) => self.check_labels(part, labels),
            _ => Ok(()),
        }
    }

    fn check_labels(&self, part: &SeriesGroup, labels: &[&str]) -> Result<(), Error> {
        let names = part.set.label_names();
        if names.len() == labels.len() && names.iter().all(|name| labels.contains(&&**name)) {
            return Ok(());
        }
        Err(self.conflict(
            &format!("with the labels {names:?}"),
            &format!("with {labels:?}"),
            "give the same labels, in any order",
        ))
    }

    fn conflict(&self, there: &str, asked: &str, remedy: &str) -> Error {
        Error::conflict(format_args!(
            "the metric {:?} is there {there} and was asked for {asked}: {remedy}, \
             or choose another name",
            self.desc().name()
        ))
    }
}

impl SeriesGroup {
    /// Makes the part of a registered metric, or of a family that a collector computes.
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

    /// Returns how many series are stored; a collector's are not computed for this, and count
    /// as one.
    pub(super) fn stored_series(&self) -> u64 {
        if self.collector.is_some() {
            return 1;
        }
        self.set.len() as u64
    }

    /// Returns the names of all labels that its series have, sorted; `None` if a collector
    /// chooses them.
    pub(super) fn label_names(&self) -> Option<Vec<String>> {
        if self.collector.is_some() {
            return None;
        }
        let own = self.set.label_names().iter().map(ToString::to_string);
        let mut names = self.constant_names();
        names.extend(own);
        names.sort_unstable();
        Some(names)
    }
}

impl MetricTable {
    pub(super) fn new() -> Self {
        let mut entries = Self {
            metrics: BTreeMap::new(),
            owners: HashMap::new(),
        };
        for (name, kind) in self_metrics::NAMES {
            for printed in printed_names(name, kind) {
                entries.owners.insert(printed, name.to_owned());
            }
        }
        entries
    }

    pub(super) fn get(&self, name: &str) -> Option<&Arc<MetricEntry>> {
        self.metrics.get(name)
    }

    /// Returns the counter that is exposed as `name`, such as `jobs_total` of `jobs`.
    pub(super) fn exposed_as(&self, name: &str) -> Option<&Arc<MetricEntry>> {
        let entry = self.get(self.owner_of_printed(name)?)?;
        (entry.desc().exposed_name() == name).then_some(entry)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<MetricEntry>> {
        self.metrics.values()
    }

    /// Returns the name of the metric that is printed under a name.
    pub(super) fn owner_of_printed(&self, printed: &str) -> Option<&str> {
        self.owners.get(printed).map(String::as_str)
    }

    /// Returns the set under `name` with these constant labels, if there is one, when it is
    /// of this kind and has these labels and, if any are asked for, these settings.
    ///
    /// # Errors
    ///
    /// When it has others, or when the name is taken by something beside which the set that
    /// is asked for cannot be.
    pub(super) fn find<M: Instrument>(
        &self,
        name: &str,
        constant: &Labels,
        labels: &[Label<'_>],
        settings: Option<&M::Settings>,
    ) -> Result<Option<Arc<SeriesSet<M>>>, Error> {
        let Some(entry) = self.metrics.get(name) else {
            return Ok(None);
        };
        let names: Vec<_> = labels.iter().map(|label| label.name).collect();
        let Some(part) = entry.group(constant) else {
            entry.check_new_group(M::KIND, constant, Some(&names))?;
            return Ok(None);
        };
        let Some(set) = set_of::<M>(&part.set) else {
            let (there, asked) = (entry.desc().kind(), M::KIND);
            if part.collector.is_some() {
                let asked = format!("as a {asked} to record in");
                let remedy = "let the collector compute it";
                return Err(entry.conflict("as a collector's", &asked, remedy));
            }
            if there == asked {
                return Err(entry.conflict(
                    &format!("as a {there} that moves by itself"),
                    &format!("as a {asked} to move"),
                    "read it through `Registry::get`",
                ));
            }
            return Err(entry.conflict(
                &format!("as a {there}"),
                &format!("as a {asked}"),
                &format!("ask for a {there}"),
            ));
        };
        entry.check_labels(part, &names)?;
        if !set.limits().allow(labels) {
            return Err(entry.conflict(
                &format!("with the labels {:?}", set.limits().rules()),
                &format!("with {labels:?}"),
                "allow them the same values, give their names alone",
            ));
        }
        match settings {
            Some(settings) if settings != set.settings() => Err(entry.conflict(
                &format!("with {:?}", set.settings()),
                &format!("with {settings:?}"),
                "give the same, leave them out",
            )),
            _ => Ok(Some(set)),
        }
    }

    /// Returns the help text that a metric of this name has already, and otherwise `new`.
    pub(super) fn help<'a>(&'a self, name: &str, new: &'a str) -> &'a str {
        let there = self.metrics.get(name);
        there.map_or(new, |entry| entry.desc().help())
    }

    /// Returns the settings that a metric of this name has already.
    pub(super) fn settings<M: Instrument>(&self, name: &str) -> Option<M::Settings> {
        let parts = &self.metrics.get(name)?.groups;
        let mut sets = parts.iter().filter_map(|part| set_of::<M>(&part.set));
        sets.next().map(|set| set.settings().clone())
    }

    /// Adds a metric that `find` did not find.
    pub(super) fn insert(&mut self, set: Arc<dyn AnySet>) -> Result<(), Error> {
        self.insert_all(vec![SeriesGroup::new(set, None)])
    }

    /// Adds all these parts, or none.
    pub(super) fn insert_all(&mut self, parts: Vec<SeriesGroup>) -> Result<(), Error> {
        let mut new = HashMap::new();
        for part in &parts {
            let desc = part.set.desc();
            let (name, kind) = (desc.name(), desc.kind());
            let constant = part.set.constant_labels();
            let there = self.metrics.get(name);
            if let Some(entry) = there.filter(|entry| entry.group(constant).is_none()) {
                let labels = part.set.label_names();
                let labels: Vec<_> = labels.iter().map(|name| &**name).collect();
                let labels = part.collector.is_none().then_some(&*labels);
                entry.check_new_group(kind, constant, labels)?;
            }
            let is_part = there.is_some_and(|entry| entry.group(constant).is_none());
            for printed in printed_names(name, kind) {
                let there = self.owners.get(&printed).filter(|_| !is_part);
                if let Some(there) = there.or(new.get(&printed)) {
                    return Err(Error::conflict(format_args!(
                        "the {kind} {name:?} would be printed as {printed:?}, which the metric \
                         {there:?} already is: rename one of them"
                    )));
                }
            }
            for printed in printed_names(name, kind) {
                new.insert(printed, name.to_owned());
            }
        }
        self.owners.extend(new);
        for part in parts {
            let name = part.set.desc().name().to_owned();
            let entry = self.metrics.entry(name);
            let entry = entry.or_insert_with(|| Arc::new(MetricEntry { groups: Vec::new() }));
            Arc::make_mut(entry).groups.push(part);
        }
        Ok(())
    }
}

fn label_names(labels: &Labels) -> Vec<String> {
    labels.pairs().map(|(name, _)| name.into_owned()).collect()
}
