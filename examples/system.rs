//! Metrics of the machine and the process.

use std::time::Duration;

use tachometer::Registry;

fn main() {
    let registry = Registry::global();

    // By hand, for a program that is not scraped.
    registry.update_system_metrics();
    for name in [
        "system_memory_bytes",
        "system_memory_percent",
        "process_memory_bytes",
        "system_cpu_percent",
        "process_cpu_percent",
    ] {
        if let Some(metric) = registry.get(name) {
            println!("{name} {}", metric.value());
        }
    }

    // Periodically, until the guard is dropped.
    let updates = registry.update_system_metrics_every(Duration::from_secs(60));
    drop(updates);
}
