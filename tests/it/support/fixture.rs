//! A registry with every kind of metric, for other programs to read.

use std::collections::BTreeMap;

use fastrand::Rng;
use tachometer::snapshot::{
    Escaping, Exemplar, HistogramView, Kind, Resolution, SeriesBlock, Values,
};
use tachometer::{Buckets, Family, Histogram, Label, Registry};

use crate::formats::parsers::awkward_values;
use crate::support::read::to_f64;

/// The labels of a series, its name among them.
pub(crate) type Labels = BTreeMap<String, String>;

/// Series, each with its number.
pub(crate) type Series = BTreeMap<Labels, f64>;

/// A registry and the values recorded in it.
pub(crate) struct Fixture {
    pub(crate) registry: Registry,
    /// Histograms with exponential buckets, but for the kinds `classic`, before the
    /// others, and `older`, among them.
    pub(crate) native: Family<Histogram, 1>,
    /// What each of them observed, ascending.
    pub(crate) observed: BTreeMap<&'static str, Vec<f64>>,
}

/// A prime, so that no quantile with two digits is exactly an observation, which rounding could
/// move by one.
pub(crate) const OBSERVED: usize = 1_009;

/// How many series the largest family has.
pub(crate) const SHARDS: usize = 3_000;

/// The kinds of `native_seconds` that observed [`OBSERVED`] values.
pub(crate) const KINDS: [&str; 5] = ["coarse", "usual", "fine", "negative", "mixed"];

impl Fixture {
    pub(crate) fn new() -> Self {
        let registry = Registry::new();
        counters_and_gauges(&registry);
        large_families(&registry);
        with_exemplars(&registry);
        let (native, observed) = native(&registry);
        Self {
            registry,
            native,
            observed,
        }
    }

    /// Returns a registry of names that are not classic.
    pub(crate) fn utf8() -> Registry {
        let registry = Registry::new().with_utf8_names();
        let calls = registry
            .counter_family("rpc.calls", "Calls, \"all\" of them.", ["rpc.system"])
            .unwrap();
        calls.with(["grpc"]).inc_by(7);
        calls.with(["other \\ \"one\""]).inc_by(2.5);
        let names = ["température \"ici\"", "9.lives", "plain"];
        for (name, value) in names.into_iter().zip([-3.5, 9.0, 1.0]) {
            registry.gauge(name, "A gauge.").unwrap().set(value);
        }
        let seconds = registry
            .histogram_family("rpc.duration.seconds", "How long.", ["rpc.system", "plain"])
            .unwrap();
        for value in [0.01, 0.3, 20.0] {
            seconds.with(["grpc", "p"]).observe(value);
        }
        registry
    }
}

fn counters_and_gauges(registry: &Registry) {
    let help = "Orders: \"all\" of them, \\ and\na second line, Grüße 🚀.";
    let orders = registry
        .counter_family("orders_total", help, ["kind"])
        .unwrap();
    // Adjacent numbers above 2^53 differ by two, then by four.
    for (kind, count) in [
        ("none", 0),
        ("one", 1),
        ("to 2^53", 1 << 53),
        ("past 2^53", (1 << 53) + 1),
        ("past 2^54", (1 << 54) + 3),
        ("most", u64::MAX),
    ] {
        orders.with([kind]).inc_by(count);
    }
    for _ in 0..3 {
        orders.with(["fraction"]).inc_by(0.1);
    }
    orders.with(["huge"]).inc_by(1e300);
    // A counter whose name lacks the suffix gets it.
    registry
        .counter("sent_bytes", "Bytes.")
        .unwrap()
        .inc_by(4_096);

    let temperatures = registry
        .gauge_family("temperature_celsius", "How warm it is.", ["kind"])
        .unwrap();
    for (kind, value) in [
        ("negative", -273.15),
        ("tiny", 5e-324),
        ("small", -1e-300),
        ("huge", f64::MAX),
        ("third", 1.0 / 3.0),
        ("minus zero", -0.0),
        ("infinite", f64::INFINITY),
        ("minus infinite", f64::NEG_INFINITY),
        ("nan", f64::NAN),
        // The bits by which Prometheus marks a series that has ended.
        ("stale", f64::from_bits(0x7ff0_0000_0000_0002)),
    ] {
        temperatures.with([kind]).set(value);
    }

    let awkward = registry
        .gauge_family("awkward", "Whatever one may write.", ["value", "other"])
        .unwrap();
    for (number, value) in awkward_values().iter().enumerate() {
        awkward.with([value, ""]).set(number);
    }
}

