//! What the three kinds of metrics have in common.

use std::fmt::Debug;
use std::sync::Arc;

use crate::cell::SeriesState;
use crate::metric::series::{Series, Shared};
use crate::snapshot::{Kind, Labels, Values};

/// A kind of metric that a family can hold.
///
/// It stays inside the crate: counters, gauges and histograms are all there is.
pub(crate) trait Instrument: Clone + Debug + Send + Sync + 'static {
    /// The atomics of one series.
    type Cell: Debug + Send + Sync;
    /// What all series of a family are made with.
    type Settings: Clone + Debug + PartialEq + Send + Sync;
    /// Which kind it is.
    const KIND: Kind;

    /// Returns what a metric of which nothing else is asked is made with, be it
    /// alone or a family with labels.
    fn settings(alone: bool) -> Self::Settings;
    /// Makes the cell of a new series.
    fn cell(settings: &Self::Settings) -> Self::Cell;
    /// Makes an empty block with room for so many such series.
    fn values(settings: &Self::Settings, series: usize) -> Values;
    /// Makes a handle.
    fn from_series(series: Arc<Series<Self::Cell, Self::Settings>>) -> Self;
    /// Returns what the handle holds.
    fn series(&self) -> &Arc<Series<Self::Cell, Self::Settings>>;
    /// Loads what `read` will, and waits for none of it.
    fn fetch(&self) {
        self.series().labels.prefetch();
    }
    /// Appends the series' numbers to a block of its kind.
    fn read(&self, values: &mut Values);
    /// Returns the series' value as one number: of a histogram its count.
    fn total(&self) -> f64;
    /// Sets the series back to zero, unless it says what is under way.
    fn reset_value(&self);
    /// Sets the series back to what it was when it was new, unless it says that
    /// something is under way.
    fn unset(&self);
    /// Returns true when nothing was recorded since the series was vacated.
    fn is_unset(&self) -> bool;

    /// Returns true when the series was removed, and not used since.
    fn is_hidden(&self) -> bool {
        self.series().state.is_removed() && self.is_unset()
    }

    /// Lets the series be shown for good if it is shown now, though it be vacant
    /// afterwards: what is reset was not removed.
    fn keep_visible(&self) {
        if !self.is_hidden() {
            self.series().state.restore();
        }
    }
}

/// Makes a handle for a new series.
pub(crate) fn new_series<M: Instrument>(labels: Labels, shared: &Arc<Shared<M::Settings>>) -> M {
    M::from_series(Arc::new(Series {
        state: SeriesState::new(labels.is_escaped()),
        labels,
        cell: M::cell(&shared.settings),
        shared: Arc::clone(shared),
    }))
}
