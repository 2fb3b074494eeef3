//! Several registries that are read as one.

use std::collections::HashSet;
use std::fmt;
use std::iter;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::{Conflict, Error};
use crate::metric::exported_names;
use crate::registry::Registry;
use crate::registry::block_reader::BlockReader;
use crate::registry::metric_table::{MetricEntry, SeriesGroup, SortedMetrics, are_same_names};
use crate::snapshot::{Labels, LabelsView};

/// The registries that a merged handle reads in addition to its own.
#[derive(Default)]
pub(super) struct AdditionalRegistries {
    pub(super) registries: Vec<Registry>,
    /// Whether the check for conflicts has passed. Before, a conflict is an error and is not
    /// counted.
    is_checked: AtomicBool,
    /// How many series were left out of scrapes, by metric name. Few metrics conflict.
    skipped: Arc<Mutex<Vec<(String, u64)>>>,
}

/// The metrics of several registries, merged by name.
pub(super) struct MergedMetrics {
    pub(super) entries: Vec<Arc<MetricEntry>>,
    /// The names of metrics whose series may be in several registries.
    pub(super) overlapping: HashSet<String>,
    /// The metrics of later registries that conflict with those of earlier ones.
    pub(super) conflicts: Vec<(Arc<MetricEntry>, Error)>,
}

