//! Which names are taken, and by what.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::error::Error;
use crate::metric::{Instrument, Label, Metric, SeriesSet, printed_names};
use crate::registry::itself;
use crate::registry::source::Source;
use crate::snapshot::{Kind, Labels};

/// A metric of a registry.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) metric: Metric,
    /// The collector that computes it, and which of its families it is.
    pub(super) source: Option<(Arc<Source>, usize)>,
}

/// The metrics of a registry by name, and every name that they print.
pub(super) struct Entries {
    metrics: BTreeMap<String, Entry>,
    /// Each printed name, and the metric that prints it.
    printed: HashMap<String, String>,
}

impl Entries {
    pub(super) fn new() -> Self {
        let mut entries = Self {
            metrics: BTreeMap::new(),
            printed: HashMap::new(),
        };
        for (name, kind) in itself::NAMES {
            entries.reserve(name, kind);
        }
        entries
    }

    pub(super) fn get(&self, name: &str) -> Option<&Metric> {
        self.metrics.get(name).map(|entry| &entry.metric)
    }

    /// Returns the collector of the metric `name`, if it has one.
    #[cfg(feature = "system")]
    pub(super) fn source(&self, name: &str) -> Option<Arc<Source>> {
        let (source, _) = self.metrics.get(name)?.source.as_ref()?;
        Some(Arc::clone(source))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.metrics.values()
    }

    /// Returns the set under `name`, if there is one, when it is of this kind
    /// and has these labels and, if any are asked for, these settings.
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
        let conflict = |there: &str, asked: &str, remedy: &str| {
            Err(Error::conflict(format_args!(
                "the metric {name:?} is there {there} and was asked for {asked}: {remedy}, \
                 or choose another name"
            )))
        };
        let Some(set) = entry.metric.set::<M>() else {
            let (there, asked) = (entry.metric.kind(), M::KIND);
            if entry.source.is_some() {
                let asked = format!("as a {asked} to record in");
                return conflict("as a collector's", &asked, "let the collector compute it");
            }
            if there == asked {
                let asked = format!("as a {asked} to move");
                let remedy = "read it through `Registry::get`";
                return conflict(
                    &format!("as a {there} that moves by itself"),
                    &asked,
                    remedy,
                );
            }
            let remedy = format!("ask for a {there}");
            return conflict(&format!("as a {there}"), &format!("as a {asked}"), &remedy);
        };
        let names = entry.metric.label_names();
        let asked: Vec<_> = labels.iter().map(|label| label.name).collect();
        if names.len() != asked.len() || !names.iter().all(|name| asked.contains(name)) {
            return conflict(
                &format!("with the labels {names:?}"),
                &format!("with {asked:?}"),
                "give the same labels, in any order",
            );
        }
        if set.constant() != constant {
            return conflict(
                &format!("with the registry's labels {{{}}}", set.constant().as_str()),
                &format!("with {{{}}}", constant.as_str()),
                "ask through a handle of the same labels",
            );
        }
        if !set.limits().allow(labels) {
            return conflict(
                &format!("with the labels {:?}", set.limits().rules()),
                &format!("with {labels:?}"),
                "allow them the same values, give their names alone",
            );
        }
        match settings {
            Some(settings) if settings != set.settings() => conflict(
                &format!("with {:?}", set.settings()),
                &format!("with {settings:?}"),
                "give the same, leave them out",
            ),
            _ => Ok(Some(set)),
        }
    }

    /// Adds a metric under a name that `find` did not find.
    pub(super) fn insert(&mut self, metric: Metric) -> Result<(), Error> {
        self.insert_all(vec![Entry {
            metric,
            source: None,
        }])
    }

    /// Adds all these metrics, or none.
    pub(super) fn insert_all(&mut self, entries: Vec<Entry>) -> Result<(), Error> {
        let mut new = HashMap::new();
        for entry in &entries {
            let (name, kind) = (entry.metric.name(), entry.metric.kind());
            for printed in printed_names(name, kind) {
                let there = self.printed.get(&printed).or(new.get(&printed));
                if let Some(there) = there {
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
        self.printed.extend(new);
        for entry in entries {
            self.metrics.insert(entry.metric.name().to_owned(), entry);
        }
        Ok(())
    }

    fn reserve(&mut self, name: &str, kind: Kind) {
        for printed in printed_names(name, kind) {
            self.printed.insert(printed, name.to_owned());
        }
    }
}