/// Families whose messages of protobuf are several.
fn large_families(registry: &Registry) {
    let mut random = Rng::with_seed(5);
    let load = registry
        .gauge_family(
            "shard_load",
            "Load.",
            [Label::open("shard"), Label::open("path")],
        )
        .unwrap()
        .limit(2 * SHARDS);
    for number in 0..SHARDS {
        let path = format!("/{}{number}", "a-segment/".repeat(12));
        load.with([&(number % 16).to_string(), &path])
            .set(random.f64() * 2.0 - 1.0);
    }
    let wide = registry
        .histogram_family("wide_seconds", "Classic ones.", ["route"])
        .unwrap();
    for route in 0..200 {
        let wide = wide.with([&format!("/{}{route}", "a-segment/".repeat(20))]);
        for _ in 0..random.usize(..20) {
            wide.observe(random.f64() * 3.0);
        }
    }
    let below = registry
        .histogram_family_with_buckets(
            "below_celsius",
            "",
            ["kind"],
            Buckets::new(&[-9.5, -1.25, 0.0, 7.0]).unwrap(),
        )
        .unwrap();
    for (kind, width) in [("all", 20.0), ("below", 9.0)] {
        for _ in 0..OBSERVED {
            below.with([kind]).observe(random.f64() * width - 10.0);
        }
    }
    below.with(["empty"]);
}

fn with_exemplars(registry: &Registry) {
    let traced = registry
        .counter_family("traced_total", "With traces.", ["kind"])
        .unwrap();
    traced.with(["none"]).inc();
    traced.with(["plain"]).inc_with_exemplar(
        2,
        &[("trace_id", "4bf92f3577b34da6"), ("span_id", "00f067aa")],
    );
    traced
        .with(["awkward"])
        .inc_with_exemplar(0.5, &[("trace_id", "\"\\\n, {Grüße}")]);
    let seconds = registry
        .histogram_family_with_buckets(
            "traced_seconds",
            "",
            ["kind"],
            Buckets::new(&[0.5, 2.0, 8.0]).unwrap(),
        )
        .unwrap();
    let both = registry
        .histogram_family_with_buckets(
            "traced_native_seconds",
            "",
            ["kind"],
            Buckets::new(&[0.5, 2.0, 8.0]).unwrap().native(),
        )
        .unwrap();
    for (value, trace) in [(9.0, "a"), (0.25, "b"), (1.5, "c")] {
        for histograms in [&seconds, &both] {
            let histogram = histograms.with(["x"]);
            histogram.observe_with_exemplar(value, &[("trace_id", trace)]);
            histogram.observe(value);
        }
    }
}

fn native(registry: &Registry) -> (Family<Histogram, 1>, BTreeMap<&'static str, Vec<f64>>) {
    let classic = Buckets::new(&[0.0, 0.5, 2.0, 100.0]).unwrap();
    let of_schema = |schema| {
        let resolution = Resolution::from_schema(schema).unwrap();
        classic.clone().resolution(resolution)
    };
    let native = registry
        .histogram_family_with_buckets(
            "native_seconds",
            "Native ones.",
            ["kind"],
            classic.clone().native(),
        )
        .unwrap()
        .buckets_for("kind", "coarse", of_schema(0))
        .buckets_for("kind", "fine", of_schema(8))
        .buckets_for("kind", "mixed", of_schema(5))
        .buckets_for("kind", "classic", classic.clone())
        .buckets_for("kind", "older", classic.clone());
    let mut random = Rng::with_seed(7);
    let mut observed = BTreeMap::new();
    for kind in KINDS.into_iter().chain(["classic", "older"]) {
        let values = observed.entry(kind).or_insert_with(Vec::new);
        for number in 0..OBSERVED {
            // Magnitudes from a millionth to a million, each as likely.
            let size = 10_f64.powf(random.f64() * 12.0 - 6.0);
            values.push(match kind {
                "negative" => -size,
                "mixed" if number % 10 == 0 => 0.0,
                "mixed" if number % 3 == 0 => -size,
                _ => size,
            });
        }
    }
    observed.insert("zero", vec![0.0, -0.0, 5e-324, -1e-200, 1e-39]);
    observed.insert(
        "far",
        vec![f64::MAX, -1e300, 1e-300, 1e-30, -3e-38, 1.0, 1.0],
    );
    observed.insert("edges", (-40..40).map(|power| 2_f64.powi(power)).collect());
    observed.insert("empty", Vec::new());
    for (kind, values) in &mut observed {
        let histogram = native.with([kind]);
        for value in values.iter() {
            histogram.observe(*value);
        }
        values.sort_by(f64::total_cmp);
    }
    (native, observed)
}

