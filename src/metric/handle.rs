//! The handle that every instrument wraps: a shared pointer to one series.

use std::fmt::{self, Debug};
use std::sync;

use crate::cell::{Arc, SeriesState};
use crate::metric::series::{Series, Shared};
use crate::snapshot::{Kind, Labels, SeriesSnapshot, SeriesValue, Values};

/// The atomics of one series, as a family and a registry use them.
pub(crate) trait MetricCell: Debug + Send + Sync + 'static {
    /// What all series of a family have in common, such as the buckets of a histogram.
    type Settings: Clone + Debug + Default + PartialEq + Send + Sync;
    /// The kind of metric that scrapes show.
    const KIND: Kind;
    /// False if a reset or a removal would make the value wrong for good.
    const IS_RESETTABLE: bool = true;
    /// True if a series without a value is hidden even if it was not removed.
    const HIDES_UNSET: bool = false;

    /// Returns the settings of a metric for which the caller gives none.
    fn default_settings(has_labels: bool) -> Self::Settings {
        let _ = has_labels;
        Self::Settings::default()
    }

    fn new(settings: &Self::Settings) -> Self;

    /// Returns an empty buffer for the values of this many series. The default is one for gauges.
    fn empty_values(_: &Self::Settings, series: usize) -> Values {
        Values::Gauge(Vec::with_capacity(series))
    }

    /// Loads what [`read`](Self::read) is going to load, without waiting for it.
    fn prefetch(&self) {}

    /// Appends the series' numbers to a block of its kind; by default, of gauges.
    fn read(&self, settings: &Self::Settings, values: &mut Values) {
        if let Values::Gauge(numbers) = values {
            numbers.push(self.total(settings));
        }
    }

    /// Returns the series' value as one number; for a histogram, its count.
    fn total(&self, settings: &Self::Settings) -> f64;

    /// Sets the value to 0, as a reset by the user does.
    fn set_zero(&self, settings: &Self::Settings) {
        self.unset(settings);
    }

    /// Sets the cell back to its initial state, as a removal of the series does.
    fn unset(&self, settings: &Self::Settings);

    /// Returns true if nothing was recorded since the last [`unset`](Self::unset).
    fn is_unset(&self, settings: &Self::Settings) -> bool;

    /// Returns what was recorded, or `None` if the series never expires.
    fn activity(&self, _: &Self::Settings) -> Option<CellActivity> {
        None
    }

    /// Sets the cell back to its initial state, unless something was recorded since `activity`.
    /// What is recorded at the same time is kept.
    fn unset_if_unchanged(&self, _: &Self::Settings, _activity: &CellActivity) -> bool {
        false
    }
}

/// What was recorded in a cell, to find out later whether anything was recorded since.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct CellActivity {
    pub(crate) words: [u64; 2],
    /// True if something was recorded since this was determined before, even if the words are
    /// the same.
    pub(crate) is_new: bool,
}

/// What was recorded in a series since its creation or its last reset.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Activity {
    created_millis: u64,
    cell: CellActivity,
}

impl Activity {
    /// Returns true if nothing was recorded between this and a later activity, and the series was
    /// not reset.
    pub(crate) fn is_same(&self, later: &Self) -> bool {
        self.created_millis == later.created_millis
            && self.cell.words == later.cell.words
            && !later.cell.is_new
    }

    #[cfg(all(test, not(tachometer_loom)))]
    pub(crate) fn words(&self) -> [u64; 2] {
        self.cell.words
    }
}

/// A newtype of a [`Handle`].
pub(crate) trait AsHandle {
    type Cell: MetricCell<Settings = Self::Settings>;
    type Settings: Clone + Debug + Default + PartialEq + Send + Sync;
    const KIND: Kind = Self::Cell::KIND;

    fn from_handle(handle: Handle<Self::Cell>) -> Self;
    fn handle(&self) -> &Handle<Self::Cell>;
    fn handle_mut(&mut self) -> &mut Handle<Self::Cell>;
}

/// Implements [`AsHandle`] for `struct $instrument(Handle<$cell>)`.
macro_rules! impl_as_handle {
    ($instrument:ident, $cell:ty) => {
        impl $crate::metric::handle::AsHandle for $instrument {
            type Cell = $cell;
            type Settings = <$cell as $crate::metric::handle::MetricCell>::Settings;

            #[inline]
            fn from_handle(handle: $crate::metric::handle::Handle<$cell>) -> Self {
                Self(handle)
            }

            #[inline]
            fn handle(&self) -> &$crate::metric::handle::Handle<$cell> {
                &self.0
            }

            fn handle_mut(&mut self) -> &mut $crate::metric::handle::Handle<$cell> {
                &mut self.0
            }
        }
    };
}
pub(crate) use impl_as_handle;

/// A shared pointer to one series.
pub(crate) struct Handle<C: MetricCell>(Arc<Series<C>>);

impl<C: MetricCell> Handle<C> {
    /// Creates a series without a family or labels.
    pub(crate) fn standalone(settings: C::Settings) -> Self {
        Self::new(Labels::new([]), &Shared::new(settings, false))
    }

