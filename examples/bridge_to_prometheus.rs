//! Exports the metrics of a registry in a scrape that the `prometheus` crate writes.

use prometheus::{IntCounter, TextEncoder};
use tachometer::Registry;
use tachometer::bridge::RegistryCollector;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The registry of the service, which it exports with the `prometheus` crate.
    let exported = prometheus::Registry::new();
    let orders = IntCounter::new("orders_total", "Orders.")?;
    exported.register(Box::new(orders.clone()))?;
    orders.inc();

    let registry = Registry::new();
    exported.register(Box::new(RegistryCollector::new(&registry)))?;
    // After the collector was registered.
    let seconds = registry.histogram("checkout_seconds", "Time of a checkout, in seconds.")?;
    seconds.observe(0.25);
    print!(
        "{}",
        TextEncoder::new().encode_to_string(&exported.gather())?
    );
    Ok(())
}
