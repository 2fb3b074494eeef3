//! Processing times that a provider reports.

use std::time::Duration;

/// A phase of the provider's processing: the label `phase` of `llm_server_time_seconds`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ServerPhase {
    /// Waiting in the provider's queue.
    Queue,
    /// Loading the model.
    Load,
    /// Processing the prompt.
    Prompt,
    /// Generating the output.
    Generate,
    /// All phases that the provider measures.
    Total,
}

/// The unit of a reported time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeUnit {
    Seconds,
    Millis,
    Nanos,
}

/// The processing times of one call, as far as the provider reports them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ServerTimes([Option<Duration>; PHASES.len()]);

const PHASES: [(ServerPhase, &str); 5] = [
    (ServerPhase::Queue, "queue"),
    (ServerPhase::Load, "load"),
    (ServerPhase::Prompt, "prompt"),
    (ServerPhase::Generate, "generate"),
    (ServerPhase::Total, "total"),
];

/// The longest plausible time. A single wrong one would dominate the sum of the histogram.
const MAX_DURATION: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Returns the duration of a number of seconds, or `None` if it is not plausible.
pub(crate) fn plausible_duration(seconds: f64) -> Option<Duration> {
    let duration = Duration::try_from_secs_f64(seconds).ok()?;
    (duration <= MAX_DURATION).then_some(duration)
}

impl ServerTimes {
    /// Sets the time of a phase.
    pub(crate) fn set(&mut self, phase: ServerPhase, duration: Duration) {
        self.0[phase as usize] = Some(duration);
    }

    /// Sets the time of a phase from the text of a number. Text that is not a plausible time is
    /// ignored.
    pub(crate) fn parse(&mut self, phase: ServerPhase, unit: TimeUnit, text: &str) {
        let seconds = text.parse::<f64>().ok().map(|number| unit.seconds(number));
        if let Some(duration) = seconds.and_then(plausible_duration) {
            self.set(phase, duration);
        }
    }

    /// Returns the known times, with the label `phase`.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static str, Duration)> {
        let time = |(phase, name): (ServerPhase, _)| Some((name, self.0[phase as usize]?));
        PHASES.into_iter().filter_map(time)
    }
}

impl TimeUnit {
    /// Converts a number of this unit to seconds.
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
    fn each_phase_is_at_its_index() {
        for (index, (phase, _)) in PHASES.into_iter().enumerate() {
            assert_eq!(phase as usize, index);
        }
    }

    #[test]
    fn text_that_is_not_a_plausible_time_is_ignored() {
        let mut times = ServerTimes::default();
        for text in ["-1", "NaN", "1e400", "1e18", "604800001", "soon", ""] {
            times.parse(ServerPhase::Queue, TimeUnit::Millis, text);
        }
        assert_eq!(times.iter().count(), 0);
        times.parse(ServerPhase::Total, TimeUnit::Millis, "1500.5");
        times.parse(ServerPhase::Load, TimeUnit::Nanos, "2000000000");
        let times: Vec<_> = times.iter().collect();
        let total = Duration::from_micros(1_500_500);
        assert_eq!(times, [("load", Duration::from_secs(2)), ("total", total)]);
    }
}
