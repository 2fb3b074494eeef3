use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use prometheus::IntGauge;
use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;

use super::*;
use crate::metric::clock;
use crate::registry::Registry;

/// A collector that blocks until the test ends.
struct Blocking {
    gauge: IntGauge,
    started: Sender<()>,
    end: Mutex<Receiver<()>>,
}

impl Collector for Blocking {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.started.send(()).unwrap();
        let end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        // The other end is dropped.
        end.recv().unwrap_err();
        self.gauge.collect()
    }
}

#[test]
fn while_a_collector_of_the_other_crate_blocks_later_reads_leave_it_out() {
    let (started, has_started) = channel();
    let (unblock, end) = channel();
    let blocking = Blocking {
        gauge: IntGauge::new("blocking", "Blocking.").unwrap(),
        started,
        end: Mutex::new(end),
    };
    let other = prometheus::Registry::new();
    other.register(Box::new(blocking)).unwrap();
    let registry = Registry::new();
    registry.counter("own_total", "Own.").unwrap().inc();
    registry.collector(PrometheusCollector::new(other)).unwrap();
    let skipped = "tachometer_collector_skips_total 1\n";
    thread::scope(|scope| {
        let blocked = scope.spawn(|| registry.export_prometheus());
        has_started.recv().unwrap();
        clock::advance(Duration::from_secs(11));
        let text = registry.export_prometheus();
        assert!(
            text.contains("own_total 1\n") && text.contains(skipped),
            "{text}"
        );
        assert!(!text.contains("blocking"), "{text}");
        drop(unblock);
        assert!(blocked.join().unwrap().contains("blocking 0\n"));
    });
    has_started.try_recv().unwrap_err();
    assert!(registry.export_prometheus().contains("blocking 0\n"));
}

#[test]
fn debug_output_contains_no_metric() {
    let other = prometheus::Registry::new();
    other
        .register(Box::new(IntGauge::new("secret", "Secret.").unwrap()))
        .unwrap();
    let debug = format!("{:?}", PrometheusCollector::new(other));
    assert_eq!(debug, "PrometheusCollector { .. }");
}
