//! The numbers and labels of registries of every kind.

use std::collections::BTreeMap;

use fastrand::Rng;
use serde_json::{Value, json};
use tachometer::push::{Otlp, Temporality};
use tachometer::snapshot::{Desc, HistogramView, SeriesBlock, Values};
use tachometer::{Buckets, Registry};

use crate::formats::parsers::awkward_values;
use crate::otlp::decoded::{
    by_name, decode, export, number, opentelemetry_python, points, requests,
};

/// The labels of a point, in any order.
type Labels = BTreeMap<String, String>;

fn labels(point: &Value) -> Labels {
    let attributes = point["attributes"].as_array().unwrap().iter();
    let pairs = attributes.map(|attribute| {
        assert_eq!(attribute[1], "string_value");
        let text = |index: usize| attribute[index].as_str().unwrap().to_owned();
        (text(0), text(2))
    });
    pairs.collect()
}

/// Returns true if both numbers are the same, or NaN.
fn is_same(one: f64, other: f64) -> bool {
    one == other || one.is_nan() && other.is_nan()
}

/// Checks the point of one series.
#[track_caller]
fn check_point(point: &Value, block: &SeriesBlock, series: usize, exponential: bool) {
    let created = block.created_millis[series] * 1_000_000;
    match &block.values {
        Values::Counter(counts) => {
            let is_integer =
                counts[series].fraction == 0.0 && i64::try_from(counts[series].whole).is_ok();
            let field = if is_integer { "as_int" } else { "as_double" };
            assert_eq!(point["value"][0], field);
            assert_eq!(number(&point["value"][1]), counts[series].value());
            assert_eq!(point["start"], created);
        }
        Values::Gauge(numbers) => {
            assert_eq!(point["value"][0], "as_double");
            let sent = number(&point["value"][1]);
            assert!(is_same(sent, numbers[series]), "{sent} {}", numbers[series]);
            assert_eq!(point["start"], 0);
        }
        Values::Histogram(histograms) => {
            assert_eq!(point["start"], created);
            let histogram = histograms.get(series).unwrap();
            check_histogram(point, &histogram, exponential);
        }
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn check_histogram(point: &Value, histogram: &HistogramView<'_>, exponential: bool) {
    let totals = histogram.totals();
    assert_eq!(point["count"], histogram.count());
    if totals.min >= 0.0 {
        assert!(is_same(number(&point["sum"]), totals.sum));
    } else {
        assert_eq!(point["sum"], Value::Null);
    }
    if histogram.count() > 0 {
        let extremes = (number(&point["min"]), number(&point["max"]));
        assert_eq!(extremes, (totals.min, totals.max));
    } else {
        assert_eq!([&point["min"], &point["max"]], [&Value::Null; 2]);
    }
    let Some(native) = histogram.native().filter(|_| exponential) else {
        assert_eq!(point["counts"], json!(histogram.counts()));
        let bounds = point["bounds"].as_array().unwrap().iter().map(number);
        assert!(bounds.eq(histogram.bounds().iter().copied()));
        return;
    };
    assert_eq!(point["zero_count"], native.zero_count);
    assert_eq!(number(&point["zero_threshold"]), 2_f64.powi(-128));
    let scale = point["scale"].as_i64().unwrap();
    let halvings = i64::from(native.resolution.schema()) - scale;
    for (sign, buckets) in [
        ("positive", &native.positive),
        ("negative", &native.negative),
    ] {
        let mut expected: BTreeMap<i64, u64> = BTreeMap::new();
        for (index, count) in buckets {
            *expected
                .entry((i64::from(*index) - 1) >> halvings)
                .or_default() += count;
        }
        let offset = point[sign][0].as_i64().unwrap();
        let counts = point[sign][1].as_array().unwrap();
        assert!(counts.len() <= 160);
        let counts = (offset..).zip(counts.iter().map(|count| count.as_u64().unwrap()));
        let counts: BTreeMap<_, _> = counts.filter(|(_, count)| *count > 0).collect();
        assert_eq!(counts, expected);
    }
}

fn kind(desc: &Desc, exponential: bool) -> &'static str {
    match desc.kind().as_str() {
        "counter" => "sum",
        "histogram" if exponential => "exponential_histogram",
        "histogram" => "histogram",
        _ => "gauge",
    }
}

/// Checks that decoded metrics have the numbers of a registry.
#[track_caller]
fn check(registry: &Registry, metrics: &BTreeMap<String, Value>, exponential: bool) {
    let mut series = BTreeMap::new();
    for block in registry.gather() {
        let desc = &block.desc;
        if desc.name().starts_with("tachometer_") {
            continue;
        }
        let name = if desc.name().contains('.') {
            desc.name()
        } else {
            desc.exposed_name()
        };
        let metric = &metrics[name];
        let has_native = matches!(&block.values, Values::Histogram(all) if !all.native.is_empty());
        assert_eq!(metric["kind"], kind(desc, exponential && has_native));
        assert_eq!(metric["help"], desc.help());
        assert_eq!(metric["is_monotonic"], desc.kind().as_str() == "counter");
        let points = points(metric);
        let first = series.entry(name.to_owned()).or_insert(0);
        for (index, expected) in block.labels.iter().enumerate() {
            let point = &points[*first + index];
            let mut expected: Labels = expected
                .pairs()
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect();
            expected.retain(|_, value| !value.is_empty());
            assert_eq!(labels(point), expected);
            check_point(point, &block, index, exponential && has_native);
        }
        *first += block.labels.len();
    }
    for (name, metric) in metrics {
        assert_eq!(points(metric).len(), series[name], "{name}");
    }
}

fn exponential(otlp: Otlp) -> Otlp {
    otlp.exponential_histograms(true)
}

#[test]
fn the_official_messages_decode_hostile_labels_and_extreme_numbers() {
    if !opentelemetry_python() {
        return;
    }
    let registry = Registry::new().with_utf8_names();
    let family = registry.gauge_family("awkward", "Values.", ["value", "Grüße."]);
    let family = family.unwrap();
    for (number, value) in awkward_values().iter().enumerate() {
        let number = u32::try_from(number).unwrap();
        family.with([value, ""]).set(number);
        family.with(["", value]).set(number);
        let help = registry.gauge(&format!("help.{number}"), value).unwrap();
        help.set(f64::from(number) / 7.0);
    }
    for (name, value) in [("nan", f64::NAN), ("inf", f64::INFINITY), ("low", -1e300)] {
        registry.gauge(name, "").unwrap().set(value);
    }
    registry.counter("rpc.calls", "").unwrap().inc_by(u64::MAX);
    registry.counter("sent_bytes", "").unwrap().inc_by(0.1);
    registry.counter("zero_total", "").unwrap();
    registry.histogram("never_seconds", "").unwrap();
    let wide = registry.histogram("wide", "").unwrap();
    for value in [1e-300, 1e300, 0.0, 5e-324, f64::MAX, 2_f64.powi(-128), 1.0] {
        wide.observe(value);
    }
    let signed = registry.histogram("signed_celsius", "").unwrap();
    for value in [-40.0, -1e-9, 12.5] {
        signed.observe(value);
    }
    let metrics = export(&registry, |otlp| otlp);
    check(&registry, &metrics, false);
    assert_eq!(metrics["sent_bytes_total"]["unit"], "By");
    assert_eq!(metrics["never_seconds"]["unit"], "s");
    assert_eq!(metrics["signed_celsius"]["unit"], "Cel");
    check(&registry, &export(&registry, exponential), true);
}

/// Makes a registry with random metrics.
fn random_registry(random: &mut Rng) -> Registry {
    let registry = Registry::new();
    let texts = awkward_values();
    let value = |random: &mut Rng| match random.u8(0..6) {
        0 => random.f64(),
        1 => f64::from(random.u16(..)),
        2 => (random.f64() * 2_000.0 - 1_000.0).exp2(),
        3 => -(random.f64() * 100.0 - 50.0).exp2(),
        4 => 0.0,
        _ => f64::from(random.u8(..)) / 16.0,
    };
    for number in 0..random.u32(1..8) {
        let names: Vec<_> = (0..random.usize(0..3)).map(|n| format!("l{n}")).collect();
        let name = |kind: &str| format!("{kind}_{number}");
        for _ in 0..random.u32(1..90) {
            let values: Vec<_> = names
                .iter()
                .map(|name| (&**name, &*texts[random.usize(..texts.len())]))
                .collect();
            let counter = registry.counter_with(&name("c"), "C.", &values).unwrap();
            counter.inc_by(random.u64(..) >> random.u32(1..64));
            if random.bool() {
                counter.inc_by(random.f64());
            }
            let gauge = registry.gauge_with(&name("g"), "G.", &values).unwrap();
            gauge.set(value(random));
            let histogram = registry.histogram_with(&name("h"), "H.", &values).unwrap();
            for _ in 0..random.u32(0..20) {
                histogram.observe(value(random));
            }
        }
        let schema = tachometer::snapshot::Resolution::from_schema(random.u8(0..=8)).unwrap();
        let buckets = Buckets::new(&[-1.0, 0.0, 3.5]).unwrap().resolution(schema);
        let native = registry.histogram_with_buckets(&name("n"), "N.", buckets);
        let native = native.unwrap();
        let is_positive = random.bool();
        for _ in 0..random.u32(0..200) {
            let value = value(random);
            native.observe(if is_positive { value.abs() } else { value });
        }
    }
    registry
}

#[test]
fn random_registries_have_the_same_numbers_in_the_official_messages() {
    if !opentelemetry_python() {
        return;
    }
    for seed in 0..24 {
        let mut random = Rng::with_seed(seed);
        let registry = random_registry(&mut random);
        let is_exponential = seed % 2 == 0;
        let metrics = export(&registry, |otlp| {
            otlp.exponential_histograms(is_exponential)
        });
        check(&registry, &metrics, is_exponential);
    }
}

#[test]
fn an_export_of_25_000_series_is_split_into_requests_without_a_loss() {
    if !opentelemetry_python() {
        return;
    }
    let registry = Registry::new();
    let family = registry
        .counter_family("jobs_total", "Jobs.", ["id"])
        .unwrap();
    let family = family.limit(30_000);
    for id in 0..25_000_u64 {
        family.with([&*id.to_string()]).inc_by(id);
    }
    let requests = requests(&registry, |otlp| otlp);
    assert_eq!(requests.len(), 3);
    let mut ids = BTreeMap::new();
    for metric in decode(&requests)
        .iter()
        .filter(|metric| metric["name"] == "jobs_total")
    {
        for point in points(metric) {
            let id = labels(point).remove("id").unwrap();
            assert_eq!(ids.insert(id, number(&point["value"][1])), None);
        }
    }
    assert_eq!(ids.len(), 25_000);
    assert!(ids.iter().all(|(id, value)| id.parse() == Ok(*value)));
}

#[test]
fn exemplars_have_trace_ids_and_attributes_in_the_official_messages() {
    if !opentelemetry_python() {
        return;
    }
    let registry = Registry::new();
    let trace_id = "0af7651916cd43dd8448eb211c80319c";
    let labels = [
        ("trace_id", trace_id),
        ("span_id", "b7ad6b7169203331"),
        ("user", "\"ü\n"),
    ];
    let counter = registry.counter("jobs_total", "").unwrap();
    counter.inc_with_exemplar(3, &labels);
    let histogram = registry.histogram("wait_seconds", "").unwrap();
    histogram.observe_with_exemplar(0.3, &labels);
    let explicit = export(&registry, |otlp| otlp);
    let exponential = export(&registry, exponential);
    for (metric, value) in [
        (&explicit["jobs_total"], 3.0),
        (&explicit["wait_seconds"], 0.3),
        (&exponential["wait_seconds"], 0.3),
    ] {
        let exemplar = &points(metric)[0]["exemplars"][0];
        assert_eq!(exemplar["trace_id"], trace_id);
        assert_eq!(exemplar["span_id"], "b7ad6b7169203331");
        assert_eq!(
            exemplar["attributes"],
            json!([["user", "string_value", "\"ü\n"]])
        );
        assert_eq!(number(&exemplar["value"]), value);
        assert!(exemplar["time"].as_u64() > points(metric)[0]["start"].as_u64());
    }
}

#[test]
fn the_temporality_applies_to_counters_and_histograms() {
    if !opentelemetry_python() {
        return;
    }
    let registry = Registry::new();
    registry.counter("jobs_total", "").unwrap().inc();
    registry.gauge("queue", "").unwrap().set(1);
    registry.histogram("wait_seconds", "").unwrap().observe(0.5);
    for (temporality, number) in [(Temporality::Cumulative, 2), (Temporality::Delta, 1)] {
        for exponential in [true, false] {
            let set = |otlp: Otlp| {
                otlp.temporality(temporality)
                    .exponential_histograms(exponential)
            };
            let metrics = by_name(decode(&requests(&registry, set)));
            assert_eq!(metrics["jobs_total"]["temporality"], number);
            assert_eq!(metrics["wait_seconds"]["temporality"], number);
            let has_min = points(&metrics["wait_seconds"])[0]["min"] != Value::Null;
            assert_eq!(has_min, temporality == Temporality::Cumulative);
        }
    }
}
