//! The requests that a registry has counted.

use tachometer::Registry;

use crate::support::read::{numbers, sum};

/// Returns the series of `http_requests_total`, sorted, as `GET /users/{id} 200 ok 1`. Panics if
/// a request is in flight, or if the durations are not those of the same requests.
#[track_caller]
pub(crate) fn requests(registry: &Registry) -> Vec<String> {
    let count = |metric| sum(registry, metric, &[]);
    assert_eq!(count("http_requests_in_flight"), 0.0);
    assert_eq!(count("http_streams_in_flight"), 0.0);
    let durations = count("http_request_duration_seconds");
    assert_eq!(durations, count("http_requests_total"));
    let mut requests = Vec::new();
    let blocks = registry.gather();
    for block in blocks.filter(|block| block.desc.name() == "http_requests_total") {
        for (series, number) in block.labels.iter().zip(numbers(&block)) {
            let value = |name: &str| {
                let mut pairs = series.pairs();
                let pair = pairs.find(|(label, _)| **label == *name);
                pair.map(|(_, value)| value.into_owned())
                    .unwrap_or_default()
            };
            let labels = ["method", "route", "status", "outcome"];
            let labels = labels.map(value).join(" ");
            requests.push(format!("{labels} {number}"));
        }
    }
    requests.sort();
    requests
}
