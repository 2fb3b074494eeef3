//! Assertion macros with labels as `{"name" => "value"}`.

/// Asserts the sum of the series of a counter with these labels.
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
/// If the sum differs, with all series of the counter, or if there is no counter of that name.
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

/// Asserts the sum of the series of a gauge with these labels.
///
/// The arguments are those of [`assert_counter!`](crate::assert_counter).
///
/// # Panics
///
/// If the sum differs, with all series of the gauge, or if there is no gauge of that name.
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

/// Asserts the number of observations in the series of a histogram with these labels.
///
/// The arguments are those of [`assert_counter!`](crate::assert_counter).
///
/// # Panics
///
/// If the number differs, with all series of the histogram, or if there is no histogram of that
/// name.
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
