//! A gauge of what is in flight, such as requests. Only this crate records in it.

use crate::cell::InFlightCell;
use crate::metric::handle::{Handle, MetricCell, impl_as_handle};
use crate::metric::instrument::Instrument;
use crate::snapshot::Kind;

/// How many operations have started and not finished; scrapes show it as a gauge.
///
/// A [`Gauge`](crate::metric::Gauge) would be one word that all threads contend for, and a
/// user could set or reset it, which would make it wrong for good.
#[derive(Debug, Clone)]
pub(crate) struct InFlight(Handle<InFlightCell>);

impl InFlight {
    /// Counts an operation that starts.
    #[inline]
    pub(crate) fn start(&self) {
        self.0.cell().start();
    }

    /// Counts the end of an operation that was started, on this or another thread.
    #[inline]
    pub(crate) fn finish(&self) {
        self.0.cell().finish();
    }

    /// Moves an operation that was started in this series to another series.
    #[inline]
    pub(crate) fn move_to(&self, other: &Self) {
        self.0.cell().move_to(other.0.cell());
    }
}

impl_as_handle!(InFlight, InFlightCell);

impl Instrument for InFlight {}

impl MetricCell for InFlightCell {
    type Settings = ();
    const KIND: Kind = Kind::Gauge;
    /// What is in flight is going to finish, and would then take the value below 0.
    const IS_RESETTABLE: bool = false;

    fn new((): &()) -> Self {
        Self::default()
    }

    fn total(&self, (): &()) -> f64 {
        self.load() as f64
    }

    fn unset(&self, (): &()) {}

    fn is_unset(&self, (): &()) -> bool {
        false
    }
}
