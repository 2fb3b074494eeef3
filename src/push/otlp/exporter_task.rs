//! The task that exports at an interval and on request.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::select;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::error::Error;
use crate::push::otlp::commands::{Commands, Trigger};
use crate::push::otlp::export::Exports;
use crate::push::otlp::export_limits::ExportLimits;

/// Exports until it is shut down.
#[derive(Debug)]
pub(super) struct ExporterTask {
    pub(super) exports: Exports,
    pub(super) commands: Commands,
    /// The time until the first export by the timer.
    pub(super) phase: Duration,
    pub(super) interval: Duration,
    /// Gets the result of the last export.
    pub(super) last_result: Arc<OnceLock<Result<(), Error>>>,
}

impl ExporterTask {
    pub(super) async fn run(mut self) {
        let mut timer = interval_at(Instant::now() + self.phase, self.interval);
        // After a slow export the next one keeps its phase.
        timer.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            select! {
                biased;
                () = self.commands.wait() => {}
                _ = timer.tick() => {}
            }
            let (trigger, waiting) = self.commands.take();
            let limits = ExportLimits::new(self.exports.limits, trigger, &mut self.commands);
            let Some(result) = self.exports.export(limits).await else {
                self.commands.put_back(waiting);
                continue;
            };
            waiting.reply(&result);
            if trigger == Trigger::Shutdown {
                // The field is set only here.
                let _ = self.last_result.set(result.clone());
                return self.commands.close(&result);
            }
        }
    }
}
