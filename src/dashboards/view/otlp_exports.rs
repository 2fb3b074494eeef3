//! Exports over OTLP.

use crate::dashboards::view::labels::LabelValues;
use crate::dashboards::view::values::rounded;
use crate::encode::JsonWriter;
use crate::snapshot::Role;

/// The exports of the process since its start, and when the last one succeeded.
#[derive(Debug, Default)]
pub(super) struct OtlpExports {
    /// True if there are metrics of exports.
    is_enabled: bool,
    accepted: f64,
    failed: f64,
    rejected_points: f64,
    /// In seconds since 1970; 0 if none has succeeded.
    last_success: f64,
}

impl OtlpExports {
    /// Adds a number of a metric with one of the roles of exports.
    pub(super) fn add(&mut self, role: Role, labels: &LabelValues<'_>, number: f64) {
        self.is_enabled = true;
        match role {
            Role::OtlpExports if matches!(labels.get(0), Some("success" | "partial")) => {
                self.accepted += number;
            }
            Role::OtlpExports => self.failed += number,
            Role::OtlpRejectedPoints => self.rejected_points += number,
            // Several exporters may send one registry. The latest success counts.
            _ => self.last_success = self.last_success.max(number),
        }
    }

    /// Writes the section, or `null` if there are no metrics of exports.
    pub(super) fn write(&self, now_millis: u64, json: &mut JsonWriter<'_>) {
        if !self.is_enabled {
            return json.null();
        }
        let since = (now_millis as f64 / 1_000.0 - self.last_success).max(0.0);
        let since = Some(since).filter(|_| self.last_success > 0.0);
        json.object(|json| {
            json.key("accepted").number(self.accepted);
            json.key("failed").number(self.failed);
            json.key("rejected_points").number(self.rejected_points);
            json.key("since_success").optional_number(rounded(since));
        });
    }
}
