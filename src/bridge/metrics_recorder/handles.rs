//! Recording through the handles of the facade, which are the series themselves.

use ::metrics::{CounterFn, GaugeFn, HistogramFn};

use crate::bridge::metrics_recorder::key_cache::SeriesOf;
use crate::metric::{Counter, Gauge, Histogram};

impl CounterFn for SeriesOf<Counter> {
    #[inline]
    fn increment(&self, value: u64) {
        self.cell.add(value);
    }

    fn absolute(&self, value: u64) {
        self.cell.raise_to(value);
    }
}

impl GaugeFn for SeriesOf<Gauge> {
    #[inline]
    fn increment(&self, value: f64) {
        self.add(value);
    }

    #[inline]
    fn decrement(&self, value: f64) {
        self.add(-value);
    }

    #[inline]
    fn set(&self, value: f64) {
        self.cell.set(value);
    }
}

impl HistogramFn for SeriesOf<Histogram> {
    #[inline]
    fn record(&self, value: f64) {
        self.observe(value);
    }

    fn record_many(&self, value: f64, count: usize) {
        /// A greater number is an error in the caller, and would take long.
        const MAX: usize = 1 << 40;

        if count > MAX {
            self.count_invalid();
            return;
        }
        let mut remaining = count;
        while remaining > 0 {
            let part = u32::try_from(remaining).unwrap_or(u32::MAX);
            self.observe_many(value, part);
            remaining -= usize::try_from(part).unwrap_or(remaining);
        }
    }
}
