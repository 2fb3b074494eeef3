//! The three kinds of metrics: counters, gauges and histograms.

use tachometer::{Error, counter, gauge, histogram};

fn main() -> Result<(), Error> {
    // A counter is a sum that only grows.
    let requests = counter("requests_total", "Total number of requests");
    requests.inc();
    requests.inc_by(5);
    println!("requests: {}", requests.get());

    // A gauge goes up and down.
    let users = gauge("active_users", "Number of active users");
    users.set(10);
    users.inc();
    users.dec_by(5);
    println!("users: {}", users.get());

    // A histogram is a distribution of values.
    let duration = histogram("request_duration", "Request duration in seconds");
    for seconds in [0.5, 1.2] {
        duration.observe(seconds);
    }
    let stats = duration.stats();
    println!("average: {}", stats.mean);
    println!("min: {}, max: {}", stats.min, stats.max);
    println!("p95: {:.2}", duration.percentile(95.0)?);
    Ok(())
}
