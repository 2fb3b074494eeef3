//! What requests contain: headers, resource, compression, numbers of points.

use std::time::Duration;

use tachometer::Registry;
use tachometer::push::{Compression, Otlp, Temporality};

use super::receiver::Answer::{Accept, Status};
use super::receiver::{Received, Receiver};

/// Returns the requests of one flush.
async fn flush(registry: &Registry, settings: impl FnOnce(Otlp) -> Otlp) -> Vec<Received> {
    let receiver = Receiver::default();
    let otlp = receiver.otlp(registry).interval(Duration::MAX);
    let exporter = settings(otlp).start().unwrap();
    assert_eq!(exporter.flush().await, Ok(()));
    receiver.requests()
}

fn large_registry() -> Registry {
    let registry = Registry::new();
    let family = registry.counter_family("jobs_total", "Jobs.", ["id"]);
    let family = family.unwrap().limit(40_000);
    for id in 0..35_000 {
        family.with([&*id.to_string()]).inc();
    }
    registry
}

#[tokio::test]
async fn requests_have_the_headers_of_the_protocol_and_of_the_user() {
    let registry = Registry::new();
    let requests = flush(&registry, |otlp| {
        otlp.header("Api-Key", "one").header("api-key", "two")
    });
    let [request] = &requests.await[..] else {
        panic!("not one request");
    };
    assert_eq!(request.uri, "http://localhost:4318/v1/metrics");
    assert_eq!(request.headers["content-type"], "application/x-protobuf");
    assert_eq!(request.headers["api-key"], "two");
    let agent = concat!("tachometer/", env!("CARGO_PKG_VERSION"));
    assert_eq!(request.headers["user-agent"], agent);
    assert!(!request.headers.contains_key("content-encoding"));
    let requests = flush(&registry, |otlp| otlp.header("user-agent", "shop/1"));
    assert_eq!(requests.await[0].headers["user-agent"], "shop/1");
}

#[tokio::test]
async fn each_start_has_an_instance_id_of_its_own() {
    let registry = Registry::new();
    let settings = |otlp: Otlp| otlp.service_name("shop").resource_attribute("a", "b");
    let first = flush(&registry, settings).await.remove(0).message.resource;
    let second = flush(&registry, settings).await.remove(0).message.resource;
    assert_eq!(first["service.name"], "shop");
    assert_eq!(first["a"], "b");
    assert_eq!(first["telemetry.sdk.name"], "tachometer");
    assert_ne!(first["service.instance.id"], second["service.instance.id"]);
    let given = |otlp: Otlp| otlp.resource_attribute("service.instance.id", "pod-1");
    let third = flush(&registry, given).await.remove(0).message.resource;
    assert_eq!(third["service.instance.id"], "pod-1");
    assert!(third["service.name"].starts_with("unknown_service:it"));
}

#[tokio::test]
async fn requests_have_at_most_10_000_points_and_contain_every_series_once() {
    let registry = large_registry();
    let plain = flush(&registry, |otlp| otlp).await;
    let gzip = flush(&registry, |otlp| otlp.compression(Compression::Gzip)).await;
    for requests in [&plain, &gzip] {
        let points: Vec<_> = requests
            .iter()
            .map(|request| request.message.points.len())
            .collect();
        assert_eq!(points.len(), 4, "{points:?}");
        assert!(points.iter().all(|points| *points <= 10_000), "{points:?}");
        let points = requests.iter().flat_map(|request| &request.message.points);
        let jobs = points.filter(|point| point.metric == "jobs_total");
        let mut ids: Vec<_> = jobs.map(|point| &point.attributes["id"]).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 35_000);
    }
    assert!(
        gzip.iter()
            .all(|request| request.headers["content-encoding"] == "gzip")
    );
    let bytes = |requests: &[Received]| {
        requests
            .iter()
            .map(|request| request.body_len)
            .sum::<usize>()
    };
    assert!(
        4 * bytes(&gzip) < bytes(&plain),
        "{} {}",
        bytes(&gzip),
        bytes(&plain)
    );
}

