//! Exports of metrics that another crate has recorded.

use std::time::Duration;

use fastrand::Rng;
use prometheus::{Gauge, HistogramOpts, HistogramVec, IntCounterVec, Opts};
use tachometer::Registry;
use tachometer::bridge::PrometheusCollector;
use tachometer::push::Temporality;

use super::receiver::Answer::{Accept, Reset, Status};
use super::receiver::Receiver;

#[tokio::test(start_paused = true)]
async fn sums_of_a_collected_prometheus_registry_are_exact_in_both_temporalities() {
    for temporality in [Temporality::Cumulative, Temporality::Delta] {
        let other = prometheus::Registry::new();
        let jobs = IntCounterVec::new(Opts::new("jobs", "Jobs."), &["queue"]).unwrap();
        let options = HistogramOpts::new("job_seconds", "Durations.").buckets(vec![0.5, 2.0]);
        let seconds = HistogramVec::new(options, &["queue"]).unwrap();
        let load = Gauge::new("load", "Load.").unwrap();
        other.register(Box::new(jobs.clone())).unwrap();
        other.register(Box::new(seconds.clone())).unwrap();
        let registry = Registry::new();
        registry
            .collector(PrometheusCollector::new(other.clone()))
            .unwrap();
        let receiver = Receiver::default();
        let otlp = receiver.otlp(&registry).temporality(temporality);
        let exporter = otlp.interval(Duration::MAX).start().unwrap();
        let mut random = Rng::with_seed(11);
        let (mut total, mut observations, mut sum) = (0, 0, 0.0);
        for export in 0..100 {
            if export == 50 {
                // A family that appears later.
                other.register(Box::new(load.clone())).unwrap();
            }
            for _ in 0..random.usize(..20) {
                let queue = ["mail", "image", "video"][random.usize(..3)];
                jobs.with_label_values(&[queue]).inc_by(3);
                let value = f64::from(random.u8(..8)) / 2.0;
                seconds.with_label_values(&[queue]).observe(value);
                (total, observations, sum) = (total + 3, observations + 1, sum + value);
            }
            load.set(f64::from(export));
            receiver.set(
                [Accept, Status(400), Reset { is_accepted: false }][random.usize(..3)].clone(),
            );
            let _ = exporter.flush().await;
        }
        receiver.set(Accept);
        assert_eq!(exporter.flush().await, Ok(()));
        assert_eq!(
            receiver.total("jobs_total"),
            f64::from(total),
            "{temporality:?}"
        );
        assert_eq!(
            receiver.observations("job_seconds"),
            observations,
            "{temporality:?}"
        );
        assert_eq!(receiver.total("job_seconds"), sum, "{temporality:?}");
        assert_eq!(receiver.total("load"), 99.0);
        assert!(receiver.points("jobs_total").len() > 50, "{temporality:?}");
    }
}

/// The model of the `prometheus` crate has no creation times, so only a lower value is a restart.
#[tokio::test(start_paused = true)]
async fn a_collected_series_with_a_lower_value_has_started_again() {
    let other = prometheus::Registry::new();
    let jobs = IntCounterVec::new(Opts::new("jobs", "Jobs."), &["queue"]).unwrap();
    other.register(Box::new(jobs.clone())).unwrap();
    let registry = Registry::new();
    registry.collector(PrometheusCollector::new(other)).unwrap();
    let receiver = Receiver::default();
    let otlp = receiver.otlp(&registry).temporality(Temporality::Delta);
    let exporter = otlp.interval(Duration::MAX).start().unwrap();
    for added in [7, 3, 1] {
        jobs.with_label_values(&["mail"]).inc_by(added);
        // After a lower value the next export has the difference to 0.
        assert_eq!(exporter.flush().await, Ok(()));
        assert_eq!(exporter.flush().await, Ok(()));
        jobs.reset();
        assert_eq!(exporter.flush().await, Ok(()));
    }
    assert_eq!(receiver.total("jobs_total"), 11.0);
}
