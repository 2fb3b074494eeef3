//! The current time, in the unit of blocks.

use std::time::{SystemTime, UNIX_EPOCH};

/// Returns the milliseconds since 1970; 0 if the clock is set to an earlier time.
pub(crate) fn now_millis() -> u64 {
    unix_millis(SystemTime::now())
}

/// Returns the milliseconds since 1970; 0 for an earlier time.
pub(crate) fn unix_millis(time: SystemTime) -> u64 {
    let since_1970 = time.duration_since(UNIX_EPOCH);
    since_1970.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(0))
}
