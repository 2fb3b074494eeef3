//! Exports the metrics of a library that uses the `prometheus` crate in the scrape of a service.

use prometheus::{IntCounterVec, Opts};
use tachometer::Registry;
use tachometer::bridge::PrometheusCollector;

/// A library with metrics in a registry of the `prometheus` crate.
struct Library {
    registry: prometheus::Registry,
}

impl Library {
    /// Registers a metric when it is first needed.
    fn connect(&self) -> prometheus::Result<()> {
        let opts = Opts::new("library_connections", "Connections, by result.");
        let connections = IntCounterVec::new(opts, &["result"])?;
        self.registry.register(Box::new(connections.clone()))?;
        connections.with_label_values(&["ok"]).inc();
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let library = Library {
        // Most libraries use `prometheus::default_registry()`.
        registry: prometheus::Registry::new(),
    };
    let registry = Registry::new();
    registry.collector(PrometheusCollector::new(library.registry.clone()))?;
    registry.counter("orders_total", "Orders.")?.inc();

    // After the collector was registered.
    library.connect()?;
    print!("{}", registry.export_prometheus());
    Ok(())
}
