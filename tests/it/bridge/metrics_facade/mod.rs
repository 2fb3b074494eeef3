//! `MetricsRecorder`: what is recorded with the macros of the facade.

mod conflicts;
mod descriptions;
mod expiry;
mod limits;
mod names;
mod outputs;
mod random_metrics;
mod recorders;
mod threads;
mod values;

use metrics::with_local_recorder;
use tachometer::Registry;
use tachometer::bridge::MetricsRecorder;

/// Runs a closure whose macros record in a registry.
fn record(registry: &Registry, run: impl FnOnce()) {
    record_with(&MetricsRecorder::new().registry(registry), run);
}

fn record_with(recorder: &MetricsRecorder, run: impl FnOnce()) {
    with_local_recorder(recorder, run);
}
