//! Many replicas and real receivers.
//!
//! - `otlp_receivers`: VictoriaMetrics and rotel receive what the registry has.
//! - `restarts`: 60 replicas that restart lose nothing over OTLP.
//! - `quantiles`: quantiles over replicas with native histograms.

mod otlp_receivers;
mod quantiles;
mod restarts;
