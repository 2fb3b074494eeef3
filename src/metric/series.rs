//! One series: a cell and its labels.

use std::sync::Arc;

use crate::cell::{CounterCell, Life};
use crate::snapshot::Labels;

/// One label set of a family, and the cell that counts for it.
#[derive(Debug)]
pub(crate) struct Series<C, S> {
    pub(crate) labels: Labels,
    pub(crate) life: Life,
    pub(crate) cell: C,
    pub(crate) shared: Arc<Shared<S>>,
}

/// What the series of a family share, and a handle needs to record.
#[derive(Debug)]
pub(crate) struct Shared<S> {
    pub(crate) settings: S,
    /// How many values were refused.
    pub(crate) invalid: CounterCell,
}

impl<S> Shared<S> {
    pub(crate) fn new(settings: S) -> Arc<Self> {
        Arc::new(Self {
            settings,
            invalid: CounterCell::default(),
        })
    }
}
