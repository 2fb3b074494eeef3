//! Converts histograms of the `prometheus` crate to plain numbers.

use prometheus::proto;

use crate::registry::HistogramValues;

/// The buckets of the last histogram that was read. Its memory is used again for the next.
#[derive(Default)]
pub(super) struct HistogramBuffer {
    bounds: Vec<f64>,
    counts: Vec<u64>,
}

impl HistogramBuffer {
    /// Reads a histogram, whose buckets are cumulative. The bucket up to infinity may be missing.
    ///
    /// # Errors
    ///
    /// If the counts contradict each other.
    pub(super) fn read(
        &mut self,
        histogram: &proto::Histogram,
    ) -> Result<HistogramValues<'_>, &'static str> {
        self.bounds.clear();
        self.counts.clear();
        let count = histogram.get_sample_count();
        let mut buckets = histogram.get_bucket();
        if let Some((last, others)) = buckets.split_last()
            && last.upper_bound() == f64::INFINITY
        {
            if last.cumulative_count() != count {
                return Err("the bucket up to infinity differs from the count");
            }
            buckets = others;
        }
        let mut below = 0;
        for bucket in buckets {
            self.bounds.push(bucket.upper_bound());
            self.push(bucket.cumulative_count(), &mut below)?;
        }
        self.push(count, &mut below)?;
        let sum = histogram.get_sample_sum();
        Ok(HistogramValues::new(&self.bounds, &self.counts, sum))
    }

    /// Adds the bucket with this cumulative count after one that has `below`.
    fn push(&mut self, cumulative: u64, below: &mut u64) -> Result<(), &'static str> {
        let difference = cumulative.checked_sub(*below);
        self.counts.push(
            difference.ok_or("a bucket has a lower cumulative count than the one before it")?,
        );
        *below = cumulative;
        Ok(())
    }
}
