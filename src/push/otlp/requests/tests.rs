//! Requests of a registry.

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::encode::{OtlpSettings, Temporality, WireMessage};
use crate::metric::Counter;
use crate::push::otlp::Compression;
use crate::push::otlp::delta::SharedBaselines;
use crate::push::otlp::requests::{MAX_BYTES, RequestSettings, Requests};
use crate::registry::{Collect, CollectSink, Registry};
use crate::snapshot::{Desc, Kind};

fn settings(registry: &Registry, temporality: Temporality) -> RequestSettings {
    RequestSettings {
        registry: registry.clone(),
        otlp: OtlpSettings::default(),
        temporality,
        baselines: SharedBaselines::default(),
        compression: Compression::None,
    }
}

/// Returns the metrics of a request.
fn metrics(request: &[u8]) -> Vec<WireMessage> {
    let resource_metrics = WireMessage::new(request).message(1);
    resource_metrics.message(2).messages(2)
}

/// Returns the points of a counter in a request.
fn points(request: &[u8], name: &str) -> Vec<WireMessage> {
    let metrics = metrics(request);
    let metric = metrics.iter().find(|metric| metric.text(1) == name);
    metric.map_or(Vec::new(), |metric| metric.message(7).messages(1))
}

/// Sends the registry, and returns what is sent of a counter.
fn export(settings: &RequestSettings, name: &str) -> Vec<u64> {
    let mut requests = Requests::new(settings.clone(), None);
    let mut values = Vec::new();
    while let Some(body) = requests.next_request() {
        let points = points(&body.bytes, name);
        values.extend(points.iter().filter_map(|point| point.fixed(6)));
        requests.accept_request();
    }
    values
}

/// A collector with a counter.
struct Source {
    count: Arc<AtomicU64>,
    is_idle: Arc<AtomicBool>,
    panics: Arc<AtomicBool>,
}

impl Collect for Source {
    fn describe(&self) -> Vec<Desc> {
        vec![Desc::new("source", "", Kind::Counter)]
    }

    fn collect(&self, sink: &mut CollectSink<'_>) {
        assert!(!self.panics.load(Ordering::Relaxed), "the source fails");
        if !self.is_idle.load(Ordering::Relaxed) {
            sink.counter("source", [], self.count.load(Ordering::Relaxed));
        }
    }
}

#[test]
fn a_series_of_a_collector_is_not_counted_again_after_it_was_missing() {
    let (count, is_idle, panics) = <(Arc<AtomicU64>, Arc<AtomicBool>, Arc<AtomicBool>)>::default();
    let registry = Registry::new();
    let source = Source {
        count: Arc::clone(&count),
        is_idle: Arc::clone(&is_idle),
        panics: Arc::clone(&panics),
    };
    registry.collector(source).unwrap();
    let settings = settings(&registry, Temporality::Delta);
    count.store(1_000_000, Ordering::Relaxed);
    assert_eq!(export(&settings, "source_total"), [1_000_000]);
    for missing in [&is_idle, &panics] {
        missing.store(true, Ordering::Relaxed);
        for _ in 0..10 {
            assert!(export(&settings, "source_total").is_empty());
        }
        missing.store(false, Ordering::Relaxed);
        count.fetch_add(7, Ordering::Relaxed);
        assert_eq!(export(&settings, "source_total"), [7]);
    }
    // Its source starts again, and then has more than before.
    count.store(5, Ordering::Relaxed);
    assert_eq!(export(&settings, "source_total"), [0]);
    count.store(3_000_000, Ordering::Relaxed);
    assert_eq!(export(&settings, "source_total"), [3_000_000]);
}

/// A collector whose family appears with its first count, and whose series has a creation time in
/// milliseconds since 1970.
struct LateSource(Arc<Mutex<Option<(u64, u64)>>>);

impl Collect for LateSource {
    fn collect(&self, sink: &mut CollectSink<'_>) {
        let Some((count, created_millis)) = *self.0.lock().unwrap() else {
            return;
        };
        let desc = Desc::new("late", "", Kind::Counter);
        sink.family(&desc).unwrap();
        let created = UNIX_EPOCH + Duration::from_millis(created_millis);
        sink.counter("late", [], count).created(created);
    }
}

#[test]
fn a_family_that_appears_counts_from_the_creation_of_its_series() {
    let source = Arc::new(Mutex::new(None));
    let registry = Registry::new();
    registry.collector(LateSource(Arc::clone(&source))).unwrap();
    let settings = settings(&registry, Temporality::Delta);
    assert!(export(&settings, "late_total").is_empty());
    for (state, delta) in [
        (Some((1_000_000, 5_000)), Some(1_000_000)),
        (Some((1_000_007, 5_000)), Some(7)),
        (None, None),
        (Some((1_000_009, 5_000)), Some(2)),
        // The series was created again, and has less or more than before.
        (Some((4, 6_000)), Some(4)),
        (Some((2_000_000, 7_000)), Some(2_000_000)),
    ] {
        *source.lock().unwrap() = state;
        let expected: Vec<u64> = delta.into_iter().collect();
        assert_eq!(export(&settings, "late_total"), expected, "{state:?}");
    }
}

