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
        // From 0, the next call would count everything again.
        self.state.set_permanent();
        // Even if the value is not raised: the series is used.
        self.state.restore();
        self.cell.raise_to(value);
    }
}

impl GaugeFn for SeriesOf<Gauge> {
    #[inline]
    fn increment(&self, value: f64) {
        // From 0, the decrements to come would lead to a negative number.
        if value.is_finite() {
            self.state.set_permanent();
        }
        self.add(value);
    }

    #[inline]
    fn decrement(&self, value: f64) {
        GaugeFn::increment(self, -value);
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
        /// A greater number is an error in the caller, and would take long. It does not fit into
        /// the `usize` of each platform.
        const MAX: u64 = 1 << 40;

        let mut remaining = u64::try_from(count).unwrap_or(u64::MAX);
        let is_valid = value.is_finite() && remaining <= MAX;
        if !is_valid && remaining > 0 {
            self.count_invalid();
            return;
        }
        while remaining > 0 {
            let part = u32::try_from(remaining).unwrap_or(u32::MAX);
            self.observe_many(value, part);
            remaining -= u64::from(part);
        }
    }
}
