//! The numbers of counters and gauges of the `prometheus` crate.
//!
//! With that crate's feature `protobuf`, which another dependency can enable, the method that
//! returns the number has another name. A feature of a dependency is not known at compile time.

use prometheus::proto::{Counter, Gauge};

/// The method of both names. An inherent method has precedence over one of a trait, so each of
/// them ends in the inherent one, whatever its name is.
#[allow(dead_code, reason = "only one of them is needed for each name")]
trait Number {
    fn get_value(&self) -> f64;
    fn value(&self) -> f64;
}

impl Number for Counter {
    fn get_value(&self) -> f64 {
        self.value()
    }

    fn value(&self) -> f64 {
        self.get_value()
    }
}

impl Number for Gauge {
    fn get_value(&self) -> f64 {
        self.value()
    }

    fn value(&self) -> f64 {
        self.get_value()
    }
}

/// Returns the sum of a counter.
pub(super) fn counter_sum(counter: &Counter) -> f64 {
    Number::value(counter)
}

/// Returns the value of a gauge.
pub(super) fn gauge_value(gauge: &Gauge) -> f64 {
    Number::value(gauge)
}
