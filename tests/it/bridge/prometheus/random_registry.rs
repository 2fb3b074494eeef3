//! Registries of the `prometheus` crate with random metrics that change.

use std::collections::BTreeMap;

use fastrand::Rng;
use prometheus::core::Collector;
use prometheus::{
    Counter, CounterVec, Gauge, GaugeVec, Histogram, HistogramOpts, HistogramVec, IntCounter,
    IntCounterVec, IntGauge, IntGaugeVec, Opts,
};

/// Names that no other one of them is ambiguous with.
const NAMES: [&str; 12] = [
    "requests_total",
    "errors",
    "retries_total",
    "bytes",
    "temperature_celsius",
    "queue:length",
    "_hidden",
    "latency_seconds",
    "size_bytes",
    "Age",
    "x9",
    "empty_total",
];
const VALUES: [&str; 8] = [
    "",
    "a",
    "b",
    "\"quoted\"",
    "back\\slash",
    "new\nline",
    "Grüße 🚀",
    "{a=\"b\"} 1",
];

/// A registry and the metrics that are registered in it.
pub(super) struct RandomRegistry {
    random: Rng,
    pub(super) registry: prometheus::Registry,
    metrics: BTreeMap<&'static str, Metric>,
    /// The help text, constant labels and label names of each name. That crate allows no others.
    options: BTreeMap<&'static str, Opts>,
}

/// A metric of any type of the crate.
enum Metric {
    Counter(Counter),
    IntCounter(IntCounter),
    Gauge(Gauge),
    IntGauge(IntGauge),
    Histogram(Histogram),
    CounterVec(CounterVec),
    IntCounterVec(IntCounterVec),
    GaugeVec(GaugeVec),
    IntGaugeVec(IntGaugeVec),
    HistogramVec(HistogramVec),
}

impl RandomRegistry {
    pub(super) fn new(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        let registry = if random.bool() {
            prometheus::Registry::new()
        } else {
            let labels = [("cluster".to_owned(), "\"eu\"".to_owned())].into();
            prometheus::Registry::new_custom(Some("lib".to_owned()), Some(labels)).unwrap()
        };
        Self {
            random,
            registry,
            metrics: BTreeMap::new(),
            options: BTreeMap::new(),
        }
    }

    /// Registers, records, removes or unregisters something.
    pub(super) fn change(&mut self) {
        let name = NAMES[self.random.usize(..NAMES.len())];
        match self.random.u8(..12) {
            0..2 if !self.metrics.contains_key(name) => self.register(name),
            2 => self.unregister(name),
            _ => {
                let random = &mut self.random;
                for metric in self.metrics.values() {
                    metric.change(random);
                }
            }
        }
    }

    fn register(&mut self, name: &'static str) {
        let random = &mut self.random;
        let options = self
            .options
            .entry(name)
            .or_insert_with(|| options(name, random));
        let options = options.clone();
        let metric = Metric::new(&options, random);
        self.registry.register(metric.collector()).unwrap();
        self.metrics.insert(name, metric);
    }

    fn unregister(&mut self, name: &str) {
        if let Some(metric) = self.metrics.remove(name) {
            self.registry.unregister(metric.collector()).unwrap();
        }
    }
}

/// Returns random options for a name.
fn options(name: &str, random: &mut Rng) -> Opts {
    let helps = ["Help.", "Two\nlines, \\ and \"quotes\"."];
    let mut options = Opts::new(name, helps[random.usize(..2)]);
    if random.bool() {
        options = options.const_label("zone", VALUES[random.usize(..VALUES.len())]);
    }
    let labels = ["method", "Path", "z9", "_a"];
    options.variable_labels = labels[..random.usize(..=labels.len())]
        .iter()
        .map(|&l| l.into())
        .collect();
    random.shuffle(&mut options.variable_labels);
    options
}

/// Returns ascending bounds. Some are negative, tiny or large.
fn bounds(random: &mut Rng) -> Vec<f64> {
    let mut bounds: Vec<_> = (0..random.usize(1..15)).map(|_| finite(random)).collect();
    bounds.sort_by(f64::total_cmp);
    bounds.dedup_by(|one, other| *one == *other);
    if random.bool() {
        bounds.push(f64::INFINITY);
    }
    bounds
}

fn finite(random: &mut Rng) -> f64 {
    match random.u8(..3) {
        0 => f64::from(random.i32(-20..20)),
        1 => random.f64() * 10.0 - 1.0,
        _ => (random.f64() * 400.0 - 200.0).exp2() * if random.bool() { 1.0 } else { -1.0 },
    }
}

