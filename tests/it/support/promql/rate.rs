//! Rates, as Prometheus extrapolates them to the ends of the window.

use crate::support::promql::Sample;
use crate::support::read::to_f64;

/// The two ways of extrapolating to the start of the window if no sample is near it. Versions
/// of Prometheus differ in what they apply first: that a counter is never below zero, or the
/// limit of half an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Extrapolation {
    ZeroFirst,
    HalfFirst,
}

/// Returns the increase of a counter in a window that ends at `end`; `None` with less than two
/// samples.
pub(super) fn increase(
    samples: &[Sample],
    end: f64,
    window: f64,
    how: Extrapolation,
) -> Option<f64> {
    let (first, last) = (samples.first()?, samples.last()?);
    if samples.len() < 2 {
        return None;
    }
    let mut grown = last.1 - first.1;
    for pair in samples.windows(2) {
        if pair[1].1 < pair[0].1 {
            // A counter reset.
            grown += pair[0].1;
        }
    }
    let seen = apart(last.0, first.0);
    let average = seen / to_f64(samples.len() - 1);
    let near = average * 1.1;
    let limited = |to_edge: f64| {
        if to_edge < near {
            to_edge
        } else {
            average / 2.0
        }
    };
    let to_zero = if grown > 0.0 && first.1 >= 0.0 {
        seen * (first.1 / grown)
    } else {
        f64::INFINITY
    };
    let to_start = window - apart(end, first.0);
    let to_start = match how {
        Extrapolation::ZeroFirst => limited(to_start.min(to_zero)),
        Extrapolation::HalfFirst => limited(to_start).min(to_zero),
    };
    let covered = seen + to_start + limited(apart(end, last.0));
    Some(grown * (covered / seen))
}

/// Returns the seconds from one moment to another, of which Prometheus keeps milliseconds.
fn apart(to: f64, from: f64) -> f64 {
    ((to * 1e3).round() - (from * 1e3).round()) / 1e3
}

/// Returns a window's seconds.
pub(super) fn seconds(window: &str) -> f64 {
    let (number, unit) = window.split_at(window.len() - 1);
    let number: f64 = number.parse().expect("a window");
    number
        * match unit {
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3_600.0,
            "d" => 86_400.0,
            _ => panic!("a window unknown to the tests: {window}"),
        }
}
