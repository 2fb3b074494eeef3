//! How long a provider says that its work took.

use std::time::Duration;

/// A part of a provider's work on a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Waiting for its turn.
    Queue,
    /// Loading the model.
    Load,
    /// Reading the prompt.
    Prompt,
    /// Writing the answer.
    Generate,
    /// All of it, as far as the provider counts.
    Total,
}

/// What a time is told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeUnit {
    Seconds,
    Millis,
    Nanos,
}

/// The times of one call, as far as the provider tells them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ServerTimes([Option<Duration>; PHASES.len()]);

const PHASES: [(Phase, &str); 5] = [
    (Phase::Queue, "queue"),
    (Phase::Load, "load"),
    (Phase::Prompt, "prompt"),
    (Phase::Generate, "generate"),
    (Phase::Total, "total"),
];

/// Longer times are wrong. A single one would make the sum of a histogram useless.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Returns a time that a provider reports in seconds, unless it is impossible.
pub(crate) fn plausible_duration(seconds: f64) -> Option<Duration> {
    let took = Duration::try_from_secs_f64(seconds).ok()?;
    (took <= LONGEST).then_some(took)
}

impl ServerTimes {
    /// Notes a time; if it is told again, the last counts.
    pub(crate) fn set(&mut self, phase: Phase, took: Duration) {
        self.0[phase as usize] = Some(took);
    }

    /// Notes a time as the provider writes it, unless it is none.
    pub(crate) fn parse(&mut self, phase: Phase, scale: TimeUnit, text: &str) {
        let seconds = text.parse::<f64>().ok().map(|number| scale.seconds(number));
        if let Some(took) = seconds.and_then(plausible_duration) {
            self.set(phase, took);
        }
    }

    /// Returns the times that are known, by the names of their phases.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        let known = |(phase, name): (Phase, _)| Some((name, self.0[phase as usize]?));
        PHASES.into_iter().filter_map(known)
    }
}

impl TimeUnit {
    fn seconds(self, number: f64) -> f64 {
        match self {
            Self::Seconds => number,
            Self::Millis => number / 1e3,
            Self::Nanos => number / 1e9,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_phase_has_its_place() {
        for (at, (phase, _)) in PHASES.into_iter().enumerate() {
            assert_eq!(phase as usize, at);
        }
    }

    #[test]
    fn what_is_no_time_is_not_known() {
        let mut times = ServerTimes::default();
        for text in ["-1", "NaN", "1e400", "1e18", "604800001", "soon", ""] {
            times.parse(Phase::Queue, TimeUnit::Millis, text);
        }
        assert_eq!(times.iter().count(), 0);
        times.parse(Phase::Total, TimeUnit::Millis, "1500.5");
        times.parse(Phase::Load, TimeUnit::Nanos, "2000000000");
        let known: Vec<_> = times.iter().collect();
        let total = Duration::from_micros(1_500_500);
        assert_eq!(known, [("load", Duration::from_secs(2)), ("total", total)]);
    }
}
