//! Sends metrics over OTLP, at an interval and at the end of a job.
//!
//! The variables `OTEL_*` have the settings, for example `OTEL_EXPORTER_OTLP_ENDPOINT`. The default
//! is a collector at `http://localhost:4318`.

use std::time::Duration;

use tachometer::Registry;
use tachometer::push::Otlp;

#[tokio::main]
async fn main() -> Result<(), tachometer::Error> {
    let registry = Registry::new();
    let rows = registry.counter_family("rows_total", "Rows by result.", ["result"])?;

    let exporter = Otlp::from_env()?.registry(&registry).start()?;
    for row in 0..1_000 {
        let result = if row % 100 == 0 {
            "skipped"
        } else {
            "imported"
        };
        rows.with([result]).inc();
    }

    // Without it, what was recorded since the last export would be lost.
    exporter.shutdown(Duration::from_secs(5)).await?;
    println!("The metrics were exported.");
    Ok(())
}
