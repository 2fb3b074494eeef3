//! Replicas that restart lose nothing if they export a last time.

use std::time::Duration;

use fastrand::Rng;
use futures_util::future::join_all;
use tachometer::push::{Otlp, OtlpExporter, Temporality};
use tachometer::{Buckets, Counter, Histogram, Registry};

use crate::support::otel_collector::OtelCollector;
use crate::support::victoria_metrics::VictoriaMetrics;

const REPLICAS: usize = 60;
const RESTARTS: usize = 60;
const DEADLINE: Duration = Duration::from_secs(60);

/// A process of a replica.
struct Process {
    jobs: Counter,
    seconds: Histogram,
    exporter: OtlpExporter,
}

impl Process {
    fn start(url: &str) -> Self {
        let registry = Registry::new();
        let buckets = Buckets::new(&[0.5]).unwrap().native();
        Self {
            jobs: registry.counter("jobs_total", "").unwrap(),
            seconds: registry
                .histogram_with_buckets("job_seconds", "", buckets)
                .unwrap(),
            // Exports only if the test flushes it.
            exporter: Otlp::new()
                .registry(&registry)
                .metrics_endpoint(url)
                .service_name("it")
                .interval(Duration::from_secs(24 * 60 * 60))
                .temporality(Temporality::Cumulative)
                .start()
                .unwrap(),
        }
    }

    fn work(&self, random: &mut Rng) -> u64 {
        let jobs = random.u64(1..50);
        for _ in 0..jobs {
            self.jobs.inc();
            // A multiple of a power of two, so that sums are exact.
            self.seconds.observe(f64::from(random.u8(..)) / 64.0);
        }
        jobs
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_replicas_with_sixty_restarts_lose_nothing() {
    let Some(receiver) = VictoriaMetrics::start().await else {
        return;
    };
    restart_replicas(&receiver, &receiver.otlp_url()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_replicas_with_sixty_restarts_lose_nothing_through_a_collector() {
    let Some(receiver) = VictoriaMetrics::start().await else {
        return;
    };
    let Some(collector) = OtelCollector::start(&receiver.otlp_url()).await else {
        return;
    };
    restart_replicas(&receiver, &collector.url).await;
}

/// Replicas send to a URL until all have the restarts. What the receiver has is the truth then.
async fn restart_replicas(receiver: &VictoriaMetrics, url: &str) {
    let mut random = Rng::with_seed(26);
    let mut replicas: Vec<_> = (0..REPLICAS).map(|_| Process::start(url)).collect();
    let mut truth = 0;
    let mut restarts = 0;
    while restarts < RESTARTS {
        for replica in &replicas {
            truth += replica.work(&mut random);
        }
        let flushed = replicas.iter().filter(|_| random.bool());
        for result in join_all(flushed.map(|replica| replica.exporter.flush())).await {
            result.unwrap();
        }
        for _ in 0..10 {
            let replica = &mut replicas[random.usize(..REPLICAS)];
            truth += replica.work(&mut random);
            replica.exporter.shutdown(DEADLINE).await.unwrap();
            *replica = Process::start(url);
            restarts += 1;
        }
    }
    let ends = replicas
        .iter()
        .map(|replica| replica.exporter.shutdown(DEADLINE));
    for result in join_all(ends).await {
        result.unwrap();
    }
    let truth = truth as f64;
    let instances = (REPLICAS + RESTARTS) as f64;
    for (query, expected) in [
        ("count(last_over_time(jobs_total[1h]))", instances),
        ("sum(last_over_time(jobs_total[1h]))", truth),
        ("sum(last_over_time(job_seconds_count[1h]))", truth),
    ] {
        // A collector forwards later.
        receiver.until(query, expected).await;
    }
}
