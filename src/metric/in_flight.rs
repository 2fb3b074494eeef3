//! A gauge that says how much is under way, which only this crate moves.

use std::sync::Arc;

use crate::cell::InFlightCell;
use crate::metric::instrument::Instrument;
use crate::metric::series::Series;
use crate::snapshot::{Kind, Values};

/// How many have begun and not ended. It is shown as a gauge.
///
/// A [`Gauge`](crate::metric::Gauge) would do, but all threads would wait for each
/// other to move it; and it could be set, or reset, and be wrong for good.
#[derive(Debug, Clone)]
pub(crate) struct InFlight(Arc<Series<InFlightCell, ()>>);

impl InFlight {
    /// Counts one that begins.
    #[inline]
    pub(crate) fn start(&self) {
        self.0.cell.start();
    }

    /// Counts the end of one that has begun, be it on another thread.
    #[inline]
    pub(crate) fn finish(&self) {
        self.0.cell.finish();
    }

    /// Counts one that has begun here under another series.
    #[inline]
    pub(crate) fn move_to(&self, other: &Self) {
        self.0.cell.move_to(&other.0.cell);
    }
}

impl Instrument for InFlight {
    type Cell = InFlightCell;
    type Settings = ();
    const KIND: Kind = Kind::Gauge;

    fn settings(_alone: bool) {}

    fn cell((): &()) -> InFlightCell {
        InFlightCell::default()
    }

    fn values((): &(), series: usize) -> Values {
        Values::Gauge(Vec::with_capacity(series))
    }

    fn from_series(series: Arc<Series<InFlightCell, ()>>) -> Self {
        Self(series)
    }

    fn series(&self) -> &Arc<Series<InFlightCell, ()>> {
        &self.0
    }

    fn read(&self, values: &mut Values) {
        if let Values::Gauge(numbers) = values {
            numbers.push(self.total());
        }
    }

    fn total(&self) -> f64 {
        self.0.cell.load() as f64
    }

    /// Leaves it alone: what is under way is going to end, and would take it below 0.
    fn reset_value(&self) {}

    /// No one removes it: its families are this crate's own.
    fn unset(&self) {}

    fn is_unset(&self) -> bool {
        false
    }
}