#[tokio::test]
async fn requests_of_large_points_have_about_a_megabyte_at_most() {
    let registry = Registry::new();
    let family = registry.counter_family("jobs_total", "Jobs.", ["a", "b", "c", "d"]);
    let family = family.unwrap().limit(20_000);
    for id in 0..4_000 {
        let id = format!("{id:0200}");
        family.with([&*id, &id, &id, &id]).inc();
    }
    let requests = flush(&registry, |otlp| otlp).await;
    let bytes: Vec<_> = requests.iter().map(|request| request.body_len).collect();
    assert!(bytes.len() >= 4, "{bytes:?}");
    assert!(bytes.iter().all(|bytes| *bytes < 11 << 17), "{bytes:?}");
    let points = requests.iter().flat_map(|request| &request.message.points);
    let jobs = points.filter(|point| point.metric == "jobs_total");
    assert_eq!(jobs.count(), 4_000);
}

#[tokio::test]
async fn temporality_and_buckets_are_those_of_the_settings() {
    let registry = Registry::new();
    registry.counter("jobs_total", "Jobs.").unwrap().inc();
    registry.histogram("size", "Sizes.").unwrap().observe(3.0);
    registry.gauge("depth", "Depth.").unwrap().set(-2);
    let temporalities = |requests: &[Received]| -> Vec<_> {
        let points = requests[0].message.points.iter();
        let custom = points.filter(|point| !point.metric.starts_with("tachometer_"));
        custom
            .map(|point| {
                (
                    point.metric.clone(),
                    point.temporality,
                    point.is_exponential,
                    point.value,
                )
            })
            .collect()
    };
    for (temporality, number) in [(Temporality::Cumulative, 2), (Temporality::Delta, 1)] {
        for is_exponential in [false, true] {
            let requests = flush(&registry, |otlp| {
                otlp.temporality(temporality)
                    .exponential_histograms(is_exponential)
            });
            let expected = [
                ("depth".to_owned(), 0, false, -2.0),
                ("jobs_total".to_owned(), number, false, 1.0),
                ("size".to_owned(), number, is_exponential, 3.0),
            ];
            assert_eq!(temporalities(&requests.await), expected);
        }
    }
}

#[tokio::test]
async fn exemplars_are_those_since_the_last_export_that_succeeded() {
    let registry = Registry::new();
    let size = registry.histogram("size", "Sizes.").unwrap();
    let receiver = Receiver::new([Accept, Accept, Status(400)]);
    let otlp = receiver.otlp(&registry).interval(Duration::MAX);
    let exporter = otlp.start().unwrap();
    let exemplars = async |result: bool| {
        assert_eq!(exporter.flush().await.is_ok(), result);
        let points = receiver.requests().pop().unwrap().message.points;
        let mut size = points.iter().filter(|point| point.metric == "size");
        size.next().unwrap().exemplars.clone()
    };
    size.observe_with_exemplar(1.0, &[("trace_id", "1")]);
    assert_eq!(exemplars(true).await, [1.0]);
    assert_eq!(exemplars(true).await, [0.0; 0]);
    size.observe_with_exemplar(3.0, &[("trace_id", "3")]);
    assert_eq!(exemplars(false).await, [3.0]);
    size.observe_with_exemplar(70.0, &[("trace_id", "5")]);
    assert_eq!(exemplars(true).await, [3.0, 70.0]);
}

#[tokio::test]
async fn series_expire_after_an_export_that_was_accepted() {
    let registry = Registry::new();
    let family = registry
        .counter_family("jobs_total", "Jobs.", ["id"])
        .unwrap();
    let family = family.expire_after(Duration::ZERO);
    let receiver = Receiver::new([Status(400)]);
    let otlp = receiver.otlp(&registry).interval(Duration::MAX);
    let exporter = otlp.start().unwrap();
    let sent = |request: usize| {
        receiver.requests()[request]
            .message
            .points
            .iter()
            .filter(|point| point.metric == "jobs_total")
            .count()
    };
    family.with(["1"]).inc();
    assert!(exporter.flush().await.is_err());
    for request in 1..4 {
        assert_eq!(exporter.flush().await, Ok(()));
        // The one that was rejected delivered nothing. The first that is accepted shows the series
        // to be unchanged to the next.
        assert_eq!(sent(request), usize::from(request < 2), "{request}");
    }
}
