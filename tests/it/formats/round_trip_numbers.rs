//! Numbers, exemplars and times come back from every format exactly, and registries of any size
//! completely.

use fastrand::Rng;
use serde_json::Value;
use tachometer::export::Format;
use tachometer::registry::{Collect, CollectSink};
use tachometer::snapshot::{Desc, Escaping, Kind, Resolution, SeriesBlock};
use tachometer::{Buckets, Histogram, Registry};

use crate::support::compare_exports::{check_all, read, read_json};
use crate::support::parse::{Family, Series, protobuf};
use crate::support::read::series;

/// A number of any magnitude and sign, often a special one.
fn any_number(random: &mut Rng) -> f64 {
    const SPECIAL: [f64; 16] = [
        0.0,
        -0.0,
        f64::NAN,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::MIN_POSITIVE,
        f64::MAX,
        f64::MIN,
        f64::EPSILON,
        5e-324,
        -2.225_073_858_507_201e-308,
        999_999_999_999_999.0,
        1e15,
        -1e15,
        9_007_199_254_740_993.0,
        0.1,
    ];
    match random.u8(..4) {
        0 => SPECIAL[random.usize(..SPECIAL.len())],
        1 => f64::from(random.i32(..)),
        2 => f64::from(random.i32(..)) / 1_000.0,
        _ => f64::from_bits(random.u64(..)),
    }
}

#[test]
fn counters_and_gauges_of_any_number_come_back_exactly() {
    let registry = Registry::new();
    let gauges = registry.gauge_family("g", "Any.", ["n"]).unwrap();
    let wholes = registry.counter_family("whole", "", ["n"]).unwrap();
    let sums = registry
        .counter_family("sum_seconds_total", "", ["n"])
        .unwrap();
    let mut random = Rng::with_seed(1);
    for number in 0..1_500 {
        let n = &*number.to_string();
        gauges.with([n]).set(any_number(&mut random));
        wholes.with([n]).inc_by(random.u64(..) >> random.u32(..64));
        for _ in 0..random.usize(..3) {
            sums.with([n]).inc_by(any_number(&mut random).abs());
        }
    }
    for (n, whole) in [("most", u64::MAX), ("odd", (1 << 53) + 1)] {
        wholes.with([n]).inc_by(whole);
    }
    // Sums that are too large saturate at the largest number.
    sums.with(["most"]).inc_by(f64::MAX);
    sums.with(["most"]).inc_by(f64::MAX);
    sums.with(["most"]).inc_by(u64::MAX);
    assert_eq!(sums.with(["most"]).get(), f64::MAX);
    check_all(&registry);
    let text = registry.export_prometheus();
    assert!(text.contains("whole_total{n=\"most\"} 18446744073709551615\n"));
    assert!(text.contains("whole_total{n=\"odd\"} 9007199254740993\n"));
}

fn observe(histogram: &Histogram, random: &mut Rng, scale: i32) {
    for _ in 0..random.usize(..40) {
        let value = match random.u8(..6) {
            0 => any_number(random),
            1 => 0.0,
            _ => (random.f64() - 0.3) * 10_f64.powi(random.i32(-scale..=scale)),
        };
        histogram.observe(value);
    }
}

#[test]
fn histograms_of_any_bounds_and_resolution_come_back_exactly() {
    for seed in 0..20 {
        let mut random = Rng::with_seed(seed);
        let registry = Registry::new();
        for number in 0..4 {
            let mut bounds: Vec<_> = (0..random.usize(1..12))
                .map(|_| any_number(&mut random))
                .filter(|bound| bound.is_finite())
                .chain([1.5])
                .collect();
            bounds.sort_by(f64::total_cmp);
            bounds.dedup();
            let schema = random.u8(0..=8);
            let buckets = Buckets::new(&bounds).unwrap();
            let resolution = Resolution::from_schema(schema).unwrap();
            let buckets = if random.bool() {
                buckets.resolution(resolution)
            } else {
                buckets
            };
            let name = format!("h{number}_seconds");
            let family = registry
                .histogram_family_with_buckets(&name, "", ["n"], buckets)
                .unwrap();
            for n in ["a", "b", "c"] {
                observe(&family.with([n]), &mut random, 3);
            }
            let alone = format!("alone{number}");
            let alone = registry.histogram_with_buckets(&alone, "", Buckets::new(&bounds).unwrap());
            observe(&alone.unwrap(), &mut random, i32::from(schema) * 20);
        }
        check_all(&registry);
    }
}

