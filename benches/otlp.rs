//! The cost of an export over OTLP, compared with a scrape as text.
//!
//! `cargo bench --all-features --bench otlp` prints microseconds per export. An export reads the
//! registry and encodes it, and its client discards the request. To count instructions, run it with
//! a registry, a format and two different numbers of exports, and divide the difference of the
//! instructions by the difference of the numbers of exports:
//!
//! ```sh
//! cargo bench --all-features --bench otlp --no-run
//! valgrind --tool=callgrind target/release/deps/otlp-* small exponential 2
//! valgrind --tool=callgrind target/release/deps/otlp-* small exponential 6
//! ```

use std::convert::Infallible;
use std::hint::black_box;
use std::io::{self, Write};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tachometer::export::Format;
use tachometer::push::{Otlp, Temporality};
use tachometer::{Buckets, Registry};
use tower::service_fn;

/// The default number of exports per format.
const EXPORTS: u32 = 50;
const FORMATS: [&str; 5] = ["text", "protobuf", "explicit", "exponential", "delta"];

fn main() {
    // Ignore the options that `cargo bench` adds.
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    let selected = match &arguments[..] {
        [registry, format, exports] => exports.parse().ok().map(|n: u32| (registry, format, n)),
        _ => None,
    };
    let registries = [
        ("small", registry(1_000, 200, 2_000)),
        ("large", registry(8_000, 2_000, 200)),
    ];
    for (name, registry) in &registries {
        for format in FORMATS {
            let exports = match selected {
                Some((registry, selected, exports)) if registry == name && selected == format => {
                    exports
                }
                Some(_) => continue,
                None => EXPORTS,
            };
            let time = export(registry, format, exports) / exports.max(1);
            println!("{name:6} {format:12} {:>7} us per export", time.as_micros());
        }
    }
}

/// Returns the duration of a number of exports.
fn export(registry: &Registry, format: &str, exports: u32) -> Duration {
    let scraped = match format {
        "text" => Some(Format::Text),
        "protobuf" => Some(Format::Protobuf),
        _ => None,
    };
    let client = service_fn(|request: Request<Full<Bytes>>| async move {
        black_box(request);
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::new())))
    });
    let temporality = match format {
        "delta" => Temporality::Delta,
        _ => Temporality::Cumulative,
    };
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let otlp = Otlp::new().registry(registry).client(client);
        let otlp = otlp.interval(Duration::MAX).temporality(temporality);
        let exporter = otlp.exponential_histograms(format == "exponential").start();
        let exporter = exporter.expect("valid settings");
        let started = Instant::now();
        for _ in 0..exports {
            match scraped {
                Some(format) => registry.export(format).write_to(&mut Sink).expect("a sink"),
                None => exporter.flush().await.expect("the client accepts it"),
            }
        }
        started.elapsed()
    })
}

/// Discards what is written.
struct Sink;

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(black_box(bytes).len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns a registry with counters, and histograms of exponential buckets.
fn registry(counters: u32, histograms: u32, observations: u32) -> Registry {
    let registry = Registry::new();
    let requests = registry
        .counter_family("requests_total", "Requests.", ["method", "route", "status"])
        .expect("valid names")
        .limit(20_000);
    for number in 0..counters {
        let route = format!("/route/{number}/{{id}}");
        requests.with(["GET", &route, "200"]).inc_by(number * 977);
    }
    let seconds = registry
        .histogram_family_with_buckets(
            "request_duration_seconds",
            "Durations.",
            ["method", "route"],
            Buckets::default().native(),
        )
        .expect("valid names")
        .limit(20_000);
    let mut random = fastrand::Rng::with_seed(1);
    for number in 0..histograms {
        let histogram = seconds.with(["GET", &format!("/route/{number}/{{id}}")]);
        for _ in 0..observations {
            // From 1 ms to 4 s.
            histogram.observe(0.001 * (random.f64() * 12.0).exp2());
        }
    }
    registry
}
