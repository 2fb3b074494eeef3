//! Metrics of a registry, by which all of them can be found and read.

use tachometer::{Error, Registry};

fn main() -> Result<(), Error> {
    let registry = Registry::global();

    // A name has one meaning: asking again gives the same metric, and asking for another
    // kind is an error.
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

    // One of one's own shares nothing with it.
    let own = Registry::new();
    println!("{} metrics of its own", own.summary().total_metrics);
    Ok(())
}
