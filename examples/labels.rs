//! Metrics with labels.

use tachometer::{Error, Label, Registry, counter_with};

fn main() -> Result<(), Error> {
    // Two sets of labels are two series, in whatever order they are given.
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

    // Where values come as one goes, a family; the compiler counts its labels.
    let registry = Registry::global();
    let calls = registry
        .counter_family(
            "calls_total",
            "Calls, by customer.",
            [Label::open("customer")],
        )?
        // Whoever invents customers fills no memory, and no call is lost.
        .limit(2);
    for customer in ["acme", "initech", "hooli", "acme"] {
        calls.with([customer]).inc();
    }
    print!("{}", registry.export_prometheus());
    Ok(())
}