#[test]
fn exemplars_come_back_on_their_bucket_with_value_and_time() {
    let mut random = Rng::with_seed(5);
    for _ in 0..8 {
        let registry = Registry::new();
        let counters = registry.counter_family("c", "", ["n"]).unwrap();
        let histograms = registry
            .histogram_family_with_buckets(
                "h",
                "",
                ["n"],
                Buckets::new(&[-1.0, 0.5, 2.0, 1e6]).unwrap(),
            )
            .unwrap();
        for n in 0..70 {
            let n = &*n.to_string();
            let (counter, histogram) = (counters.with([n]), histograms.with([n]));
            for _ in 0..random.usize(..4) {
                let trace = ["", "4bf9", "\"\\\n", "é,a=\"b\"} 1 # {"][random.usize(..4)];
                let labels = [("trace_id", trace), ("span_id", n)];
                let labels = &labels[..random.usize(..=2)];
                let value = [-3.0, 0.5, 0.7, 2.5, 1e9][random.usize(..5)];
                histogram.observe_with_exemplar(value, labels);
                counter.inc_with_exemplar(value.abs(), labels);
            }
        }
        check_all(&registry);
    }
}

/// A registry of every kind of metric, families of many blocks among them.
fn large(width: usize) -> Registry {
    let registry = Registry::new();
    let long = "v".repeat(width);
    let value = |number: usize| format!("{number}{long}");
    let gauges = registry.gauge_family("g", "Many.", ["n"]).unwrap();
    let counters = registry.counter_family("c_bytes", "Many.", ["n"]).unwrap();
    let histograms = registry.histogram_family("h", "Many.", ["n"]).unwrap();
    for number in 0..300 {
        gauges.with([&value(number)]).set(number);
        counters.with([&value(number)]).inc_by(number);
    }
    for number in 0..130 {
        histograms.with([&value(number)]).observe(0.1);
    }
    for number in 0..64 {
        let name = format!("single_{number}");
        registry.gauge(&name, "One.").unwrap().set(number);
    }
    registry
}

#[test]
fn families_of_many_blocks_chunks_and_messages_come_back_whole() {
    for width in [0, 20, 240] {
        let registry = large(width);
        check_all(&registry);
    }
    let export = large(240).export(Format::Protobuf).to_bytes();
    let (families, lengths) = protobuf::parse(&export).unwrap();
    assert_eq!(lengths.len(), families.len() + 5, "{lengths:?}");
    assert!(lengths.iter().all(|length| *length < 30_000), "{lengths:?}");
    // A series longer than a chunk and a message is whole too.
    let registry = Registry::new();
    for length in (1..=140_000).step_by(20_011) {
        let family = registry.gauge_family("g", "Long.", ["n"]).unwrap();
        // An open label's value of such a length has to be declared.
        let value = "é\"".repeat(length);
        let family = family.declare([&[&value]]);
        family.with([&value]).set(length);
    }
    let is_long = |block: SeriesBlock| {
        let mut labels = block.labels.iter();
        labels.any(|labels| labels.as_str().len() > 400_000)
    };
    assert!(registry.gather().any(is_long));
    check_all(&registry);
}

/// Line lengths that make a chunk end at every part of a line in turn.
#[test]
fn nothing_is_lost_at_the_end_of_a_chunk() {
    for width in (190..=230).step_by(4) {
        let registry = Registry::new();
        let family = registry.gauge_family("g", "Many.", ["n"]).unwrap();
        for number in 0..600 {
            family.with([&format!("{number:0width$}")]).set(number);
        }
        for format in [Format::Text, Format::OpenMetrics, Format::Protobuf] {
            let exported = read(
                format,
                &registry.export(format).filter_names(["g"]).to_bytes(),
            );
            assert_eq!(exported[0].series.len(), 600, "{format:?} {width}");
        }
    }
}

#[test]
fn a_limit_leaves_out_all_but_the_first_series() {
    let registry = large(20);
    let all = registry.gather().map(|block| block.labels.len()).sum();
    assert!(all > series(&registry));
    let near = [
        0, 1, 63, 64, 65, 127, 128, 129, 192, 299, 300, 301, 430, 795,
    ];
    for limit in near.into_iter().chain([all - 1, all, all + 1]) {
        for format in [Format::Text, Format::OpenMetrics, Format::Protobuf] {
            let whole = read(format, &registry.export(format).to_bytes());
            let part = read(format, &registry.export(format).limit(limit).to_bytes());
            let flat =
                |families: &[Family]| -> Vec<_> { families.iter().flat_map(named).collect() };
            let (whole, part) = (flat(&whole), flat(&part));
            assert_eq!(part, whole[..limit.min(all)], "{format:?} {limit}");
        }
        let bytes = registry.export(Format::Json).limit(limit).to_bytes();
        let json: Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(read_json(&bytes).len(), limit.min(all), "{limit}");
        assert_eq!(json.get("truncated").is_some(), limit < all, "{limit}");
    }
}

