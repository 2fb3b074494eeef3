//! Several registries that are read as one.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Error;
use crate::metric::printed_names;
use crate::registry::Registry;
use crate::registry::gather::Gather;
use crate::registry::metric_table::{MetricEntry, SeriesGroup};
use crate::snapshot::Labels;

/// The registries that a merged handle reads in addition to its own.
#[derive(Default)]
pub(super) struct AdditionalRegistries {
    pub(super) registries: Vec<Registry>,
    /// Whether they were found to have no conflict. Those found before are errors.
    is_checked: AtomicBool,
    /// How many series were left out of readings, by the metric's name.
    skipped: Mutex<BTreeMap<String, u64>>,
}

/// The metrics of several registries under their names.
pub(super) struct MergedMetrics {
    pub(super) entries: Vec<Arc<MetricEntry>>,
    /// The names of metrics whose series may be the same in several registries.
    pub(super) overlapping: HashSet<String>,
    /// The metrics of later registries that conflict with those of earlier ones.
    pub(super) conflicts: Vec<(Arc<MetricEntry>, Error)>,
}

impl Registry {
    /// Returns a handle that reads several registries as one: its exports, summary, lint,
    /// boards and rules are about the metrics of all of them, and so is a
    /// [`MetricsRouter`](crate::MetricsRouter) that serves it.
    ///
    /// Families with the same name, kind, label names and help text become one family. The
    /// registries' metrics about themselves, which begin with `tachometer_`, are added up.
    /// New metrics of the handle are those of the first registry.
    ///
    /// This reads all registries once to check for conflicts, and so calls their collectors.
    /// If a conflict appears later, scrapes leave out the series of the later registry, and
    /// count it in `tachometer_invalid_observations_total`. A warning names the metric once.
    /// (Of two help texts, the first is used.)
    ///
    /// Registries that have the same family need constant labels with different values, or a
    /// scrape keeps the labels of the family's series in memory to find duplicates.
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
    /// If no registry is given, if a name means different things in two of them, or if two of
    /// them have the same series ([`Error::is_conflict`]).
    pub fn merged<'a>(registries: impl IntoIterator<Item = &'a Self>) -> Result<Self, Error> {
        let mut all: Vec<Self> = Vec::new();
        for registry in registries.into_iter().flat_map(Self::registries) {
            if !all
                .iter()
                .any(|known| Arc::ptr_eq(&known.inner, &registry.inner))
            {
                all.push(registry.without_additional());
            }
        }
        if all.is_empty() {
            return Err(Error::conflict(
                "there is no registry to merge: give at least one",
            ));
        }
        let first = all.remove(0);
        let others = Arc::new(AdditionalRegistries {
            registries: all,
            ..AdditionalRegistries::default()
        });
        let merged = Self {
            additional: Some(Arc::clone(&others)),
            ..first
        };
        merged.check_conflicts()?;
        others.is_checked.store(true, Ordering::Relaxed);
        Ok(merged)
    }

    /// Returns the registries that are read through this handle.
    pub(super) fn registries(&self) -> impl Iterator<Item = &Self> {
        let others = self.additional.iter();
        [self]
            .into_iter()
            .chain(others.flat_map(|others| &others.registries))
    }

    /// Returns the labels of the metrics that the registry has about itself: the constant labels
    /// of this handle, as far as the other registries' handles have them, too.
    pub(crate) fn self_metric_labels(&self) -> Labels {
        let others = self.additional.iter().flat_map(|others| &others.registries);
        let others: Vec<Vec<_>> = others
            .map(|registry| registry.scope.labels().pairs().collect())
            .collect();
        let own = self.scope.labels();
        let common: Vec<_> = own
            .pairs()
            .filter(|pair| others.iter().all(|other| other.contains(pair)))
            .collect();
        Labels::new(common.iter().map(|(name, value)| (&**name, &**value)))
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
        let mut merged: BTreeMap<String, Arc<MetricEntry>> = BTreeMap::new();
        let mut merge = MergedMetrics {
            entries: Vec::new(),
            overlapping: HashSet::new(),
            conflicts: Vec::new(),
        };
        let parts: Vec<_> = self.registries().collect();
        for (position, registry) in parts.iter().enumerate() {
            let new: Vec<_> = registry.table().iter().cloned().collect();
            for entry in new {
                let name = entry.desc().name();
                if let Err(error) = check_entry(&entry, &merged, &parts[..position]) {
                    merge.conflicts.push((entry, error));
                } else if let Some(there) = merged.get_mut(name) {
                    Arc::make_mut(there).groups.extend_from_slice(&entry.groups);
                    if !there.are_disjoint() {
                        merge.overlapping.insert(name.to_owned());
                    }
                } else {
                    merged.insert(name.to_owned(), entry);
                }
            }
        }
        merge.entries = merged.into_values().collect();
        merge
    }

    /// Checks that the registries have no conflict now.
    fn check_conflicts(&self) -> Result<(), Error> {
        let merge = self.merged_metrics();
        if let Some((_, error)) = merge.conflicts.into_iter().next() {
            return Err(error);
        }
        for entry in merge.entries {
            let mut helps = entry.groups.iter().map(|part| part.set.desc().help());
            let first = helps.next().unwrap_or_default();
            if let Some(other) = helps.find(|help| *help != first) {
                return Err(Error::conflict(format_args!(
                    "the metric {:?} has the help text {first:?} in one registry and {other:?} in \
                     another: give it the same text, or choose another name",
                    entry.desc().name()
                )));
            }
        }
        let mut gather = Gather::new(self);
        gather.by_ref().for_each(drop);
        gather.duplicate().map_or(Ok(()), |(metric, labels)| {
            Err(duplicate_error(metric, labels))
        })
    }
}