/// Returns a value of a gauge or a histogram, rarely one that is not finite.
fn any(random: &mut Rng) -> f64 {
    match random.u8(..60) {
        0 => f64::NAN,
        1 => f64::INFINITY,
        2 => f64::NEG_INFINITY,
        3 => -0.0,
        4 => f64::MAX,
        5 => 5e-324,
        _ => finite(random),
    }
}

/// Returns an increment of a counter.
fn increment(random: &mut Rng) -> f64 {
    match random.u8(..20) {
        0 => 1e18,
        1 => 1e300,
        2 => 0.1,
        _ => finite(random).abs(),
    }
}

impl Metric {
    fn new(options: &Opts, random: &mut Rng) -> Self {
        let opts = options.clone();
        let histogram = HistogramOpts::from(opts.clone()).buckets(bounds(random));
        let names: Vec<_> = options.variable_labels.iter().map(|name| &**name).collect();
        if names.is_empty() {
            return match random.u8(..5) {
                0 => Self::Counter(Counter::with_opts(opts).unwrap()),
                1 => Self::IntCounter(IntCounter::with_opts(opts).unwrap()),
                2 => Self::Gauge(Gauge::with_opts(opts).unwrap()),
                3 => Self::IntGauge(IntGauge::with_opts(opts).unwrap()),
                _ => Self::Histogram(Histogram::with_opts(histogram).unwrap()),
            };
        }
        let opts = Opts {
            variable_labels: Vec::new(),
            ..opts
        };
        let histogram = HistogramOpts::from(opts.clone()).buckets(histogram.buckets);
        match random.u8(..5) {
            0 => Self::CounterVec(CounterVec::new(opts, &names).unwrap()),
            1 => Self::IntCounterVec(IntCounterVec::new(opts, &names).unwrap()),
            2 => Self::GaugeVec(GaugeVec::new(opts, &names).unwrap()),
            3 => Self::IntGaugeVec(IntGaugeVec::new(opts, &names).unwrap()),
            _ => Self::HistogramVec(HistogramVec::new(histogram, &names).unwrap()),
        }
    }

    fn collector(&self) -> Box<dyn Collector> {
        match self {
            Self::Counter(metric) => Box::new(metric.clone()),
            Self::IntCounter(metric) => Box::new(metric.clone()),
            Self::Gauge(metric) => Box::new(metric.clone()),
            Self::IntGauge(metric) => Box::new(metric.clone()),
            Self::Histogram(metric) => Box::new(metric.clone()),
            Self::CounterVec(metric) => Box::new(metric.clone()),
            Self::IntCounterVec(metric) => Box::new(metric.clone()),
            Self::GaugeVec(metric) => Box::new(metric.clone()),
            Self::IntGaugeVec(metric) => Box::new(metric.clone()),
            Self::HistogramVec(metric) => Box::new(metric.clone()),
        }
    }

    /// Records a value, or removes series.
    fn change(&self, random: &mut Rng) {
        let names = self.collector().desc()[0].variable_labels.len();
        let values: Vec<_> = (0..names)
            .map(|_| VALUES[random.usize(..VALUES.len())])
            .collect();
        let removes = random.u8(..8) == 0;
        match self {
            Self::Counter(metric) => metric.inc_by(increment(random)),
            Self::IntCounter(metric) => metric.inc_by(random.u64(..1 << 50)),
            Self::Gauge(metric) => metric.set(any(random)),
            Self::IntGauge(metric) => metric.set(random.i64(..) >> random.u32(..64)),
            Self::Histogram(metric) => metric.observe(any(random)),
            Self::CounterVec(metric) if removes => drop(metric.remove_label_values(&values)),
            Self::IntCounterVec(metric) if removes => metric.reset(),
            Self::GaugeVec(metric) if removes => metric.reset(),
            Self::HistogramVec(metric) if removes => drop(metric.remove_label_values(&values)),
            Self::CounterVec(metric) => metric.with_label_values(&values).inc_by(increment(random)),
            Self::IntCounterVec(metric) => metric.with_label_values(&values).inc(),
            Self::GaugeVec(metric) => metric.with_label_values(&values).set(any(random)),
            Self::IntGaugeVec(metric) => metric.with_label_values(&values).dec(),
            Self::HistogramVec(metric) => metric.with_label_values(&values).observe(any(random)),
        }
    }
}