/// Returns a family's series, each with the family's name.
fn named(family: &Family) -> Vec<(String, Series)> {
    let series = family.series.iter();
    series
        .map(|series| (family.name.clone(), series.clone()))
        .collect()
}

#[test]
fn only_requested_families_are_exported() {
    let registry = large(20);
    for (asked, there) in [
        (&["g"][..], &["g"][..]),
        (&["c_bytes_total"], &["c_bytes_total"]),
        (&["c_bytes", "h", "nothing"], &["c_bytes_total", "h"]),
        (
            &["single_7", "tachometer_series"],
            &["single_7", "tachometer_series"],
        ),
        (&["nothing"], &[]),
        (&[], &[]),
    ] {
        for format in [Format::Text, Format::Protobuf] {
            let export = registry.export(format).filter_names(asked.iter().copied());
            let exported = read(format, &export.to_bytes());
            let names: Vec<_> = exported.iter().map(|family| &*family.name).collect();
            assert_eq!(names, there, "{format:?}");
        }
    }
}

#[test]
fn an_empty_registry_is_empty_in_every_format() {
    let registry = Registry::new();
    check_all(&registry);
    let open_metrics = registry.export(Format::OpenMetrics).to_bytes();
    assert_eq!(open_metrics, b"# EOF\n");
    assert!(registry.export(Format::Protobuf).to_bytes().is_empty());
}

#[test]
fn names_that_an_escaping_scheme_makes_equal_are_refused() {
    let registry = Registry::new().with_utf8_names();
    registry.gauge("a.b", "").unwrap();
    registry.counter("c.d", "").unwrap();
    registry.histogram("e.f", "").unwrap();
    for name in ["a_b", "U__a_2e_b", "U__c_2e_d__total", "U__e_2e_f_count"] {
        assert!(registry.gauge(name, "").is_err(), "{name}");
    }
    for labels in [
        [("x.y", ""), ("U__x_2e_y", "")],
        [("x", ""), ("-name-", "")],
    ] {
        assert!(registry.gauge_with("g", "", labels).is_err(), "{labels:?}");
    }
}

/// Series of several families, produced at each scrape.
struct Computed;

impl Collect for Computed {
    fn describe(&self) -> Vec<Desc> {
        vec![
            Desc::new("computed.gauge", "Quotes \" and\nlines.", Kind::Gauge),
            Desc::new("computed.bytes", "", Kind::Counter),
            Desc::new("computed.seconds", "", Kind::Histogram),
        ]
    }

    fn collect(&self, collected: &mut CollectSink<'_>) {
        let histogram = Histogram::with_buckets(Buckets::new(&[0.0, 1.0]).unwrap());
        for number in 0..150_u32 {
            let n = &*number.to_string();
            histogram.observe(f64::from(number) / 8.0);
            collected.gauge("computed.gauge", [("a.b", n), ("c\"", "")], -1.5);
            collected.counter("computed.bytes", [("x", n)], number);
            collected.histogram("computed.seconds", [("x y", n)], &histogram);
        }
    }
}

#[test]
fn names_of_every_kind_of_metric_come_back_under_every_scheme() {
    let registry = Registry::new()
        .with_utf8_names()
        .with_labels([("az.é", "1\"")])
        .unwrap();
    registry.collector(Computed).unwrap();
    for name in [
        "http.duration_seconds",
        "größe",
        "a:b",
        "_x",
        "9",
        "a__b",
        "\"{\n\\",
        "plain",
    ] {
        let name = |kind: &str| format!("{name}{kind}");
        for label in ["k.é", "_k", "k\""] {
            let more = format!(".{label}");
            registry
                .counter_with(&name(&format!(".c{more}")), "H.", [(label, "1")])
                .unwrap()
                .inc_with_exemplar(1, &[("trace", "\\")]);
            registry
                .gauge_with(&name(&format!(".g{more}")), "", [(label, "")])
                .unwrap();
            registry
                .histogram_with(&name(&format!(".h{more}")), "", [(label, "\n")])
                .unwrap()
                .observe_with_exemplar(0.3, &[("trace", "\"")]);
        }
        registry.counter(&name("_total"), "").unwrap().inc();
    }
    check_all(&registry);
    let utf8 = registry
        .export(Format::TextV1)
        .escaping(Escaping::Utf8)
        .to_bytes();
    let utf8 = String::from_utf8(utf8).unwrap();
    assert!(
        utf8.contains("\n{\"computed.gauge\",\"az.é\"=\"1\\\"\",\"a.b\"=\"0\"} -1.5\n"),
        "{utf8}"
    );
}
