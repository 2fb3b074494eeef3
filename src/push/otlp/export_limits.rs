//! When an export ends: at its time limit, or because of a command.

use std::time::Duration;

use tokio::select;
use tokio::time::{Instant, sleep_until};

use crate::push::otlp::MAX_DURATION;
use crate::push::otlp::commands::{Commands, Trigger};

/// How long an export may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeLimits {
    /// Of one request.
    pub(super) request: Duration,
    /// Of an export by the timer, or by a flush.
    pub(super) export: Duration,
    /// An export by the timer is not retried for longer. It may take longer, since otherwise a slow
    /// collector or receiver would end each export.
    pub(super) interval: Duration,
}

/// The time limits of a running export, and the commands that end it earlier.
#[derive(Debug)]
pub(super) struct ExportLimits<'a> {
    trigger: Trigger,
    commands: &'a mut Commands,
    retry: Instant,
    export: Instant,
}

/// Why a running export has to end.
#[derive(Debug, Clone, Copy)]
pub(super) enum Stop {
    /// Its time is over.
    Timeout,
    /// The export of a shutdown must start.
    Command,
}

impl<'a> ExportLimits<'a> {
    /// Starts the time of an export.
    pub(super) fn new(limits: TimeLimits, trigger: Trigger, commands: &'a mut Commands) -> Self {
        let (retry, export) = match trigger {
            Trigger::Timer => (limits.export.min(limits.interval), limits.export),
            Trigger::Flush => (limits.export, limits.export),
            // It ends at the deadline of the shutdown.
            Trigger::Shutdown => (MAX_DURATION, MAX_DURATION),
        };
        let now = Instant::now();
        Self {
            trigger,
            commands,
            retry: now + retry,
            export: now + export,
        }
    }

    /// Returns true if no export follows.
    pub(super) fn is_last(&self) -> bool {
        self.trigger == Trigger::Shutdown
    }

    /// Returns when the export ends.
    pub(super) fn deadline(&self) -> Instant {
        self.until_shutdown(self.export)
    }

    /// Returns the time after which no request starts.
    pub(super) fn retry_deadline(&self) -> Instant {
        self.until_shutdown(self.retry)
    }

    /// Waits until the export has to end.
    pub(super) async fn end(&mut self) -> Stop {
        loop {
            let (at, stop) = match self.commands.shutdown() {
                Some(shutdown) if !self.is_last() && shutdown.abort_at < self.export => {
                    (shutdown.abort_at, Stop::Command)
                }
                _ => (self.deadline(), Stop::Timeout),
            };
            select! {
                biased;
                () = sleep_until(at) => return stop,
                () = self.commands.receive() => {}
            }
        }
    }

    /// Waits until a command ends a delay that would otherwise end at this time.
    pub(super) async fn end_delay(&mut self, at: Instant) {
        while !self.ends_delay(at) {
            self.commands.receive().await;
        }
    }

    fn ends_delay(&self, at: Instant) -> bool {
        match self.trigger {
            Trigger::Timer => self.commands.is_waiting(),
            Trigger::Flush => self.commands.shutdown().is_some(),
            // Another shutdown had an earlier deadline.
            Trigger::Shutdown => self.deadline() <= at,
        }
    }

    /// Returns the deadline of the shutdown if the export is the last, and else this time.
    fn until_shutdown(&self, at: Instant) -> Instant {
        match self.commands.shutdown() {
            Some(shutdown) if self.is_last() => shutdown.deadline,
            _ => at,
        }
    }
}
