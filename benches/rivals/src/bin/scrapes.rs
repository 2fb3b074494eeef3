//! Compares scrapes of a registry with 150,000 samples.
//!
//! `cargo run --release --bin scrapes` in this directory. With the argument `growth`, it
//! prints how the time per sample grows with the number of series.

use std::hint::black_box;
use std::io::{self, Write};
use std::sync::Mutex;

use tachometer::export::Format;
use tachometer::{Buckets, Counter, Label, Registry};
use tachometer_rivals::{Candidate, compare};

const SERIES: usize = 10_000;
const BOUNDS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
/// The number of observations per histogram, as in a busy service.
const OBSERVED: usize = 20_000;

fn main() {
    if std::env::args().any(|asked| asked == "growth") {
        for series in [20_000, 200_000, 1_000_000] {
            growth(series);
        }
        return;
    }
    let registry = registry(SERIES, &Buckets::default());
    for format in [
        Format::Text,
        Format::TextV1,
        Format::OpenMetrics,
        Format::Protobuf,
        Format::Json,
    ] {
        let bytes = registry.export(format).to_bytes().len();
        println!("{}: {bytes} bytes", format.as_str());
    }
    compare("a scrape of 150,000 samples", 1, &candidates(registry));
}

fn candidates(registry: Registry) -> Vec<Candidate> {
    let text = registry.export(Format::Text).to_bytes();
    let copy = Mutex::new(vec![0_u8; text.len()]);
    let ours = |name, format| {
        let registry = registry.clone();
        Candidate::new(name, move |_| {
            let _ = registry.export(format).write_to(&mut Sink);
        })
    };
    vec![
        Candidate::new("memcpy of the text", move |_| {
            let mut copy = copy.lock().expect("no panic");
            copy.copy_from_slice(black_box(&text));
        }),
        ours("tachometer, text 0.0.4", Format::Text),
        ours("tachometer, text 1.0.0", Format::TextV1),
        ours("tachometer, OpenMetrics", Format::OpenMetrics),
        ours("tachometer, protobuf", Format::Protobuf),
        ours("tachometer, JSON", Format::Json),
        native(),
        fastmetrics(),
        prometheus_client(),
        prometheus(),
        metrics(),
    ]
}

/// Discards what is written, like a socket that is never full.
struct Sink;

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(black_box(bytes).len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns a registry with `series` counters and as many histograms.
fn registry(series: usize, buckets: &Buckets) -> Registry {
    let registry = Registry::new();
    let names = ["method", "route", "status"].map(Label::unlimited);
    let counters = registry.counter_family("requests_total", "Requests.", names.clone());
    let counters = counters.expect("valid names");
    let histograms = registry.histogram_family_with_buckets(
        "request_duration_seconds",
        "How long requests take.",
        names,
        buckets.clone(),
    );
    let histograms = histograms.expect("valid names");
    each(series, |labels, amount, values| {
        counters.with_ref(labels, |counter: &Counter| counter.inc_by(amount));
        let histogram = histograms.with(labels);
        values(&mut |value| histogram.observe(value));
    });
    registry
}

fn native() -> Candidate {
    let registry = registry(SERIES, &Buckets::default().native());
    Candidate::new("tachometer, protobuf with native histograms", move |_| {
        let _ = registry.export(Format::Protobuf).write_to(&mut Sink);
    })
}

fn fastmetrics() -> Candidate {
    use fastmetrics::format::text::{TextProfile, encode};
    use fastmetrics::metrics::{counter::Counter, family::Family, histogram::Histogram};
    use fastmetrics::registry::Registry;
    #[derive(Clone, PartialEq, Eq, Hash)]
    struct Labels([String; 3]);
    impl fastmetrics::encoder::EncodeLabelSet for Labels {
        fn encode(
            &self,
            encoder: &mut dyn fastmetrics::encoder::LabelSetEncoder,
        ) -> fastmetrics::error::Result<()> {
            for (name, value) in ["method", "route", "status"].iter().zip(&self.0) {
                encoder.encode(&(*name, value.as_str()))?;
            }
            Ok(())
        }
    }
    impl fastmetrics::raw::LabelSetSchema for Labels {
        fn names() -> Option<&'static [&'static str]> {
            Some(&["method", "route", "status"])
        }
    }
    let mut registry = Registry::default();
    let counters = Family::<Labels, Counter>::default();
    let histograms = Family::<Labels, Histogram>::new(|| Histogram::new(BOUNDS));
    registry
        .register("requests", "Requests.", counters.clone())
        .expect("a new name");
    registry
        .register(
            "request_duration_seconds",
            "How long requests take.",
            histograms.clone(),
        )
        .expect("a new name");
    each(SERIES, |labels, amount, values| {
        let labels = Labels(labels.map(str::to_owned));
        counters.with_or_new(&labels, |counter| counter.inc_by(amount));
        histograms.with_or_new(&labels, |histogram| {
            values(&mut |value| histogram.observe(value));
        });
    });
    let buffer = Mutex::new(String::new());
    Candidate::new("fastmetrics 0.7", move |_| {
        let mut buffer = buffer.lock().expect("no panic");
        buffer.clear();
        let _ = encode(&mut *buffer, &registry, TextProfile::default());
        black_box(&*buffer);
    })
}

