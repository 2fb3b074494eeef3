//! Which names are taken, and by what.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::error::Error;
use crate::metric::{Instrument, Metric, SeriesSet, printed_names};
use crate::registry::gather::INVALID_OBSERVATIONS;
use crate::snapshot::Kind;

/// The metrics of a registry by name, and every name that they print.
pub(super) struct Entries {
    metrics: BTreeMap<String, Metric>,
    /// Each printed name, and the metric that prints it.
    printed: HashMap<String, String>,
}

impl Entries {
    pub(super) fn new() -> Self {
        let mut entries = Self {
            metrics: BTreeMap::new(),
            printed: HashMap::new(),
        };
        entries.reserve(INVALID_OBSERVATIONS, Kind::Counter);
        entries
    }

    pub(super) fn get(&self, name: &str) -> Option<&Metric> {
        self.metrics.get(name)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Metric> {
        self.metrics.values()
    }

    /// Returns the set under `name`, if there is one, when it is of this kind
    /// and has these labels and, if any are asked for, these settings.
    pub(super) fn find<M: Instrument>(
        &self,
        name: &str,
        labels: &[&str],
        settings: Option<&M::Settings>,
    ) -> Result<Option<Arc<SeriesSet<M>>>, Error> {
        let Some(metric) = self.get(name) else {
            return Ok(None);
        };
        let there = metric.kind();
        let Some(set) = metric.set::<M>() else {
            return Err(Error::conflict(format_args!(
                "the metric {name:?} is there as a {there} and was asked for as a {}: \
                 ask for a {there}, or choose another name",
                M::KIND
            )));
        };
        let names = metric.label_names();
        if names.len() != labels.len() || !names.iter().all(|name| labels.contains(name)) {
            return Err(Error::conflict(format_args!(
                "the metric {name:?} is there with the labels {names:?} and was asked for with \
                 {labels:?}: give the same labels, in any order, or choose another name"
            )));
        }
        match settings {
            Some(settings) if settings != set.settings() => Err(Error::conflict(format_args!(
                "the metric {name:?} is there with {:?} and was asked for with {settings:?}: \
                 give the same, leave them out, or choose another name",
                set.settings()
            ))),
            _ => Ok(Some(set)),
        }
    }

    /// Adds a metric under a name that `find` did not find.
    pub(super) fn insert(&mut self, metric: Metric) -> Result<(), Error> {
        let (name, kind) = (metric.name().to_owned(), metric.kind());
        for printed in printed_names(&name, kind) {
            if let Some(other) = self.printed.get(&printed) {
                return Err(Error::conflict(format_args!(
                    "the {kind} {name:?} would be printed as {printed:?}, which the metric \
                     {other:?} already is: rename one of them"
                )));
            }
        }
        self.reserve(&name, kind);
        self.metrics.insert(name, metric);
        Ok(())
    }

    fn reserve(&mut self, name: &str, kind: Kind) {
        for printed in printed_names(name, kind) {
            self.printed.insert(printed, name.to_owned());
        }
    }
}