/// Checks that a registry's metric can be read beside those that were merged of earlier
/// registries.
fn check_entry(
    entry: &MetricEntry,
    merged: &BTreeMap<String, Arc<MetricEntry>>,
    earlier: &[&Registry],
) -> Result<(), Error> {
    let (name, kind) = (entry.desc().name(), entry.desc().kind());
    if let Some(there) = merged.get(name) {
        return check_same_metric(entry, there);
    }
    for printed in printed_names(name, kind) {
        for registry in earlier {
            let entries = registry.table();
            let owner = entries
                .owner_of_printed(&printed)
                .and_then(|owner| entries.get(owner));
            let kept = owner.and_then(|owner| merged.get(owner.desc().name()));
            // One that was left out itself prints nothing.
            let is_kept = |kept: &&Arc<MetricEntry>| {
                Some(kept.desc().kind()) == owner.map(|owner| owner.desc().kind())
            };
            if let Some(kept) = kept.filter(is_kept) {
                return Err(Error::conflict(format_args!(
                    "the {kind} {name:?} would be printed as {printed:?}, which the metric \
                     {:?} of another registry already is: rename one of them",
                    kept.desc().name()
                )));
            }
        }
    }
    Ok(())
}

fn check_same_metric(entry: &MetricEntry, there: &MetricEntry) -> Result<(), Error> {
    let (name, kind) = (entry.desc().name(), entry.desc().kind());
    if kind != there.desc().kind() {
        return Err(Error::conflict(format_args!(
            "the metric {name:?} is a {} in one registry and a {kind} in another: rename one of \
             them",
            there.desc().kind()
        )));
    }
    let labels = |entry: &MetricEntry| entry.groups.iter().find_map(SeriesGroup::label_names);
    match (labels(there), labels(entry)) {
        (Some(first), Some(other)) if first != other => Err(Error::conflict(format_args!(
            "the metric {name:?} has the labels {first:?} in one registry and {other:?} in \
             another: give it the same labels, or rename one of them"
        ))),
        _ => Ok(()),
    }
}

/// Returns the error about a series that two registries have. It names no value of a label,
/// which may come from a client.
fn duplicate_error(metric: &str, labels: &Labels) -> Error {
    let names: Vec<_> = labels.pairs().map(|(name, _)| name.into_owned()).collect();
    Error::conflict(format_args!(
        "two registries have the same series of the metric {metric:?}, with the labels \
         {names:?}: give the handles of one of them a constant label with another value, or \
         register the metric in one registry only"
    ))
}

impl AdditionalRegistries {
    /// Counts the series of a metric that conflicts with one of an earlier registry.
    pub(super) fn skip_metric(&self, entry: &MetricEntry, conflict: &Error) {
        let series = entry.groups.iter().map(SeriesGroup::stored_series).sum();
        self.skip(entry.desc().name(), series, || conflict.to_string());
    }

    /// Counts a series that an earlier registry has too.
    pub(super) fn skip_duplicate(&self, metric: &str, labels: &Labels) {
        self.skip(metric, 1, || duplicate_error(metric, labels).to_string());
    }

    /// Counts series of a metric that were left out, and warns of the first.
    fn skip(&self, metric: &str, series: u64, why: impl FnOnce() -> String) {
        if series == 0 || !self.is_checked.load(Ordering::Relaxed) {
            return;
        }
        let is_new = {
            let mut left_out = self.lock_skipped();
            let is_new = !left_out.contains_key(metric);
            *left_out.entry(metric.to_owned()).or_default() += series;
            is_new
        };
        if is_new {
            tracing::warn!(
                metric,
                reason = why(),
                "series of a metric are left out, since they conflict with those of another \
                 registry; `tachometer_invalid_observations_total` counts them"
            );
        }
    }

    /// Returns how many series were left out so far, by the metric's name.
    pub(super) fn skipped_series(&self) -> BTreeMap<String, u64> {
        self.lock_skipped().clone()
    }

    fn lock_skipped(&self) -> MutexGuard<'_, BTreeMap<String, u64>> {
        // The map is complete after every step, even if another thread panicked.
        self.skipped.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