fn prometheus_client() -> Candidate {
    use prometheus_client::encoding::text::encode;
    use prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram};
    use prometheus_client::registry::Registry;
    type Labels = [(&'static str, String); 3];
    let mut registry = Registry::default();
    let counters = Family::<Labels, Counter>::default();
    let histograms = Family::<Labels, Histogram>::new_with_constructor(|| Histogram::new(BOUNDS));
    registry.register("requests", "Requests.", counters.clone());
    registry.register(
        "request_duration_seconds",
        "How long requests take.",
        histograms.clone(),
    );
    each(SERIES, |[method, route, status], amount, values| {
        let labels = [
            ("method", method.to_owned()),
            ("route", route.to_owned()),
            ("status", status.to_owned()),
        ];
        counters.get_or_create(&labels).inc_by(amount);
        let histogram = histograms.get_or_create_owned(&labels);
        values(&mut |value| histogram.observe(value));
    });
    let buffer = Mutex::new(String::new());
    Candidate::new("prometheus-client 0.25", move |_| {
        let mut buffer = buffer.lock().expect("no panic");
        buffer.clear();
        let _ = encode(&mut *buffer, &registry);
        black_box(&*buffer);
    })
}

fn prometheus() -> Candidate {
    use prometheus::{Encoder, HistogramOpts, HistogramVec, IntCounterVec, Opts, TextEncoder};
    let names = ["method", "route", "status"];
    let registry = prometheus::Registry::new();
    let counters = IntCounterVec::new(Opts::new("requests_total", "Requests."), &names);
    let counters = counters.expect("valid names");
    let options = HistogramOpts::new("request_duration_seconds", "How long requests take.");
    let histograms = HistogramVec::new(options.buckets(BOUNDS.to_vec()), &names);
    let histograms = histograms.expect("valid names");
    registry
        .register(Box::new(counters.clone()))
        .expect("a new name");
    registry
        .register(Box::new(histograms.clone()))
        .expect("a new name");
    each(SERIES, |labels, amount, values| {
        counters.with_label_values(&labels).inc_by(amount);
        let histogram = histograms.with_label_values(&labels);
        values(&mut |value| histogram.observe(value));
    });
    let buffer = Mutex::new(Vec::new());
    Candidate::new("prometheus 0.14", move |_| {
        let mut buffer = buffer.lock().expect("no panic");
        buffer.clear();
        let _ = TextEncoder::new().encode(&registry.gather(), &mut *buffer);
        black_box(&*buffer);
    })
}

fn metrics() -> Candidate {
    use metrics::{Key, Label, Level, Metadata, Recorder};
    use metrics_exporter_prometheus::PrometheusBuilder;
    let builder = PrometheusBuilder::new().set_buckets(&BOUNDS);
    let recorder = builder.expect("some buckets").build_recorder();
    let handle = recorder.handle();
    let about = Metadata::new("benchmark", Level::INFO, None);
    each(SERIES, |labels, amount, values| {
        let names = ["method", "route", "status"];
        let labels: Vec<_> = names
            .iter()
            .zip(labels)
            .map(|(name, value)| Label::new(*name, value.to_owned()))
            .collect();
        let key = Key::from_parts("requests_total", labels.clone());
        recorder.register_counter(&key, &about).increment(amount);
        let key = Key::from_parts("request_duration_seconds", labels);
        let histogram = recorder.register_histogram(&key, &about);
        values(&mut |value| histogram.record(value));
        // It stores every value until then.
        handle.run_upkeep();
    });
    let buffer = Mutex::new(Vec::new());
    Candidate::new("metrics-exporter-prometheus 0.18", move |_| {
        let mut buffer = buffer.lock().expect("no panic");
        buffer.clear();
        let _ = handle.render_to_write(&mut *buffer);
        black_box(&*buffer);
    })
}

/// Calls `record` for each label set, with the value of its counter and a function that returns
/// the values of its histogram.
fn each(series: usize, mut record: impl FnMut([&str; 3], u64, &dyn Fn(&mut dyn FnMut(f64)))) {
    // A linear congruential generator, so that every candidate gets the same values.
    let mut state = 1_u64;
    let mut next = move || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state >> 33
    };
    for number in 0..series {
        let method = ["GET", "POST", "PUT", "DELETE"][number % 4];
        let route = format!("/api/v1/customers/{{id}}/orders/{number}");
        let amount = 10_000 + next() % 9_000_000;
        let seed = next();
        record([method, &route, "200"], amount, &|observe| {
            for iteration in 0..OBSERVED as u64 {
                // From 1 ms to about 20 s, in every bucket, with all digits.
                let mixed = (seed + iteration).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40;
                let share = mixed as f64 / 16_777_216.0;
                observe(0.001 * (share * 9.9).exp());
            }
        });
    }
}

/// Prints the time per sample of a registry with `series` counters.
fn growth(series: usize) {
    let registry = Registry::new();
    let counters = registry.counter_family("requests_total", "Requests.", [Label::unlimited("n")]);
    let counters = counters.expect("valid names");
    for number in 0..series {
        let number = number.to_string();
        counters.with_ref([&number], |counter: &Counter| counter.inc_by(123_456_u64));
    }
    let mut times: Vec<_> = (0..9)
        .map(|_| {
            let begun = std::time::Instant::now();
            let _ = registry.export(Format::Text).write_to(&mut Sink);
            begun.elapsed().as_nanos() as f64 / series as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("{series} series: {:.1} ns a sample", times[times.len() / 2]);
}
