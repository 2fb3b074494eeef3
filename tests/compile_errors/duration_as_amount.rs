//! A duration that is added to a counter.
//~ `Duration` is not a number that a counter or a gauge takes
//~ expected an integer, `f32` or `f64`
//~ a duration is recorded in seconds: `duration.as_secs_f64()`

use std::time::Duration;

use tachometer::Counter;

#[cfg(mistake)]
pub fn add(seconds: &Counter, duration: Duration) {
    seconds.inc_by(duration);
}

#[cfg(not(mistake))]
pub fn add(seconds: &Counter, duration: Duration) {
    seconds.inc_by(duration.as_secs_f64());
}