/// Which of a histogram's series a reader keeps.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Classic {
    Always,
    /// Only where there is no native one.
    Else,
}

/// What a reader makes of a registry.
#[derive(Clone, Copy)]
pub(crate) struct Reader {
    pub(crate) classic: Classic,
    /// Whether it gets sums and counts if a sum or a bound is negative, which `OpenMetrics`
    /// forbids.
    pub(crate) negative_sums: bool,
    pub(crate) escaping: Escaping,
}

/// Returns all series of a registry, beside those about itself, as a reader of
/// Prometheus's formats has them: a histogram as its buckets, sum and count.
pub(crate) fn expected(registry: &Registry, reader: Reader) -> Series {
    let escaping = reader.escaping;
    let mut series = Series::new();
    for_each_series(registry, |block, position, mut labels| {
        let name = escaping.metric_name(block.desc.exposed_name()).into_owned();
        labels = labels
            .iter()
            .map(|(name, value)| (escaping.label_name(name).into_owned(), value.clone()))
            .collect();
        let mut add = |suffix: &str, le: Option<f64>, value| {
            let mut labels = labels.clone();
            labels.insert("__name__".into(), format!("{name}{suffix}"));
            if let Some(le) = le {
                labels.insert("le".into(), le.to_string());
            }
            assert!(series.insert(labels, value).is_none());
        };
        match &block.values {
            Values::Counter(counts) => add("", None, counts[position].value()),
            Values::Gauge(numbers) => add("", None, numbers[position]),
            Values::Histogram(histograms) => {
                let histogram = histograms.get(position).unwrap();
                if reader.classic == Classic::Always || histogram.native().is_none() {
                    for (bound, count) in histogram.cumulative() {
                        add("_bucket", Some(bound), to_f64(count));
                    }
                    let least = histogram.totals().sum.min(histogram.bounds()[0]);
                    if reader.negative_sums || least >= 0.0 {
                        add("_sum", None, histogram.totals().sum);
                        add("_count", None, to_f64(histogram.count()));
                    }
                }
            }
            other => panic!("a kind of metric unknown to the tests: {other:?}"),
        }
    });
    series
}

/// Calls `each` for every series of a registry, beside those about itself: with its
/// block, its position there and its labels, those without a value left out, as
/// Prometheus does.
pub(crate) fn for_each_series(
    registry: &Registry,
    mut each: impl FnMut(&SeriesBlock, usize, Labels),
) {
    for block in registry.gather() {
        if block.desc.name().starts_with("tachometer_") {
            continue;
        }
        for (position, labels) in block.labels.iter().enumerate() {
            let pairs = labels.pairs().filter(|(_, value)| !value.is_empty());
            let labels = pairs.map(|(name, value)| (name.to_string(), value.to_string()));
            each(&block, position, labels.collect());
        }
    }
}

/// Calls `each` for every histogram of that name, with its labels.
pub(crate) fn for_each_histogram(
    registry: &Registry,
    name: &str,
    mut each_one: impl FnMut(Labels, HistogramView<'_>),
) {
    for_each_series(registry, |block, position, labels| {
        if let Values::Histogram(histograms) = &block.values
            && block.desc.name() == name
        {
            each_one(labels, histograms.get(position).unwrap());
        }
    });
}

/// Calls `each_one` for every exemplar, with the labels of the classic series that it
/// is of.
pub(crate) fn for_each_exemplar(registry: &Registry, mut each_one: impl FnMut(Labels, &Exemplar)) {
    for_each_series(registry, |block, position, labels| {
        for exemplar in block.exemplars_for(position) {
            let mut labels = labels.clone();
            let mut name = block.desc.exposed_name().to_owned();
            if let Values::Histogram(histograms) = &block.values
                && block.desc.kind() == Kind::Histogram
            {
                name.push_str("_bucket");
                let mut bounds = histograms.get(position).unwrap().cumulative();
                let (bound, _) = bounds.nth(exemplar.bucket).unwrap();
                labels.insert("le".into(), bound.to_string());
            }
            labels.insert("__name__".into(), name);
            each_one(labels, exemplar);
        }
    });
}
