//! Assertions whose labels read well.

/// Asserts the sum of those series of a counter that have certain labels.
///
/// ```
/// use tachometer::{Registry, assert_counter};
///
/// let registry = Registry::new();
/// let jobs = registry.counter_family("jobs_total", "Jobs done.", ["queue", "outcome"])?;
/// jobs.with(["mail", "ok"]).inc_by(3);
/// jobs.with(["mail", "error"]).inc();
///
/// assert_counter!(registry, "jobs_total", {"queue" => "mail", "outcome" => "ok"}, 3);
/// assert_counter!(registry, "jobs_total", {"queue" => "mail"}, 4);
/// assert_counter!(registry, "jobs_total", 4);
/// # Ok::<(), tachometer::Error>(())
/// ```
///
/// # Panics
///
/// When the sum is another, and then with all series that there are; when there is no metric
/// of that name, or one that is no counter.
#[macro_export]
macro_rules! assert_counter {
    ($registry:expr, $name:expr, {$($label:expr => $value:expr),* $(,)?}, $expected:expr $(,)?) => {
        $crate::testing::assert_value(
            &$registry,
            $crate::snapshot::Kind::Counter,
            $name,
            &[$(($label, $value)),*],
            $expected,
        )
    };
    ($registry:expr, $name:expr, $expected:expr $(,)?) => {
        $crate::assert_counter!($registry, $name, {}, $expected)
    };
}

/// Asserts the sum of those series of a gauge that have certain labels, as
/// [`assert_counter!`](crate::assert_counter) does of a counter.
///
/// # Panics
///
/// As there.
#[macro_export]
macro_rules! assert_gauge {
    ($registry:expr, $name:expr, {$($label:expr => $value:expr),* $(,)?}, $expected:expr $(,)?) => {
        $crate::testing::assert_value(
            &$registry,
            $crate::snapshot::Kind::Gauge,
            $name,
            &[$(($label, $value)),*],
            $expected,
        )
    };
    ($registry:expr, $name:expr, $expected:expr $(,)?) => {
        $crate::assert_gauge!($registry, $name, {}, $expected)
    };
}

/// Asserts how many observations those series of a histogram have that have certain labels,
/// as [`assert_counter!`](crate::assert_counter) does of a counter.
///
/// # Panics
///
/// As there.
#[macro_export]
macro_rules! assert_histogram_count {
    ($registry:expr, $name:expr, {$($label:expr => $value:expr),* $(,)?}, $expected:expr $(,)?) => {
        $crate::testing::assert_value(
            &$registry,
            $crate::snapshot::Kind::Histogram,
            $name,
            &[$(($label, $value)),*],
            $expected,
        )
    };
    ($registry:expr, $name:expr, $expected:expr $(,)?) => {
        $crate::assert_histogram_count!($registry, $name, {}, $expected)
    };
}