#[test]
fn a_stored_series_counts_from_0_after_it_was_removed() {
    let registry = Registry::new();
    let jobs = registry
        .counter_family("jobs_total", "", ["queue"])
        .unwrap();
    let settings = settings(&registry, Temporality::Delta);
    jobs.with(["mail"]).inc_by(9);
    assert_eq!(export(&settings, "jobs_total"), [9]);
    jobs.remove(["mail"]);
    for _ in 0..3 {
        assert!(export(&settings, "jobs_total").is_empty());
    }
    jobs.with(["mail"]).inc_by(11);
    assert_eq!(export(&settings, "jobs_total"), [11]);
}

#[test]
fn a_request_has_the_time_at_which_it_begins() {
    let registry = Registry::new();
    let jobs = registry
        .counter_family("jobs_total", "", ["queue"])
        .unwrap()
        .limit(usize::MAX);
    for queue in 0..25_000 {
        jobs.with([&*queue.to_string()]).inc();
    }
    for temporality in [Temporality::Cumulative, Temporality::Delta] {
        let settings = settings(&registry, temporality);
        let mut requests = Requests::new(settings.clone(), None);
        // The clock moves by 1 ms whenever it is read, and by 25 s between requests.
        let start = SystemTime::now() + Duration::from_secs(3_600);
        let clock = Cell::new(start);
        let tick = || {
            clock.set(clock.get() + Duration::from_millis(1));
            clock.get()
        };
        let mut times = Vec::new();
        loop {
            let before = clock.get();
            let Some(body) = requests.next_request_at(tick) else {
                break;
            };
            requests.accept_request();
            let points = points(&body.bytes, "jobs_total");
            let mut point_times: Vec<_> = points.iter().map(|point| point.fixed(3)).collect();
            point_times.dedup();
            assert_eq!(point_times.len(), 1);
            let expected = before + Duration::from_millis(1);
            assert_eq!(point_times[0], Some(millis(expected) * 1_000_000));
            times.push(point_times[0]);
            clock.set(clock.get() + Duration::from_secs(25));
        }
        assert_eq!(times.len(), 3);
        if temporality == Temporality::Delta {
            let mut next = Requests::new(settings, None);
            let body = next.next_request_at(tick).unwrap();
            // Intervals follow one another.
            assert_eq!(points(&body.bytes, "jobs_total")[0].fixed(2), times[0]);
        }
    }
}

#[test]
fn an_exemplar_that_is_recorded_during_an_export_is_sent_by_the_next_one() {
    let registry = Registry::new();
    let jobs = registry.counter("jobs_total", "").unwrap();
    let settings = settings(&registry, Temporality::Cumulative);
    let exemplars = |requests: &mut Requests| {
        let body = requests.next_request().unwrap();
        points(&body.bytes, "jobs_total")[0].messages(5).len()
    };
    let mut first = Requests::new(settings.clone(), None);
    // Before its series is read.
    jobs.inc_with_exemplar(1, &[("trace_id", "a")]);
    assert_eq!(exemplars(&mut first), 0);
    let recorded = SystemTime::now();
    let mut second = Requests::new(settings.clone(), Some(first.read_at()));
    while second.read_at() <= recorded {
        second = Requests::new(settings.clone(), Some(first.read_at()));
    }
    assert_eq!(exemplars(&mut second), 1);
    let mut third = Requests::new(settings, Some(second.read_at()));
    assert_eq!(exemplars(&mut third), 0);
}

#[test]
fn requests_with_many_long_help_texts_are_split() {
    let registry = Registry::new();
    let help = "h".repeat(200);
    let counters: Vec<Counter> = (0..10_000)
        .map(|metric| {
            let name = format!("metric_{metric}_total");
            registry.counter(&name, &help).unwrap()
        })
        .collect();
    let mut requests = Requests::new(settings(&registry, Temporality::Cumulative), None);
    let (mut sent, mut requests_sent) = (0, 0);
    while let Some(body) = requests.next_request() {
        let len = body.bytes.len();
        assert!(len <= MAX_BYTES, "{len} bytes");
        sent += metrics(&body.bytes).len();
        requests_sent += 1;
    }
    assert_eq!((sent, requests_sent), (counters.len(), 3));
}

#[test]
fn a_resource_that_is_larger_than_a_request_is_sent_with_a_block() {
    let registry = Registry::new();
    registry.counter("jobs_total", "").unwrap();
    let mut settings = settings(&registry, Temporality::Cumulative);
    let attribute = ("text".to_owned(), "a".repeat(MAX_BYTES));
    settings.otlp.resource = vec![attribute];
    assert_eq!(export(&settings, "jobs_total"), [0]);
}

fn millis(time: SystemTime) -> u64 {
    let since_1970 = time.duration_since(UNIX_EPOCH).unwrap();
    u64::try_from(since_1970.as_millis()).unwrap()
}