impl Registry {
    /// Returns a handle that reads several registries as one. Its exports, summary, lint,
    /// dashboards and rules cover the metrics of all of them, and so does a
    /// [`MetricsRouter`](crate::MetricsRouter) that serves it.
    ///
    /// Families with the same name, kind, label names and help text, which may be empty in some,
    /// become one family. The
    /// registries' metrics about themselves, which begin with `tachometer_`, are added up.
    /// Metrics registered through the handle are added to the first registry.
    ///
    /// This method reads all registries once to check for conflicts, which runs their collectors.
    /// If a conflict appears later, scrapes leave out the series of the later registry, and
    /// count it in `tachometer_invalid_observations_total`. A warning names the metric once.
    /// (Of two help texts, the first is used.)
    ///
    /// Give registries that have the same family constant labels with different values.
    /// Otherwise a scrape keeps the label sets of that family in memory to find duplicates.
    ///
    /// ```
    /// use tachometer::Registry;
    ///
    /// let (registry, library) = (Registry::new(), Registry::new());
    /// registry.counter_with("jobs_total", "Jobs done.", [("queue", "mail")])?.inc();
    /// library.counter_with("jobs_total", "Jobs done.", [("queue", "image")])?.inc();
    ///
    /// let both = Registry::merged([&registry, &library])?;
    /// assert_eq!(both.get("jobs_total").map(|jobs| jobs.value()), Some(2.0));
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If no registry is given, if two of them use the same name for different metrics, or if
    /// two of them have the same series ([`Error::is_conflict`]).
    pub fn merged<'a>(registries: impl IntoIterator<Item = &'a Self>) -> Result<Self, Error> {
        let mut all: Vec<Self> = Vec::new();
        for registry in registries.into_iter().flat_map(Self::registries) {
            let mut others = all.iter();
            if !others.any(|other| Arc::ptr_eq(&other.inner, &registry.inner)) {
                all.push(registry.without_additional());
            }
        }
        if all.is_empty() {
            return Err(Error::conflict(
                Conflict::Other,
                "there is no registry to merge",
                "pass at least one",
            ));
        }
        let first = all.remove(0);
        let additional = Arc::new(AdditionalRegistries {
            registries: all,
            ..AdditionalRegistries::default()
        });
        let merged = Self {
            additional: Some(Arc::clone(&additional)),
            ..first
        };
        merged.check_conflicts()?;
        additional.is_checked.store(true, Ordering::Relaxed);
        Ok(merged)
    }

    /// Returns the registries that are read through this handle.
    pub(super) fn registries(&self) -> impl Iterator<Item = &Self> {
        iter::once(self).chain(self.additional_registries())
    }

    fn additional_registries(&self) -> &[Self] {
        let additional = self.additional.as_ref();
        additional.map_or(&[], |additional| &additional.registries)
    }

    /// Returns the labels that this handle gives to all series of its metrics.
    #[cfg(any(feature = "metrics", feature = "system"))]
    pub(crate) fn constant_labels(&self) -> &Labels {
        self.scope.labels()
    }

    /// Returns the labels of the registry's metrics about itself: those constant labels that the
    /// handles of all its registries have.
    pub(crate) fn self_metric_labels(&self) -> Labels {
        let mut common: Vec<_> = self.scope.labels().pairs().collect();
        for registry in self.additional_registries() {
            common.retain(|pair| registry.scope.labels().pairs().any(|other| other == *pair));
        }
        Labels::new(common.iter().map(|(name, value)| (&**name, &**value)))
    }

    /// Returns the addresses of the registries that are read through this handle. While it
    /// exists, no other registry has one of them.
    #[cfg(feature = "prometheus")]
    pub(crate) fn addresses(&self) -> impl Iterator<Item = usize> {
        let registries = self.registries();
        registries.map(|registry| Arc::as_ptr(&registry.inner).addr())
    }

    /// Returns a handle to those of its registries for whose address `is_kept` returns true; `None`
    /// if there are none. It counts conflicts with this handle.
    #[cfg(feature = "prometheus")]
    pub(super) fn filter_registries(&self, is_kept: impl Fn(usize) -> bool) -> Option<Self> {
        let registries = iter::zip(self.registries(), self.addresses());
        let kept = registries.filter(|(_, address)| is_kept(*address));
        let mut kept = kept.map(|(registry, _)| registry.without_additional());
        let first = kept.next()?;
        let registries: Vec<_> = kept.collect();
        let additional = self.additional.as_ref().filter(|_| !registries.is_empty());
        let additional = additional.map(|all| AdditionalRegistries {
            registries,
            is_checked: AtomicBool::new(all.is_checked.load(Ordering::Relaxed)),
            skipped: Arc::clone(&all.skipped),
        });
        Some(Self {
            additional: additional.map(Arc::new),
            ..first
        })
    }

    /// Returns a handle that reads this registry without the others.
    fn without_additional(&self) -> Self {
        Self {
            additional: None,
            ..self.clone()
        }
    }

    /// Returns the metrics of all registries that are read through this handle.
    pub(super) fn merged_metrics(&self) -> MergedMetrics {
        let mut entries = SortedMetrics::default();
        let mut overlapping = HashSet::new();
        let mut conflicts = Vec::new();
        let registries: Vec<_> = self.registries().collect();
        for (position, registry) in registries.iter().enumerate() {
            let new = registry.table().metrics().to_vec();
            for entry in new {
                if let Err(error) = check_entry(&entry, &entries, &registries[..position]) {
                    conflicts.push((entry, error));
                } else if !entries.add(Arc::clone(&entry)).has_disjoint_groups() {
                    overlapping.insert(entry.desc().name().to_owned());
                }
            }
        }
        MergedMetrics {
            entries: entries.into_vec(),
            overlapping,
            conflicts,
        }
    }

    /// Checks that the registries have no conflict now.
    fn check_conflicts(&self) -> Result<(), Error> {
        let merged = self.merged_metrics();
        if let Some((_, error)) = merged.conflicts.into_iter().next() {
            return Err(error);
        }
        for entry in merged.entries {
            let mut helps = entry.groups.iter().map(|group| group.set.desc().help());
            let first = helps.find(|help| !help.is_empty()).unwrap_or_default();
            if let Some(other) = helps.find(|help| !help.is_empty() && *help != first) {
                let name = entry.desc().name();
                return Err(Error::conflict(
                    Conflict::Other,
                    format_args!(
                        "the metric {name:?} has the help text {first:?} in one registry and \
                         {other:?} in another"
                    ),
                    "give it the same text, or choose another name",
                ));
            }
        }
        let mut reader = BlockReader::new(self);
        reader.by_ref().for_each(drop);
        match reader.duplicate() {
            Some((metric, labels)) => Err(duplicate_error(metric, labels)),
            None => Ok(()),
        }
    }
}

