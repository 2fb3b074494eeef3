//! Finds and reads the metrics of a registry.

use tachometer::{Error, Registry};

fn main() -> Result<(), Error> {
    let registry = Registry::global();

    // Registering a name again returns the same metric. Another kind is an error.
    let counter = registry.counter("my_counter", "Description")?;
    registry.gauge("my_gauge", "Description")?.set(7);
    registry
        .histogram("my_histogram", "Description")?
        .observe(0.3);
    counter.inc();
    registry.counter("my_counter", "")?.inc();
    if let Err(error) = registry.gauge("my_counter", "") {
        println!("{error}");
    }

    if let Some(metric) = registry.get("my_counter") {
        println!("{}: {}", metric.name(), metric.value());
    }
    for metric in registry.metrics() {
        println!("{} is a {}", metric.name(), metric.kind());
    }

    // A separate registry shares nothing with the first one.
    let separate = Registry::new();
    println!(
        "{} metrics in the separate registry",
        separate.summary().total_metrics
    );
    Ok(())
}
