//! Recording in a family, by the values of two labels.

use std::hint::black_box;
use std::sync::Arc;

use fast_telemetry::{DynamicCounter, DynamicHistogram};
use lasso::{Rodeo, RodeoReader};
use metrics_exporter_prometheus::PrometheusBuilder;
use prometheus_client::metrics::{counter, family, histogram};

use crate::{BOUNDS, SHARDS, value};
use tachometer_rivals::Candidate;

/// Pairs of label values, one of which is picked per iteration.
#[derive(Clone)]
pub struct Pairs(Arc<[(&'static str, &'static str)]>);

impl Pairs {
    /// Creates all pairs of these values.
    pub fn new(routes: &[&'static str], statuses: &[&'static str]) -> Self {
        let pairs = routes.iter();
        Self(
            pairs
                .flat_map(|route| statuses.iter().map(|status| (*route, *status)))
                .collect(),
        )
    }

    /// Picks uniformly, in an order that the processor cannot predict.
    #[inline]
    fn pick(&self, iteration: u64) -> (&'static str, &'static str) {
        let spread = iteration.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let (route, status) = self.0[((spread * self.0.len() as u64) >> 32) as usize];
        (black_box(route), black_box(status))
    }

    /// Creates a candidate that records the pair of each iteration. All pairs have been recorded
    /// before.
    fn candidate(
        &self,
        name: &'static str,
        record: impl Fn(&'static str, &'static str, u64) + Send + Sync + 'static,
    ) -> Candidate {
        for (route, status) in self.0.iter() {
            record(route, status, 0);
        }
        let pairs = self.clone();
        Candidate::new(name, move |iteration| {
            let (route, status) = pairs.pick(iteration);
            record(route, status, iteration);
        })
    }

    /// Returns all values in advance, as the crate `measured` requires.
    fn request_set(&self) -> RequestSet {
        let (mut routes, mut statuses) = (Rodeo::new(), Rodeo::new());
        for (route, status) in self.0.iter() {
            routes.get_or_intern_static(route);
            statuses.get_or_intern_static(status);
        }
        RequestSet {
            route: routes.into_reader(),
            status: statuses.into_reader(),
        }
    }
}

#[derive(measured::LabelGroup)]
#[label(set = RequestSet)]
struct Request<'a> {
    #[label(fixed_with = RodeoReader)]
    route: &'a str,
    #[label(fixed_with = RodeoReader)]
    status: &'a str,
}

pub fn counters(pairs: &Pairs) -> Vec<Candidate> {
    let labels = ["route", "status"].map(tachometer::Label::unlimited);
    let ours = tachometer::Registry::new()
        .counter_family("c", "c", labels)
        .expect("valid names");
    let literals = ours.clone();
    let options = prometheus::Opts::new("c", "c");
    let tikv = prometheus::IntCounterVec::new(options, &["route", "status"]).expect("valid names");
    let client = family::Family::<[(&str, &str); 2], counter::Counter>::default();
    let fast = fastmetrics::metrics::family::Family::<
        [&str; 2],
        fastmetrics::metrics::counter::Counter,
    >::default();
    let sharded = DynamicCounter::with_max_series(SHARDS, usize::MAX);
    let measured = measured::CounterVec::with_label_set(pairs.request_set());
    let recorder = PrometheusBuilder::new().build_recorder();
    vec![
        pairs.candidate("tachometer", move |route, status, _| {
            ours.with_ref([route, status], tachometer::Counter::inc);
        }),
        pairs.candidate("tachometer, `with_static`", move |route, status, _| {
            literals.with_static([route, status], tachometer::Counter::inc);
        }),
        // It looks up series by hash only.
        pairs.candidate("prometheus 0.14", move |route, status, _| {
            tikv.with_label_values(&[route, status]).inc();
        }),
        pairs.candidate("prometheus-client 0.25", move |route, status, _| {
            let labels = [("route", route), ("status", status)];
            client.get_or_create(&labels).inc();
        }),
        pairs.candidate("fastmetrics 0.7", move |route, status, _| {
            fast.with_or_new(&[route, status], |counter| {
                counter.inc();
            });
        }),
        pairs.candidate("fast-telemetry 0.10", move |route, status, _| {
            sharded.inc(&[("route", route), ("status", status)]);
        }),
        pairs.candidate("measured 0.0.25, values known", move |route, status, _| {
            measured.inc(Request { route, status });
        }),
        pairs.candidate("metrics 0.24", move |route, status, _| {
            metrics::with_local_recorder(&recorder, || {
                metrics::counter!("c", "route" => route, "status" => status).increment(1);
            });
        }),
    ]
}

pub fn histograms(pairs: &Pairs) -> Vec<Candidate> {
    let labels = ["route", "status"];
    let ours = tachometer::Registry::new()
        .histogram_family("h", "h", labels)
        .expect("valid names");
    let options = prometheus::HistogramOpts::new("h", "h").buckets(BOUNDS.to_vec());
    let tikv = prometheus::HistogramVec::new(options, &labels).expect("valid names");
    let client =
        family::Family::<[(&str, &str); 2], histogram::Histogram, _>::new_with_constructor(|| {
            histogram::Histogram::new(BOUNDS)
        });
    let fast = fastmetrics::metrics::family::Family::<
        [&str; 2],
        fastmetrics::metrics::histogram::Histogram,
    >::new(|| fastmetrics::metrics::histogram::Histogram::new(BOUNDS));
    let micros = BOUNDS.map(|bound| (bound * 1e6) as u64);
    let sharded = DynamicHistogram::new(&micros, SHARDS);
    let thresholds = measured::metric::histogram::Thresholds::with_buckets(BOUNDS);
    let measured =
        measured::HistogramVec::with_label_set_and_metadata(pairs.request_set(), thresholds);
    let builder = PrometheusBuilder::new().set_buckets(&BOUNDS);
    let recorder = builder.expect("valid bounds").build_recorder();
    let upkeep = recorder.handle();
    vec![
        pairs.candidate("tachometer", move |route, status, iteration| {
            ours.with_ref([route, status], |one| one.observe(value(iteration)));
        }),
        pairs.candidate("prometheus 0.14", move |route, status, iteration| {
            tikv.with_label_values(&[route, status])
                .observe(value(iteration));
        }),
        pairs.candidate("prometheus-client 0.25", move |route, status, iteration| {
            let labels = [("route", route), ("status", status)];
            client.get_or_create(&labels).observe(value(iteration));
        }),
        pairs.candidate("fastmetrics 0.7", move |route, status, iteration| {
            fast.with_or_new(&[route, status], |one| one.observe(value(iteration)));
        }),
        pairs.candidate(
            "fast-telemetry 0.10, integers",
            move |route, status, iteration| {
                let labels = [("route", route), ("status", status)];
                sharded.record(&labels, iteration % 1_000 * 4_000);
            },
        ),
        pairs.candidate(
            "measured 0.0.25, values known",
            move |route, status, iteration| {
                measured.observe(Request { route, status }, value(iteration));
            },
        ),
        // It stores every value until its upkeep, whose time is not included.
        pairs
            .candidate(
                "metrics 0.24, without upkeep",
                move |route, status, iteration| {
                    metrics::with_local_recorder(&recorder, || {
                        metrics::histogram!("h", "route" => route, "status" => status)
                            .record(value(iteration));
                    });
                },
            )
            .after(move || upkeep.run_upkeep()),
    ]
}
