//! Writes a registry to files, in the Prometheus format and as JSON.

use std::error::Error;
use std::fs::{self, File};

use tachometer::Registry;
use tachometer::export::Format;

fn main() -> Result<(), Box<dyn Error>> {
    let registry = Registry::new();
    registry
        .counter("requests_total", "Total number of requests")?
        .inc_by(42);
    let seconds = registry.histogram("response_time_seconds", "Response time in seconds")?;
    seconds.observe(0.3);

    let folder = std::env::temp_dir().join(format!("tachometer-export-{}", std::process::id()));
    fs::create_dir_all(&folder)?;

    // For the textfile collector of node_exporter, which reads files that end in `.prom`.
    registry.write_textfile(folder.join("metrics.prom"))?;
    // In any format, without holding the whole output in memory.
    let mut file = File::create(folder.join("metrics.om"))?;
    registry.export(Format::OpenMetrics).write_to(&mut file)?;
    fs::write(folder.join("metrics.json"), registry.export_json())?;

    let read = fs::read_to_string(folder.join("metrics.json"))?;
    let data: serde_json::Value = serde_json::from_str(&read)?;
    println!("Timestamp: {}", data["timestamp"]);
    println!("Uptime: {}s", data["uptime_seconds"]);
    println!("Requests: {}", data["metrics"]["requests_total"]["value"]);
    print!("{}", fs::read_to_string(folder.join("metrics.prom"))?);
    fs::remove_dir_all(folder)?;
    Ok(())
}
