//! The families of one kind by their names in the facade.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use ::metrics::{Key, Unit};

use crate::bridge::metrics_recorder::exported_labels::ExportedLabels;
use crate::bridge::metrics_recorder::exported_name::exported_name;
use crate::bridge::metrics_recorder::key_cache::{KeyCache, SeriesOf};
use crate::bridge::metrics_recorder::settings::Settings;
use crate::error::{Conflict, Error};
use crate::metric::{HandleCache, Instrument, MAX_LABELS, MixedSet};

/// The longest name of a metric or a label, in bytes.
const MAX_NAME_BYTES: usize = 256;
/// The longest help text, in bytes.
const MAX_HELP_BYTES: usize = 4 * 1024;
/// For how many lists of label names in the facade the series of a name are cached.
const MAX_CACHED_LISTS: usize = 32;

/// The families of one kind, and the handles to their series.
pub(super) struct Families<M: Instrument> {
    names: RwLock<Names<M>>,
    cache: Arc<KeyCache<M>>,
}

type Names<M> = HashMap<Box<str>, Name<M>>;

/// What is known about a name in the facade.
struct Name<M: Instrument> {
    help: Box<str>,
    unit: Option<Unit>,
    /// `None` until the name is recorded.
    family: Option<Result<Arc<Family<M>>, Error>>,
}

struct Family<M: Instrument> {
    set: Arc<MixedSet<M>>,
    /// The lists of label names in the facade whose series are cached.
    cached_lists: Mutex<Vec<Box<[Box<str>]>>>,
}

impl<M: Instrument> Families<M> {
    pub(super) fn new() -> Self {
        Self {
            names: RwLock::default(),
            cache: Arc::new(KeyCache::new()),
        }
    }

    /// Returns the series of a key, or `None` if it is refused. A new family has the settings that
    /// `settings_of` returns for its name.
    #[inline]
    pub(super) fn series(
        &self,
        key: &Key,
        settings: &Settings,
        settings_of: fn(&Settings, &str) -> M::Settings,
    ) -> Option<Arc<SeriesOf<M>>> {
        match self.cache.get(key) {
            Some(series) => Some(series),
            None => self.find_or_create(key, settings, settings_of),
        }
    }

    /// Describes a metric, before or after its first use. The first text and the first unit
    /// count.
    pub(super) fn describe(&self, name: &str, unit: Option<Unit>, help: &str, settings: &Settings) {
        // Macros with a description describe the metric each time.
        let is_known = |name: &Name<M>| {
            (help.is_empty() || !name.help.is_empty()) && (unit.is_none() || name.unit.is_some())
        };
        if help.is_empty() && unit.is_none() || self.names().get(name).is_some_and(is_known) {
            return;
        }
        let mut names = self.names_mut();
        let Ok(entry) = find_or_add(&mut names, name, settings) else {
            return;
        };
        let is_late = entry.unit.is_none() && matches!(entry.family, Some(Ok(_)));
        entry.unit = entry.unit.or(unit);
        if entry.help.is_empty() {
            entry.help = truncate(help, MAX_HELP_BYTES).into();
            if let Some(Ok(family)) = &entry.family {
                family.set.describe(&entry.help);
            }
        }
        drop(names);
        let lacks_unit = || exported_name(name, unit) != exported_name(name, None);
        if is_late && settings.has_unit_suffixes && lacks_unit() {
            tracing::warn!(
                metric = name,
                "the unit of a metric of the `metrics` facade is not part of its name, since it was \
                 described after the first use"
            );
        }
    }

    /// Returns how many handles are cached.
    #[cfg(test)]
    pub(super) fn cached(&self) -> usize {
        self.cache.len()
    }

    #[cold]
    #[inline(never)]
    fn find_or_create(
        &self,
        key: &Key,
        settings: &Settings,
        settings_of: fn(&Settings, &str) -> M::Settings,
    ) -> Option<Arc<SeriesOf<M>>> {
        let family = self.family(key.name(), settings, settings_of);
        let series = family.and_then(|family| self.series_of(&family, key, settings));
        // No lock is held here: the subscriber that gets the warning may record metrics.
        let refuse = |reason: &Error| {
            let name = truncate(key.name(), MAX_NAME_BYTES);
            settings.refusals().refuse(name, 1, reason);
        };
        series.inspect_err(refuse).ok()
    }

