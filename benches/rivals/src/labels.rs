//! Recording in a family, by the values of two labels.

use std::hint::black_box;
use std::sync::Arc;

use fast_telemetry::{DynamicCounter, DynamicHistogram};
use lasso::{Rodeo, RodeoReader};
use metrics_exporter_prometheus::PrometheusBuilder;
use prometheus_client::metrics::{counter, family, histogram};

use crate::{BOUNDS, SHARDS, value};
use tachometer_rivals::Lane;

/// Pairs of label values, of which each turn picks one.
#[derive(Clone)]
pub struct Pairs(Arc<[(&'static str, &'static str)]>);

impl Pairs {
    /// Makes all pairs of these values.
    pub fn of(routes: &[&'static str], statuses: &[&'static str]) -> Self {
        let pairs = routes.iter();
        Self(
            pairs
                .flat_map(|route| statuses.iter().map(|status| (*route, *status)))
                .collect(),
        )
    }

    /// Picks evenly, in an order that no processor foresees.
    #[inline]
    fn pick(&self, turn: u64) -> (&'static str, &'static str) {
        let spread = turn.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
        let (route, status) = self.0[((spread * self.0.len() as u64) >> 32) as usize];
        (black_box(route), black_box(status))
    }

    /// Makes a lane that records each turn's pair, and has recorded all of them.
    fn lane(
        &self,
        name: &'static str,
        record: impl Fn(&'static str, &'static str, u64) + Send + Sync + 'static,
    ) -> Lane {
        for (route, status) in self.0.iter() {
            record(route, status, 0);
        }
        let pairs = self.clone();
        Lane::new(name, move |turn| {
            let (route, status) = pairs.pick(turn);
            record(route, status, turn);
        })
    }

    /// Returns the values as measured wants them: all known ahead.
    fn known(&self) -> RequestSet {
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

pub fn counters(pairs: &Pairs) -> Vec<Lane> {
    let labels = ["route", "status"].map(tachometer::Label::unlimited);
    let ours = tachometer::Registry::new()
        .counter_family("c", "c", labels)
        .expect("valid names");
    let options = prometheus::Opts::new("c", "c");
    let tikv = prometheus::IntCounterVec::new(options, &["route", "status"]).expect("valid names");
    let client = family::Family::<[(&str, &str); 2], counter::Counter>::default();
    let fast = fastmetrics::metrics::family::Family::<
        [&str; 2],
        fastmetrics::metrics::counter::Counter,
    >::default();
    let sharded = DynamicCounter::with_max_series(SHARDS, usize::MAX);
    let measured = measured::CounterVec::with_label_set(pairs.known());
    let recorder = PrometheusBuilder::new().build_recorder();
    vec![
        pairs.lane("tachometer", move |route, status, _| {
            ours.with_ref([route, status], tachometer::Counter::inc);
        }),
        // It compares hashes and not values.
        pairs.lane("prometheus 0.14", move |route, status, _| {
            tikv.with_label_values(&[route, status]).inc();
        }),
        pairs.lane("prometheus-client 0.25", move |route, status, _| {
            let labels = [("route", route), ("status", status)];
            client.get_or_create(&labels).inc();
        }),
        pairs.lane("fastmetrics 0.7", move |route, status, _| {
            fast.with_or_new(&[route, status], |counter| {
                counter.inc();
            });
        }),
        pairs.lane("fast-telemetry 0.10", move |route, status, _| {
            sharded.inc(&[("route", route), ("status", status)]);
        }),
        pairs.lane("measured 0.0.25, values known", move |route, status, _| {
            measured.inc(Request { route, status });
        }),
        pairs.lane("metrics 0.24", move |route, status, _| {
            metrics::with_local_recorder(&recorder, || {
                metrics::counter!("c", "route" => route, "status" => status).increment(1);
            });
        }),
    ]
}

pub fn histograms(pairs: &Pairs) -> Vec<Lane> {
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
    let measured = measured::HistogramVec::with_label_set_and_metadata(pairs.known(), thresholds);
    let builder = PrometheusBuilder::new().set_buckets(&BOUNDS);
    let recorder = builder.expect("valid bounds").build_recorder();
    let upkeep = recorder.handle();
    vec![
        pairs.lane("tachometer", move |route, status, turn| {
            ours.with_ref([route, status], |one| one.observe(value(turn)));
        }),
        pairs.lane("prometheus 0.14", move |route, status, turn| {
            tikv.with_label_values(&[route, status])
                .observe(value(turn));
        }),
        pairs.lane("prometheus-client 0.25", move |route, status, turn| {
            let labels = [("route", route), ("status", status)];
            client.get_or_create(&labels).observe(value(turn));
        }),
        pairs.lane("fastmetrics 0.7", move |route, status, turn| {
            fast.with_or_new(&[route, status], |one| one.observe(value(turn)));
        }),
        pairs.lane(
            "fast-telemetry 0.10, integers",
            move |route, status, turn| {
                let labels = [("route", route), ("status", status)];
                sharded.record(&labels, turn % 1_000 * 4_000);
            },
        ),
        pairs.lane(
            "measured 0.0.25, values known",
            move |route, status, turn| {
                measured.observe(Request { route, status }, value(turn));
            },
        ),
        // It keeps every value until its upkeep, whose time is not counted.
        pairs
            .lane(
                "metrics 0.24, without upkeep",
                move |route, status, turn| {
                    metrics::with_local_recorder(&recorder, || {
                        metrics::histogram!("h", "route" => route, "status" => status)
                            .record(value(turn));
                    });
                },
            )
            .after(move || upkeep.run_upkeep()),
    ]
}