/// Checks that a registry's metric does not conflict with those merged from earlier registries.
fn check_entry(
    entry: &MetricEntry,
    merged: &SortedMetrics,
    earlier: &[&Registry],
) -> Result<(), Error> {
    let (name, kind) = (entry.desc().name(), entry.desc().kind());
    if let Some(existing) = merged.get(name) {
        return check_same_metric(entry, existing);
    }
    for printed in exported_names(name, kind) {
        for registry in earlier {
            let table = registry.table();
            let owner = table.printed_by(&printed).and_then(|name| table.get(name));
            let merged_owner = owner.and_then(|owner| merged.get(owner.desc().name()));
            // An owner that was left out of the merge itself prints nothing.
            let is_same_kind = |merged: &&Arc<MetricEntry>| {
                Some(merged.desc().kind()) == owner.map(|owner| owner.desc().kind())
            };
            if let Some(owner) = merged_owner.filter(is_same_kind) {
                let owner = owner.desc().name();
                return Err(between_registries(
                    format_args!(
                        "the {kind} {name:?} would be printed as {printed:?}, which the metric \
                         {owner:?} of another registry already is"
                    ),
                    "",
                ));
            }
        }
    }
    Ok(())
}

/// Checks that two registries' metrics with the same name have the same kind and labels.
fn check_same_metric(entry: &MetricEntry, existing: &MetricEntry) -> Result<(), Error> {
    let (name, kind) = (entry.desc().name(), entry.desc().kind());
    if kind != existing.desc().kind() {
        let existing = existing.desc().kind();
        return Err(between_registries(
            format_args!(
                "the metric {name:?} is a {existing} in one registry and a {kind} in another"
            ),
            "",
        ));
    }
    let labels = |entry: &MetricEntry| entry.groups.iter().find_map(SeriesGroup::label_names);
    match (labels(existing), labels(entry)) {
        (Some(first), Some(other)) if !are_same_names(&first, &other) => Err(between_registries(
            format_args!(
                "the metric {name:?} has the labels {first:?} in one registry and {other:?} \
                     in another"
            ),
            "give it the same labels, ",
        )),
        _ => Ok(()),
    }
}

/// Returns the error about a series that two registries have. It contains no label value, which
/// may come from a client.
fn duplicate_error(metric: &str, labels: LabelsView<'_>) -> Error {
    let names: Vec<_> = labels.pairs().map(|(name, _)| name.into_owned()).collect();
    Error::conflict(
        Conflict::Other,
        format_args!(
            "two registries have the same series of the metric {metric:?}, with the labels \
             {names:?}"
        ),
        "give the handle of one of them a constant label with another value \
         (`Registry::with_labels`), or register the metric in one registry only",
    )
}

/// Returns the error about a metric of two registries. Each of them may be that of a layer.
fn between_registries(fault: fmt::Arguments<'_>, same: &str) -> Error {
    let remedy = format_args!(
        "{same}rename one of them, or register one of them with a prefix \
         (`Registry::with_prefix`, `MetricsLayer::prefix`, `LlmLayer::prefix`)"
    );
    Error::conflict(Conflict::Other, fault, remedy)
}

impl AdditionalRegistries {
    /// Counts the series of a metric that conflicts with one of an earlier registry.
    pub(super) fn skip_metric(&self, entry: &MetricEntry, conflict: &Error) {
        let series = entry.groups.iter().map(SeriesGroup::stored_series).sum();
        self.skip(entry.desc().name(), series, &|| conflict.to_string());
    }

    /// Counts a series that an earlier registry has as well.
    pub(super) fn skip_duplicate(&self, metric: &str, labels: LabelsView<'_>) {
        self.skip(metric, 1, &|| duplicate_error(metric, labels).to_string());
    }

    /// Counts series of a metric that are left out, and logs a warning for the first.
    fn skip(&self, metric: &str, series: u64, reason: &dyn Fn() -> String) {
        if series == 0 || !self.is_checked.load(Ordering::Relaxed) {
            return;
        }
        let is_first = {
            let mut skipped = self.lock_skipped();
            let existing = skipped.iter_mut().find(|(name, _)| *name == metric);
            let is_first = existing.is_none();
            match existing {
                Some((_, count)) => *count += series,
                None => skipped.push((metric.to_owned(), series)),
            }
            is_first
        };
        if is_first {
            tracing::warn!(
                metric,
                reason = reason(),
                "series of a metric are left out, since they conflict with those of another \
                 registry; `tachometer_invalid_observations_total` counts them"
            );
        }
    }

    /// Returns how many series were left out so far, by metric name.
    pub(super) fn skipped_series(&self) -> Vec<(String, u64)> {
        self.lock_skipped().clone()
    }

    fn lock_skipped(&self) -> MutexGuard<'_, Vec<(String, u64)>> {
        // The list is complete after every step, even if another thread panicked.
        self.skipped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
