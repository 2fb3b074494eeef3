//! The increase of counters between two samples.

/// Returns the increase of a sum of counters.
///
/// A sum falls only if series were removed. How much the removed series counted in between is
/// unknown, so the increase is then 0: the total of the remaining series must not show up as a
/// burst.
pub(super) fn counter_increase(now: f64, before: f64) -> f64 {
    (now - before).max(0.0)
}
