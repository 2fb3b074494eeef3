//! Compares recorders of the `metrics` facade: `MetricsRecorder` with metrics-exporter-prometheus.
//!
//! The arguments `kept`, `macros` and `render` select comparisons.

use std::hint::black_box;
use std::sync::Arc;

use metrics::{Recorder, with_local_recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use tachometer::bridge::MetricsRecorder;
use tachometer::{Buckets, Registry};
use tachometer_rivals::{Candidate, compare};

/// The default bucket bounds of tachometer.
const BOUNDS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
const TACHOMETER: &str = "tachometer";
const EXPORTER: &str = "metrics-exporter-prometheus 0.18";
const METADATA: metrics::Metadata<'static> =
    metrics::Metadata::new("facade", metrics::Level::INFO, None);

fn main() {
    // The series of a comparison are busy from the start, and not only after two seconds.
    tachometer::testing::set_busy_rate(0);
    let selected: Vec<_> = std::env::args().skip(1).collect();
    let runs = |name: &str| selected.is_empty() || selected.iter().any(|other| other == name);
    if runs("kept") {
        both("counter, kept handle", |recorder| {
            let counter = recorder.register_counter(&"kept".into(), &METADATA);
            Box::new(move |_| counter.increment(1))
        });
        both("gauge set, kept handle", |recorder| {
            let gauge = recorder.register_gauge(&"kept_gauge".into(), &METADATA);
            Box::new(move |iteration| gauge.set(iteration as f64))
        });
        both("gauge increment, kept handle", |recorder| {
            let gauge = recorder.register_gauge(&"kept_gauge".into(), &METADATA);
            Box::new(move |_| gauge.increment(1.0))
        });
        both("histogram, kept handle", |recorder| {
            let histogram = recorder.register_histogram(&"kept_histogram".into(), &METADATA);
            Box::new(move |iteration| histogram.record(value(iteration)))
        });
    }
    if runs("macros") {
        both("counter! without labels", |_| {
            Box::new(|_| metrics::counter!("plain").increment(1))
        });
        both("counter! with 2 literal labels", |_| {
            Box::new(|_| {
                metrics::counter!("literal", "method" => "GET", "status" => "200").increment(1);
            })
        });
        both("counter! with 2 dynamic labels, 16 series", |_| {
            let methods = ["GET", "POST", "PUT", "DELETE"].map(str::to_owned);
            let statuses = ["200", "302", "404", "500"].map(str::to_owned);
            Box::new(move |iteration| {
                let method = &methods[iteration as usize % 4];
                let status = &statuses[iteration as usize / 4 % 4];
                let (method, status) = (method.clone(), status.clone());
                metrics::counter!("dynamic", "method" => method, "status" => status).increment(1);
            })
        });
        both("histogram! with 2 literal labels", |_| {
            Box::new(|iteration| {
                metrics::histogram!("literal_histogram", "method" => "GET", "status" => "200")
                    .record(value(iteration));
            })
        });
    }
    if runs("render") {
        render();
    }
}

type Work = Box<dyn Fn(u64) + Send + Sync>;

/// Runs a comparison on one thread and on two. `work` creates the work for a recorder.
fn both(name: &str, work: impl Fn(&dyn Recorder) -> Work) {
    for threads in [1, 2] {
        let recorder = recorder(&Registry::new());
        let run = work(&recorder);
        let tachometer = looped(TACHOMETER, Arc::new(recorder), run);
        let recorder = Arc::new(exporter());
        let run = work(&*recorder);
        let handle = recorder.handle();
        // It stores every value of a histogram until its upkeep, whose time is not included.
        let exporter = looped(EXPORTER, recorder, run).after(move || handle.run_upkeep());
        compare(name, threads, &[exporter, tachometer]);
    }
}

/// Does work while a recorder is that of the thread.
fn looped(
    name: &'static str,
    recorder: Arc<impl Recorder + Send + Sync + 'static>,
    work: Work,
) -> Candidate {
    Candidate::looped(name, move |iterations| {
        with_local_recorder(&*recorder, || (0..iterations).for_each(&work));
    })
}

/// Exports 1,000 series: counters, gauges and histograms.
fn render() {
    let registry = Registry::new();
    let (recorder, exporter) = (recorder(&registry), exporter());
    let handle: PrometheusHandle = exporter.handle();
    for candidate in [&recorder as &dyn Recorder, &exporter] {
        with_local_recorder(candidate, || {
            for series in 0..400_u32 {
                let series = series.to_string();
                metrics::counter!("jobs_total", "queue" => series.clone()).increment(7);
                metrics::gauge!("depth", "queue" => series).set(0.25);
            }
            for series in 0..200_u32 {
                let series = series.to_string();
                metrics::histogram!("job_seconds", "queue" => series).record(0.3);
            }
        });
    }
    compare(
        "text of 1,000 series",
        1,
        &[
            Candidate::new(EXPORTER, move |_| {
                black_box(handle.render());
            }),
            Candidate::new(TACHOMETER, move |_| {
                black_box(registry.export_prometheus());
            }),
        ],
    );
    drop((recorder, exporter));
}

fn recorder(registry: &Registry) -> MetricsRecorder {
    let buckets = Buckets::new(&BOUNDS).expect("valid bounds");
    MetricsRecorder::new().registry(registry).buckets(buckets)
}

fn exporter() -> PrometheusRecorder {
    let builder = PrometheusBuilder::new().set_buckets(&BOUNDS);
    builder.expect("valid bounds").build_recorder()
}

/// Returns a different value within the bounds for each iteration.
fn value(iteration: u64) -> f64 {
    (iteration % 1_000) as f64 * 0.004
}
