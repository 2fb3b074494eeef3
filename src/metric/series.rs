//! One series: a cell and its labels.

use std::ptr;
use std::sync::Arc;

use crate::cell::{CounterCell, SeriesState};
use crate::metric::exemplars::{Exemplars, SeriesAddress};
use crate::snapshot::{Exemplar, Labels, SeriesSnapshot, SeriesValue};

/// One label set of a family, and the cell that counts for it.
#[derive(Debug)]
pub(crate) struct Series<C, S> {
    pub(crate) labels: Labels,
    pub(crate) state: SeriesState,
    pub(crate) cell: C,
    pub(crate) shared: Arc<Shared<S>>,
}

impl<C, S> Series<C, S> {
    /// Keeps an exemplar of a value that was counted, or counts it as invalid.
    pub(crate) fn keep_exemplar(&self, bucket: usize, value: f64, labels: &[(&str, &str)]) {
        let exemplars = &self.shared.exemplars;
        if !exemplars.store(self.address(), bucket, value, labels) {
            self.shared.invalid.add(1);
        }
    }

    /// Appends its exemplars; it is at position `series` of a block.
    pub(crate) fn read_exemplars(&self, series: usize, exemplars: &mut Vec<Exemplar>) {
        let kept = &self.shared.exemplars;
        kept.read(self.address(), series, exemplars);
    }

    /// Begins anew, after its cell was reset.
    pub(crate) fn restart(&self) {
        self.shared.exemplars.remove(self.address());
        self.state.restart();
    }

    /// Returns a value that was just read, with what else is known of the series.
    pub(crate) fn sample(&self, value: SeriesValue) -> SeriesSnapshot {
        SeriesSnapshot::new(&self.labels, self.state.created_millis(), value)
    }

    fn address(&self) -> SeriesAddress {
        ptr::from_ref(self).addr()
    }
}

/// What the series of a family share, and a handle needs to record.
#[derive(Debug)]
pub(crate) struct Shared<S> {
    pub(crate) settings: S,
    /// Whether they have labels of their own, which tell them apart.
    pub(crate) has_labels: bool,
    /// How many values were refused.
    pub(crate) invalid: CounterCell,
    pub(crate) exemplars: Exemplars,
}

impl<S> Shared<S> {
    /// Begins a metric without labels of its own.
    pub(crate) fn without_labels(settings: S) -> Arc<Self> {
        Self::new(settings, false)
    }

    pub(crate) fn new(settings: S, labelled: bool) -> Arc<Self> {
        Arc::new(Self {
            settings,
            has_labels: labelled,
            invalid: CounterCell::default(),
            exemplars: Exemplars::default(),
        })
    }
}