    /// Returns the family of a name, and registers it the first time.
    fn family(
        &self,
        name: &str,
        settings: &Settings,
        settings_of: fn(&Settings, &str) -> M::Settings,
    ) -> Result<Arc<Family<M>>, Error> {
        let existing = self.names().get(name).and_then(|name| name.family.clone());
        if let Some(family) = existing {
            return family;
        }
        // The count is exported from the first metric on, at 0.
        settings.refusals();
        let mut names = self.names_mut();
        let entry = find_or_add(&mut names, name, settings)?;
        let (unit, help) = (entry.unit, &entry.help);
        let family = entry.family.get_or_insert_with(|| {
            let unit = unit.filter(|_| settings.has_unit_suffixes);
            let options = settings.options(settings_of(settings, name));
            let exported = exported_name(name, unit);
            let set = settings.registry().mixed_family(&exported, help, options)?;
            // Another name may have registered it.
            set.describe(help);
            let cache: Arc<dyn HandleCache> = Arc::<KeyCache<M>>::clone(&self.cache);
            set.add_cache(Arc::downgrade(&cache));
            Ok(Arc::new(Family {
                set,
                cached_lists: Mutex::default(),
            }))
        });
        family.clone()
    }

    /// Returns the series of a family that a key has, and creates it if it does not exist.
    fn series_of(
        &self,
        family: &Family<M>,
        key: &Key,
        settings: &Settings,
    ) -> Result<Arc<SeriesOf<M>>, Error> {
        let count = key.labels().len();
        if count > MAX_LABELS {
            return Err(Error::invalid_label(format_args!(
                "the metric {:?} has {count} labels: use at most {MAX_LABELS}",
                key.name()
            )));
        }
        let labels = ExportedLabels::new(key, settings.registry().constant_labels());
        if labels.longest_name().len() > MAX_NAME_BYTES {
            return Err(Error::invalid_label(format_args!(
                "the name of a label of the metric {:?} is longer than {MAX_NAME_BYTES} bytes: \
                 shorten it",
                key.name()
            )));
        }
        let Some((series, has_its_labels)) = family.set.get_or_create(&labels.pairs()) else {
            return Err(Error::conflict(
                Conflict::Other,
                format_args!(
                    "the series of the metric {:?} have {} other sets of label names, which is \
                     the limit",
                    key.name(),
                    MixedSet::<M>::MAX_LABEL_SETS
                ),
                "record it with the same label names",
            ));
        };
        let series = series.handle().to_series();
        if has_its_labels && family.is_cached(&labels) {
            self.cache.insert(key, Arc::clone(&series));
        }
        Ok(series)
    }

    fn names(&self) -> RwLockReadGuard<'_, Names<M>> {
        self.names.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn names_mut(&self) -> RwLockWriteGuard<'_, Names<M>> {
        self.names.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Instrument> Family<M> {
    /// Returns true if series with these labels are cached. Any number of lists in the facade may
    /// have the same exported names, so there is a limit.
    fn is_cached(&self, labels: &ExportedLabels<'_>) -> bool {
        let Some(names) = labels.facade_names() else {
            return false;
        };
        let names: Box<[Box<str>]> = names.map(Box::from).collect();
        let mut lists = self
            .cached_lists
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if lists.contains(&names) {
            return true;
        }
        let has_capacity = lists.len() < MAX_CACHED_LISTS;
        if has_capacity {
            lists.push(names);
        }
        has_capacity
    }
}

/// Returns what is known about a name, and adds it if there are not too many.
fn find_or_add<'n, M: Instrument>(
    names: &'n mut Names<M>,
    name: &str,
    settings: &Settings,
) -> Result<&'n mut Name<M>, Error> {
    if name.len() > MAX_NAME_BYTES {
        return Err(Error::invalid_name(format_args!(
            "the metric name {:?} is longer than {MAX_NAME_BYTES} bytes: shorten it",
            truncate(name, MAX_NAME_BYTES)
        )));
    }
    let limit = settings.name_limit;
    if names.len() >= limit && !names.contains_key(name) {
        return Err(Error::conflict(
            Conflict::Other,
            format_args!(
                "the metric {name:?} is refused: the recorder has {limit} names of {}s, which is \
                 its limit",
                M::KIND
            ),
            "raise `MetricsRecorder::name_limit`, or use a label for what differs between the names",
        ));
    }
    Ok(names.entry(name.into()).or_insert_with(|| Name {
        help: Box::default(),
        unit: None,
        family: None,
    }))
}

/// Returns the start of a text that is too long.
fn truncate(text: &str, max_bytes: usize) -> &str {
    let mut end = text.len().min(max_bytes);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}