    /// Creates a series of a family.
    pub(crate) fn new(labels: Labels, shared: &sync::Arc<Shared<C::Settings>>) -> Self {
        Self(Arc::new(Series {
            state: SeriesState::new(labels.is_escaped()),
            labels,
            cell: C::new(&shared.settings),
            shared: sync::Arc::clone(shared),
        }))
    }

    #[inline]
    pub(crate) fn series(&self) -> &Series<C> {
        &self.0
    }

    /// Returns the series as a shared pointer, which counts as a handle.
    #[cfg(feature = "metrics")]
    pub(crate) fn to_series(&self) -> Arc<Series<C>> {
        Arc::clone(&self.0)
    }

    #[inline]
    pub(crate) fn cell(&self) -> &C {
        &self.0.cell
    }

    #[inline]
    pub(crate) fn settings(&self) -> &C::Settings {
        &self.0.shared.settings
    }

    /// Counts a value that the instrument did not record.
    #[inline]
    pub(crate) fn count_invalid(&self) {
        self.0.count_invalid();
    }

    /// Stores an exemplar for a value that was recorded. Invalid labels are counted as an
    /// invalid value.
    pub(crate) fn store_exemplar(&self, bucket: usize, value: f64, labels: &[(&str, &str)]) {
        let exemplars = &self.0.shared.exemplars;
        if !exemplars.store(self.0.address(), bucket, value, labels) {
            self.count_invalid();
        }
    }

    /// Returns the series' labels, its creation time and a value that was just read.
    pub(crate) fn sample(&self, value: SeriesValue) -> SeriesSnapshot {
        SeriesSnapshot::new(&self.0.labels, self.0.state.created_millis(), value)
    }

    /// Loads what [`read`](Self::read) is going to load, without waiting for it.
    pub(crate) fn prefetch(&self) {
        self.0.labels.prefetch();
        self.0.cell.prefetch();
    }

    /// Appends the series' numbers to a block of its kind.
    pub(crate) fn read(&self, values: &mut Values) {
        self.0.cell.read(self.settings(), values);
    }

    /// Returns the series' value as one number; for a histogram, its count.
    pub(crate) fn total(&self) -> f64 {
        self.0.cell.total(self.settings())
    }

    /// Sets the series to 0. A visible series stays visible.
    pub(crate) fn reset(&self) {
        if !C::IS_RESETTABLE {
            return;
        }
        // Counters and histograms at 0 would otherwise count as unset, and a removed series
        // that came back would be hidden again.
        if !self.is_hidden() {
            self.0.state.restore();
        }
        self.0.cell.set_zero(self.settings());
        self.0.restart();
    }

    /// Hides the series until it is used again. Returns false if another thread uses it at
    /// the same time, so that it is still visible.
    pub(crate) fn remove(&self) -> bool {
        if C::IS_RESETTABLE {
            self.0.cell.unset(self.settings());
            self.0.restart();
        }
        // After the cell was unset: a value that is recorded in between counts as a use after
        // the removal, because the cell is no longer unset.
        self.0.state.remove();
        self.is_hidden()
    }

    /// Returns what was recorded, or `None` if the series never expires.
    pub(crate) fn activity(&self) -> Option<Activity> {
        Some(Activity {
            created_millis: self.0.state.created_millis(),
            cell: self.0.cell.activity(self.settings())?,
        })
    }

    /// Hides the series until it is used again, unless something was recorded since `activity`.
    pub(crate) fn expire(&self, activity: &Activity) -> bool {
        let cell = &self.0.cell;
        let is_expired = cell.unset_if_unchanged(self.settings(), &activity.cell);
        if is_expired {
            self.0.restart();
            // After the cell was unset, as in `remove`.
            self.0.state.remove();
        }
        is_expired
    }

    /// Makes a removed series visible again.
    #[inline]
    pub(crate) fn restore(&self) {
        self.0.state.restore();
    }

    /// Returns true if the series was removed and not used since, even if scrapes leave it out
    /// anyway.
    pub(crate) fn is_removed(&self) -> bool {
        self.0.is_removed()
    }

    /// Returns true if this is the only handle to the series, in lists of series, too. Everything
    /// that other handles recorded is then visible to this thread.
    pub(crate) fn is_only_one(&mut self) -> bool {
        Arc::get_mut(&mut self.0).is_some()
    }

    /// Returns how many handles to the series there are, in lists of series, too.
    pub(crate) fn count(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Returns true if scrapes leave the series out: it was removed and not used since.
    pub(crate) fn is_hidden(&self) -> bool {
        (C::HIDES_UNSET || self.0.state.is_removed()) && self.0.cell.is_unset(self.settings())
    }
}

impl<C: MetricCell> Clone for Handle<C> {
    #[inline]
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// Prints the cell only: the values of labels may come from a client.
impl<C: MetricCell> Debug for Handle<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.cell.fmt(f)
    }
}
