//! A duration that a histogram observes.
//~ expected `f64`, found `Duration`

use std::time::Duration;

use tachometer::Histogram;

#[cfg(mistake)]
pub fn observe(seconds: &Histogram, duration: Duration) {
    seconds.observe(duration);
}

#[cfg(not(mistake))]
pub fn observe(seconds: &Histogram, duration: Duration) {
    seconds.observe_duration(duration);
}
