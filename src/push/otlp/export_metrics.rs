//! Metrics about exports.

use std::time::SystemTime;

use crate::error::Error;
use crate::metric::{Counter, Family, Gauge, Label};
use crate::registry::Registry;
use crate::snapshot::Role;

/// How an export ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ExportResult {
    /// All points were accepted.
    Success,
    /// All requests were accepted, but some of their points were rejected.
    Partial,
    /// The receiver rejected a request.
    Rejected,
    /// A request was not accepted in time.
    Failed,
}

impl ExportResult {
    const ALL: [&str; 4] = ["success", "partial", "rejected", "failed"];

    fn label(self) -> &'static str {
        let [success, partial, rejected, failed] = Self::ALL;
        match self {
            Self::Success => success,
            Self::Partial => partial,
            Self::Rejected => rejected,
            Self::Failed => failed,
        }
    }
}

/// The metrics about exports, in the registry that is exported.
#[derive(Debug, Clone)]
pub(super) struct ExportMetrics {
    exports: Family<Counter, 1>,
    rejected_points: Counter,
    last_success: Gauge,
}

impl ExportMetrics {
    /// Registers the metrics, which are 0 at first.
    pub(super) fn register(registry: &Registry) -> Result<Self, Error> {
        let registry = registry.clone().without_prefix();
        Self::register_unprefixed(&registry)
            .map_err(|error| error.map_remedy(|_| "rename that metric".to_owned()))
    }

    fn register_unprefixed(registry: &Registry) -> Result<Self, Error> {
        let exports = registry.with_role(Role::OtlpExports).counter_family(
            "tachometer_otlp_exports_total",
            "Exports over OTLP, by result. All points were accepted (success), some points were \
             rejected (partial), a request was rejected (rejected), or a request was not accepted \
             in time (failed).",
            [Label::closed("result", ExportResult::ALL)],
        )?;
        let rejected_points = registry.with_role(Role::OtlpRejectedPoints).counter(
            "tachometer_otlp_rejected_points_total",
            "Points that the receiver rejected in requests over OTLP that it accepted.",
        )?;
        let last_success = registry.with_role(Role::OtlpLastSuccess).gauge(
            "tachometer_otlp_last_success_timestamp_seconds",
            "Time of the last export over OTLP whose requests were all accepted, in seconds since \
             1970, or 0.",
        )?;
        Ok(Self {
            exports: exports.declare([&ExportResult::ALL]),
            rejected_points,
            last_success,
        })
    }

    pub(super) fn record(&self, result: ExportResult, rejected_points: u64) {
        self.exports.with_ref([result.label()], Counter::inc);
        self.rejected_points.inc_by(rejected_points);
        if matches!(result, ExportResult::Success | ExportResult::Partial) {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            self.last_success.set(now.unwrap_or_default().as_secs_f64());
        }
    }
}
