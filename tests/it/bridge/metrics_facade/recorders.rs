//! Several recorders in one process.

use std::sync::Arc;
use std::thread;

use metrics::{
    Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit, counter,
    with_local_recorder,
};
use tachometer::Registry;
use tachometer::bridge::MetricsRecorder;

use super::{record, record_with};
use crate::support::read::sum;

#[test]
fn recorders_of_two_registries_do_not_interact() {
    let registries = [Registry::new(), Registry::new()];
    let recorders = registries
        .each_ref()
        .map(|r| MetricsRecorder::new().registry(r));
    thread::scope(|scope| {
        for (turn, recorder) in recorders.iter().enumerate() {
            scope.spawn(move || {
                record_with(recorder, || {
                    for _ in 0..100 {
                        counter!("c", "x" => "1").increment(turn as u64 + 1);
                    }
                });
            });
        }
    });
    assert_eq!(sum(&registries[0], "c", &[]), 100.0);
    assert_eq!(sum(&registries[1], "c", &[]), 200.0);
}

#[test]
fn recorders_of_one_registry_share_its_metrics() {
    let registry = Registry::new();
    let kept = {
        let recorder = MetricsRecorder::new().registry(&registry);
        with_local_recorder(&recorder, || counter!("c", "x" => "1"))
    };
    record(&registry, || counter!("c", "x" => "1").increment(1));
    // Its recorder is gone.
    kept.increment(2);
    assert_eq!(sum(&registry, "c", &[]), 3.0);
    assert_eq!(registry.get("c").unwrap().series(), 1);
}

#[test]
fn a_nested_recorder_replaces_the_outer_one() {
    let (outer, inner) = (Registry::new(), Registry::new());
    record(&outer, || {
        counter!("c").increment(1);
        record(&inner, || counter!("c").increment(2));
        counter!("c").increment(4);
    });
    assert_eq!((sum(&outer, "c", &[]), sum(&inner, "c", &[])), (5.0, 2.0));
}

/// Records in two recorders, as the `Fanout` of metrics-util does.
struct Both(Arc<dyn Recorder + Sync>, Arc<dyn Recorder + Sync>);

struct BothCounters(Counter, Counter);

impl metrics::CounterFn for BothCounters {
    fn increment(&self, value: u64) {
        self.0.increment(value);
        self.1.increment(value);
    }

    fn absolute(&self, value: u64) {
        self.0.absolute(value);
        self.1.absolute(value);
    }
}

impl Recorder for Both {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, help: SharedString) {
        self.0.describe_counter(name.clone(), unit, help.clone());
        self.1.describe_counter(name, unit, help);
    }

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}
    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        let first = self.0.register_counter(key, metadata);
        let second = self.1.register_counter(key, metadata);
        Counter::from_arc(Arc::new(BothCounters(first, second)))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::noop()
    }
}

#[test]
fn a_recorder_can_be_one_of_several() {
    let registries = [Registry::new(), Registry::new()];
    let [first, second] = registries
        .each_ref()
        .map(|registry| Arc::new(MetricsRecorder::new().registry(registry)));
    with_local_recorder(&Both(first, second), || counter!("c").increment(3));
    for registry in &registries {
        assert_eq!(sum(registry, "c", &[]), 3.0);
    }
}
