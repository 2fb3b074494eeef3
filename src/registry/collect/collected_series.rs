//! A series that a collector has added.

use std::fmt;
use std::time::SystemTime;

use crate::metric::are_valid_exemplar_labels;
use crate::snapshot::{Exemplar, Labels, SeriesBlock, Values, unix_millis};

/// A series that was added to a [`CollectSink`](crate::registry::CollectSink), to which its
/// creation time and exemplars can be added. If the series was left out, these are ignored.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use tachometer::registry::{Collect, CollectSink};
/// use tachometer::snapshot::{Desc, Kind};
///
/// struct Jobs {
///     started: SystemTime,
/// }
///
/// impl Collect for Jobs {
///     fn describe(&self) -> Vec<Desc> {
///         vec![Desc::new("jobs_total", "Jobs done.", Kind::Counter)]
///     }
///
///     fn collect(&self, sink: &mut CollectSink<'_>) {
///         sink.counter("jobs_total", [], 7)
///             .created(self.started)
///             .exemplar([("trace_id", "4bf92f35")], 1.0, SystemTime::now());
///     }
/// }
/// ```
pub struct CollectedSeries<'a>(Option<AddedSeries<'a>>);

/// The last series of a block.
struct AddedSeries<'a> {
    block: &'a mut SeriesBlock,
    /// The family's count of what was refused.
    invalid: &'a mut u64,
}

impl<'a> CollectedSeries<'a> {
    /// Makes a handle to the last series of a block.
    pub(super) fn new(block: &'a mut SeriesBlock, invalid: &'a mut u64) -> Self {
        Self(Some(AddedSeries { block, invalid }))
    }

    /// Makes a handle to a series that was left out.
    pub(super) fn refused() -> Self {
        Self(None)
    }

    /// Sets when the series began to count: when it was created or last reset. The default is the
    /// time at which the collector was registered. The time must be the same at each read until the
    /// series is reset.
    #[expect(clippy::return_self_not_must_use, reason = "a handle may be unused")]
    pub fn created(mut self, time: SystemTime) -> Self {
        if let Some(added) = &mut self.0
            && let Some(created) = added.block.created_millis.last_mut()
        {
            *created = unix_millis(time);
        }
        self
    }

    /// Adds an exemplar: labels that refer to the origin of a value, such as a trace ID, the
    /// value, and when it was recorded. A counter keeps the last one, and a histogram the last
    /// one of each classic bucket.
    ///
    /// An exemplar of a gauge is left out, and so is one whose labels or value are not valid. It
    /// counts in `tachometer_invalid_observations_total`. The names and values of the labels have
    /// at most 128 characters together.
    #[expect(clippy::return_self_not_must_use, reason = "a handle may be unused")]
    pub fn exemplar<'l>(
        mut self,
        labels: impl AsRef<[(&'l str, &'l str)]>,
        value: f64,
        timestamp: SystemTime,
    ) -> Self {
        if let Some(added) = &mut self.0
            && !added.add_exemplar(labels.as_ref(), value, timestamp)
        {
            *added.invalid += 1;
        }
        self
    }
}

impl AddedSeries<'_> {
    /// Returns false if the exemplar is not valid.
    fn add_exemplar(&mut self, labels: &[(&str, &str)], value: f64, timestamp: SystemTime) -> bool {
        let bucket = match &self.block.values {
            Values::Counter(_) => 0,
            Values::Histogram(all) => all.bounds.bucket_index(value),
            Values::Gauge(_) => return false,
        };
        if !value.is_finite() || !are_valid_exemplar_labels(labels) {
            return false;
        }
        let exemplar = Exemplar {
            series: self.block.labels.len() - 1,
            bucket,
            labels: Labels::new(labels.iter().copied()),
            value,
            timestamp,
        };
        let key = |exemplar: &Exemplar| (exemplar.series, exemplar.bucket);
        let exemplars = &mut self.block.exemplars;
        match exemplars.binary_search_by_key(&key(&exemplar), key) {
            Ok(position) => exemplars[position] = exemplar,
            Err(position) => exemplars.insert(position, exemplar),
        }
        true
    }
}

/// Does not print the labels, whose values may come from a client.
impl fmt::Debug for CollectedSeries<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CollectedSeries")
            .field("is_added", &self.0.is_some())
            .finish_non_exhaustive()
    }
}
