//! One series: a cell and its labels.

use std::ptr;
use std::sync::Arc;

use crate::cell::{CounterCell, SeriesState};
use crate::metric::exemplars::{Exemplars, SeriesAddress};
use crate::metric::handle::MetricCell;
use crate::snapshot::{Exemplar, Labels};

/// One label set of a family, and the cell that holds its value.
#[derive(Debug)]
pub(crate) struct Series<C: MetricCell> {
    pub(crate) labels: Labels,
    pub(crate) state: SeriesState,
    pub(crate) cell: C,
    pub(crate) shared: Arc<Shared<C::Settings>>,
}

impl<C: MetricCell> Series<C> {
    /// Counts a value that the instrument did not record.
    #[cold]
    pub(crate) fn count_invalid(&self) {
        self.shared.invalid.add(1);
    }

    /// Returns true if the series was removed and not used since, even if scrapes leave it out
    /// anyway.
    pub(crate) fn is_removed(&self) -> bool {
        self.state.is_removed() && self.cell.is_unset(&self.shared.settings)
    }

    /// Appends the series' exemplars; `index` is the series' index in its block.
    pub(crate) fn read_exemplars(&self, index: usize, exemplars: &mut Vec<Exemplar>) {
        let stored = &self.shared.exemplars;
        stored.read(self.address(), index, exemplars);
    }

    /// Sets the creation time to now and removes the exemplars, after the cell was reset.
    pub(crate) fn restart(&self) {
        self.shared.exemplars.remove(self.address());
        self.state.restart();
    }

    /// Returns the address of the series, which identifies it while it exists.
    pub(crate) fn address(&self) -> SeriesAddress {
        ptr::from_ref(self).addr()
    }
}

/// Another series may get the same address.
impl<C: MetricCell> Drop for Series<C> {
    fn drop(&mut self) {
        self.shared.exemplars.remove(self.address());
    }
}

/// What the series of a family share and need for recording.
#[derive(Debug)]
pub(crate) struct Shared<S> {
    pub(crate) settings: S,
    /// True if the family has labels besides the registry's constant labels.
    pub(crate) has_labels: bool,
    /// How many values were rejected.
    pub(crate) invalid: CounterCell,
    pub(crate) exemplars: Exemplars,
}

impl<S> Shared<S> {
    pub(crate) fn new(settings: S, has_labels: bool) -> Arc<Self> {
        Arc::new(Self {
            settings,
            has_labels,
            invalid: CounterCell::default(),
            exemplars: Exemplars::default(),
        })
    }
}
