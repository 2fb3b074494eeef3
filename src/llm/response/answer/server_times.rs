//! The times that the provider reports.

use crate::llm::facts::{ServerPhase, TimeUnit};
use crate::llm::response::answer::Answer;
use crate::llm::response::json::Value;

impl Answer {
    pub(crate) fn queue_seconds(&mut self, value: Value<'_>) {
        self.set_server_time(ServerPhase::Queue, TimeUnit::Seconds, value);
    }

    pub(crate) fn queue_millis(&mut self, value: Value<'_>) {
        self.set_server_time(ServerPhase::Queue, TimeUnit::Millis, value);
    }

    pub(crate) fn load_nanos(&mut self, value: Value<'_>) {
        self.set_server_time(ServerPhase::Load, TimeUnit::Nanos, value);
    }

    pub(crate) fn prompt_seconds(&mut self, value: Value<'_>) {
        self.set_server_time(ServerPhase::Prompt, TimeUnit::Seconds, value);
    }

    pub(crate) fn prompt_millis(&mut self, value: Value<'_>) {
        self.set_server_time(ServerPhase::Prompt, TimeUnit::Millis, value);
    }

    pub(crate) fn prompt_nanos(&mut self, value: Value<'_>) {
        self.set_server_time(ServerPhase::Prompt, TimeUnit::Nanos, value);
    }

    pub(crate) fn generate_seconds(&mut self, value: Value<'_>) {
        self.set_server_time(ServerPhase::Generate, TimeUnit::Seconds, value);
    }

    pub(crate) fn generate_millis(&mut self, value: Value<'_>) {
        self.set_server_time(ServerPhase::Generate, TimeUnit::Millis, value);
    }

    pub(crate) fn generate_nanos(&mut self, value: Value<'_>) {
        self.set_server_time(ServerPhase::Generate, TimeUnit::Nanos, value);
    }

    pub(crate) fn total_seconds(&mut self, value: Value<'_>) {
        self.set_server_time(ServerPhase::Total, TimeUnit::Seconds, value);
    }

    pub(crate) fn total_millis(&mut self, value: Value<'_>) {
        self.set_server_time(ServerPhase::Total, TimeUnit::Millis, value);
    }

    pub(crate) fn total_nanos(&mut self, value: Value<'_>) {
        self.set_server_time(ServerPhase::Total, TimeUnit::Nanos, value);
    }

    fn set_server_time(&mut self, phase: ServerPhase, unit: TimeUnit, value: Value<'_>) {
        if let Some(time) = value.scalar() {
            self.facts.server_times.parse(phase, unit, time);
        }
    }
}
