//! Exports what libraries record with the `metrics` facade in the scrape of a service.

use tachometer::bridge::MetricsRecorder;
use tachometer::{Buckets, Registry};

/// A library that knows the facade only.
mod library {
    use metrics::{counter, describe_counter, gauge, histogram};

    pub(crate) fn call(method: &'static str, seconds: f64) {
        describe_counter!("library.calls", "Calls of the library.");
        counter!("library.calls", "method" => method).increment(1);
        gauge!("library.connections").set(2.0);
        histogram!("library.call.seconds").record(seconds);
    }
}

fn main() -> Result<(), tachometer::Error> {
    let registry = Registry::new();
    // Before a library records: without a recorder, the macros do nothing.
    MetricsRecorder::new()
        .registry(&registry)
        .buckets_for("library.call.seconds", Buckets::new(&[0.1, 1.0])?)
        .install()?;
    registry.counter("orders_total", "Orders.")?.inc();

    library::call("get", 0.5);
    library::call("put", 0.25);
    print!("{}", registry.export_prometheus());
    Ok(())
}
