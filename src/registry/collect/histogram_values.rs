//! The numbers of a histogram that another library has recorded.

use crate::error::Error;
use crate::snapshot::{Bounds, Histograms, NativeBuckets, Totals, Values};

/// A histogram as plain numbers, for [`CollectSink::histogram_values`].
///
/// The classic buckets can differ from series to series.
///
/// [`CollectSink::histogram_values`]: crate::registry::CollectSink::histogram_values
#[derive(Debug, Clone, Copy)]
pub struct HistogramValues<'a> {
    bounds: &'a [f64],
    counts: &'a [u64],
    native: Option<&'a NativeBuckets>,
    /// Without the minimum and the maximum these are NaN.
    totals: Totals,
}

impl<'a> HistogramValues<'a> {
    /// Creates a histogram with classic buckets.
    ///
    /// - `bounds`: the ascending upper bounds of the buckets, without infinity.
    /// - `counts`: the number of values in each bucket, not cumulative. There is one more than
    ///   bounds: the bucket up to infinity.
    /// - `sum`: the sum of all values.
    ///
    /// A series whose bounds or counts are not valid is left out, and
    /// `tachometer_invalid_observations_total` counts it.
    ///
    /// ```
    /// use tachometer::registry::HistogramValues;
    ///
    /// // Two values up to 0.1, one above 1.
    /// let seconds = HistogramValues::new(&[0.1, 1.0], &[2, 0, 1], 3.5);
    /// ```
    #[must_use]
    pub fn new(bounds: &'a [f64], counts: &'a [u64], sum: f64) -> Self {
        Self {
            bounds,
            counts,
            native: None,
            totals: Totals {
                sum,
                min: f64::NAN,
                max: f64::NAN,
            },
        }
    }

    /// Creates a histogram with exponential buckets and without classic ones.
    #[must_use]
    pub fn from_native(native: &'a NativeBuckets, sum: f64) -> Self {
        Self {
            native: Some(native),
            ..Self::new(&[], &[], sum)
        }
    }

    /// Adds exponential buckets. They must have as many values as the classic ones.
    #[must_use]
    pub fn native(self, native: &'a NativeBuckets) -> Self {
        Self {
            native: Some(native),
            ..self
        }
    }

    /// Sets the smallest and the largest value. The default is unknown.
    ///
    /// The series is left out, and `tachometer_invalid_observations_total` counts it, if one of them
    /// is infinite, or if the smallest value is above the largest.
    #[must_use]
    pub fn extremes(mut self, min: f64, max: f64) -> Self {
        (self.totals.min, self.totals.max) = (min, max);
        self
    }

    /// Returns true if these are histograms with the same classic buckets, and with exponential
    /// ones if this has any.
    pub(super) fn fits(&self, values: &Values) -> bool {
        let Values::Histogram(all) = values else {
            return false;
        };
        let has_native = !all.native.is_empty();
        *all.bounds == *self.bounds && has_native == self.native.is_some()
    }

    /// Returns an empty list of histograms with these buckets, if they are valid.
    pub(super) fn empty(&self) -> Result<Values, Error> {
        Bounds::for_reading(self.bounds).map(|bounds| Values::Histogram(Histograms::new(bounds)))
    }

    /// Appends the histogram to a list that it fits. Returns false if a number is not valid.
    pub(super) fn push(&self, values: &mut Values) -> bool {
        let Values::Histogram(all) = values else {
            return false;
        };
        let Some(count) = self.count().filter(|_| self.has_valid_extremes()) else {
            return false;
        };
        if self.counts.is_empty() {
            all.counts.push(count);
        } else {
            all.counts.extend_from_slice(self.counts);
        }
        all.native.extend(self.native.cloned());
        // Of an empty histogram all of them are 0.
        all.totals.push(match count {
            0 => Totals::default(),
            _ => self.totals,
        });
        true
    }

    /// Returns true if the minimum and the maximum, if they are known, can be those of values.
    fn has_valid_extremes(&self) -> bool {
        let Totals { min, max, .. } = self.totals;
        let is_ordered = min <= max || min.is_nan() || max.is_nan();
        is_ordered && !min.is_infinite() && !max.is_infinite()
    }

    /// Returns the number of values, or `None` if the counts contradict each other.
    fn count(&self) -> Option<u64> {
        let mut counts = self.counts.iter();
        let classic = counts.try_fold(0, |sum: u64, count| sum.checked_add(*count))?;
        let native = match self.native {
            Some(native) => Some(native.checked_count()?),
            None => None,
        };
        match native {
            Some(native) if self.counts.is_empty() && self.bounds.is_empty() => Some(native),
            _ if self.counts.len() != self.bounds.len() + 1 => None,
            Some(native) if native != classic => None,
            _ => Some(classic),
        }
    }
}
