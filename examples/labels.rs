//! Metrics with labels.

use tachometer::{Error, Label, Registry, counter_with};

fn main() -> Result<(), Error> {
    // Each set of labels is a series. The order of the labels does not matter.
    let ok = counter_with(
        "http_requests",
        "HTTP requests",
        [("status", "200"), ("method", "GET")],
    );
    let bad = counter_with(
        "http_requests",
        "HTTP requests",
        [("method", "POST"), ("status", "500")],
    );
    ok.inc_by(3);
    bad.inc();

    // A family is for label values that are known only later. The compiler checks their number.
    let registry = Registry::global();
    let calls = registry
        .counter_family(
            "calls_total",
            "Calls, by customer.",
            [Label::open("customer")],
        )?
        // Limits the memory that invented customers can take. All calls are still counted.
        .limit(2);
    for customer in ["acme", "initech", "hooli", "acme"] {
        calls.with([customer]).inc();
    }
    print!("{}", registry.export_prometheus());
    Ok(())
}
