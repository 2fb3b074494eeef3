//! Prometheus returns the same results for every format: it scrapes one registry as text,
//! `OpenMetrics` and protobuf.

mod jobs;
mod metadata;
mod native_histograms;
mod queries;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING};
use axum::middleware::{Next, from_fn};
use serde_json::Value;
use tachometer::snapshot::Escaping;
use tachometer::{Buckets, MetricsRouter, Registry, export};

use self::jobs::{CREATED, Format, Job, THIRD, UTF8, any};
use self::metadata::{check_created, check_exemplars, check_metadata};
use self::native_histograms::check_native;
use self::queries::{Which, table};
use crate::support::fixture::{Classic, Fixture, Labels, Reader, Series, expected};
use crate::support::loopback::Server;
use crate::support::prometheus::{Prometheus, labels, third, usual};
use crate::support::read::to_f64;

const EXEMPLARS: &str = "--enable-feature=exemplar-storage";
const NATIVE: &str = "--enable-feature=exemplar-storage,native-histograms";

/// Without native histograms. With both, version 3.5 can crash.
const CREATED_ZEROS: &str = "--enable-feature=exemplar-storage,created-timestamp-zero-ingestion";

/// Rare enough for tests without optimization that run in parallel.
const EVERY: &str = "scrape_interval: 10s\n  scrape_timeout: 10s";

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_3_returns_the_same_results_for_every_format() {
    let Some(program) = third() else {
        return;
    };
    let scene = Fixture::new();
    let utf8 = Fixture::utf8();
    let (server, prometheus) = start(&program, NATIVE, &scene, Some(&utf8), &THIRD).await;
    check(&prometheus, &scene, &THIRD).await;
    for (job, _, escaping) in UTF8 {
        let reader = Reader {
            classic: Classic::Always,
            negative_sums: true,
            escaping,
        };
        let expected = expected(&utf8, reader);
        assert_same(job, &read(&prometheus, job).await, &expected);
    }
    drop(prometheus);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_3_stores_the_creation_timestamps_of_openmetrics_and_protobuf() {
    let Some(program) = third() else {
        return;
    };
    let scene = Fixture::new();
    let (server, prometheus) = start(&program, CREATED_ZEROS, &scene, None, &CREATED).await;
    for job in &CREATED {
        check_values(&prometheus, &scene.registry, job).await;
        check_created(&prometheus, &scene.registry, job).await;
    }
    drop(prometheus);
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_returns_the_same_results_for_text_and_openmetrics() {
    check_any(EXEMPLARS, Format::OpenMetrics).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_with_native_histograms_returns_the_same_results_for_protobuf() {
    check_any(NATIVE, Format::Protobuf).await;
}

/// Prometheus takes the kind of a message's first histogram for all of them, and fails the
/// scrape if another one has no exponential buckets.
#[test]
fn histograms_with_exponential_buckets_share_no_message_with_those_without() {
    let registry = Registry::new();
    let classic = Buckets::new(&[1.0]).unwrap();
    let seconds = registry
        .histogram_family_with_buckets("h", "", ["kind"], classic.clone().native())
        .unwrap()
        .buckets_for("kind", "classic", classic);
    for kind in ["a", "b", "classic", "c", "d"] {
        seconds.with([kind]).observe(0.5);
    }
    let bytes = registry
        .export(export::Format::Protobuf)
        .filter_names(["h"])
        .to_bytes();
    let (mut rest, mut messages) = (&bytes[..], 0);
    while let [length, more @ ..] = rest {
        // A varint of at most two bytes.
        let (length, more) = match (*length, more) {
            (low @ 128.., [high, more @ ..]) => {
                (usize::from(low - 128) + 128 * usize::from(*high), more)
            }
            (length, more) => (usize::from(length), more),
        };
        assert!(more.starts_with(b"\x0a\x01h"), "{more:?}");
        rest = &more[length..];
        messages += 1;
    }
    assert_eq!(messages, 3);
}

async fn check_any(flags: &str, default: Format) {
    let Some(program) = usual() else {
        return;
    };
    let scene = Fixture::new();
    let jobs = any(default);
    let (server, prometheus) = start(&program, flags, &scene, None, &jobs).await;
    check(&prometheus, &scene, &jobs).await;
    drop(prometheus);
    server.stop().await;
}

/// Serves the fixture, and returns once all jobs have scraped it.
async fn start(
    program: &Path,
    flags: &str,
    scene: &Fixture,
    utf8: Option<&Registry>,
    jobs: &[Job],
) -> (Server, Prometheus) {
    // The system's metrics change from scrape to scrape.
    let router = |registry: &Registry| {
        MetricsRouter::new()
            .registry(registry)
            .without_system_metrics()
            .max_concurrent_scrapes(20)
    };
    let careless = async |mut request: Request, next: Next| {
        request.headers_mut().remove(ACCEPT);
        next.run(request).await
    };
    let app = Router::new()
        .nest("/metrics", router(&scene.registry).build())
        .nest(
            "/created",
            router(&scene.registry).created_timestamps(true).build(),
        )
        .nest(
            "/not_created",
            router(&scene.registry).created_timestamps(false).build(),
        )
        .nest(
            "/text",
            router(&scene.registry).build().layer(from_fn(careless)),
        )
        .nest("/utf8", router(utf8.unwrap_or(&scene.registry)).build());
    // Without optimization, compression takes longer than everything else.
    let plain = async |mut request: Request, next: Next| {
        request.headers_mut().remove(ACCEPT_ENCODING);
        next.run(request).await
    };
    let server = Server::start(app.layer(from_fn(plain))).await;
    let target = server.address;
    let utf8 = UTF8.iter().filter(|_| utf8.is_some());
    let utf8 = utf8.map(|&(name, settings, _)| (name, "/utf8", settings));
    let all: Vec<_> = jobs
        .iter()
        .map(|job| (job.name, job.path, job.settings))
        .chain(utf8)
        .collect();
    let mut config = String::new();
    for (name, path, settings) in &all {
        write!(
            config,
            "- job_name: {name}\n  metrics_path: {path}\n  {settings}\n  {EVERY}\n  \
             static_configs: [{{targets: ['{target}']}}]\n"
        )
        .unwrap();
    }
    let prometheus = Prometheus::start_with(program, &[flags], &config).await;
    prometheus.until("count(up == 1)", to_f64(all.len())).await;
    (server, prometheus)
}

async fn check(prometheus: &Prometheus, scene: &Fixture, jobs: &[Job]) {
    for job in jobs {
        check_values(prometheus, &scene.registry, job).await;
        check_metadata(prometheus, &scene.registry, job).await;
        check_exemplars(prometheus, &scene.registry, job).await;
        if job.has_native() {
            check_native(prometheus, scene, job.name).await;
        }
    }
    for (query, which, expected) in table(scene) {
        let jobs = jobs.iter().filter(|job| match which {
            Which::All => true,
            Which::Classic => job.classic == Classic::Always,
            Which::Native => job.has_native(),
        });
        let answers = prometheus.query(&query).await;
        let answers: BTreeMap<_, _> = answers
            .iter()
            .filter_map(|(labels, value)| Some((labels["job"].as_str()?, *value)))
            .filter(|(job, _)| !job.starts_with("utf8_"))
            .collect();
        let named: BTreeSet<_> = jobs.map(|job| job.name).collect();
        assert_eq!(
            answers.keys().copied().collect::<BTreeSet<_>>(),
            named,
            "{query}"
        );
        for (job, answer) in answers {
            assert!(
                are_close(answer, expected),
                "{query}: {answer} of {job}, not {expected}"
            );
        }
    }
}

async fn check_values(prometheus: &Prometheus, registry: &Registry, job: &Job) {
    let reader = Reader {
        classic: job.classic,
        negative_sums: job.format != Format::OpenMetrics,
        escaping: Escaping::Underscores,
    };
    let expected = expected(registry, reader);
    assert_same(job.name, &read(prometheus, job.name).await, &expected);
}

/// Returns all series of a job that come from the registry.
async fn read(prometheus: &Prometheus, job: &str) -> Series {
    let query = format!("{{job='{job}',__name__!~'(tachometer|scrape)_.*|up'}}");
    let series = prometheus.query(&query).await;
    let mut read = Series::new();
    for (metric, value) in series {
        assert!(read.insert(series_labels(&metric), value).is_none());
    }
    read
}

/// Returns the labels of a series without those that Prometheus adds, with a normalized bound.
fn series_labels(metric: &Value) -> Labels {
    let mut labels_left = labels(metric);
    labels_left.remove("job");
    labels_left.remove("instance");
    if let Some(le) = labels_left.get_mut("le") {
        *le = le.parse::<f64>().unwrap().to_string();
    }
    labels_left
}

/// Asserts that the same series are there with the very same numbers.
#[track_caller]
fn assert_same(job: &str, read: &Series, expected: &Series) {
    let differ = |other: &Series, labels, value: f64| {
        let there = other.get(labels).copied();
        there.is_none_or(|there| there != value && !(there.is_nan() && value.is_nan()))
    };
    let more = read
        .iter()
        .filter(|(labels, value)| differ(expected, labels, **value));
    let less = expected
        .iter()
        .filter(|(labels, value)| differ(read, labels, **value));
    let (more, less): (Vec<_>, Vec<_>) = (more.take(5).collect(), less.take(5).collect());
    assert!(
        more.is_empty() && less.is_empty(),
        "{job} has {} series, of them {more:?}, instead of {}, of them {less:?}",
        read.len(),
        expected.len()
    );
}

fn are_close(one: f64, other: f64) -> bool {
    one == other || (one - other).abs() <= 1e-9 * one.abs().max(other.abs())
}
