//! Quantiles over replicas, from their native histograms.

use std::fmt::Write as _;

use axum::Router;
use fastrand::Rng;
use tachometer::snapshot::Resolution;
use tachometer::{Buckets, MetricsRouter, Registry};

use crate::support::loopback::Server;
use crate::support::prometheus::{Prometheus, third};

const REPLICAS: u32 = 60;
const OBSERVED: usize = 2_000;

/// Half of the replicas have another resolution, as during a rollout that changes it.
#[tokio::test(flavor = "multi_thread")]
async fn quantiles_over_replicas_are_within_half_a_percent_of_the_pooled_values() {
    let Some(program) = third() else {
        return;
    };
    let mut random = Rng::with_seed(60);
    let mut pooled = Vec::new();
    let (mut app, mut jobs) = (Router::new(), String::new());
    let mut registries = Vec::new();
    for replica in 0..REPLICAS {
        let registry = Registry::new();
        let schema = if replica % 2 == 0 { 4 } else { 5 };
        let buckets = Buckets::default().resolution(Resolution::from_schema(schema).unwrap());
        let duration = registry.histogram_with_buckets("duration_seconds", "", buckets);
        let duration = duration.unwrap();
        // Replicas differ in speed, by up to four times.
        let scale = 0.02 * f64::from(replica % 4 + 1);
        for _ in 0..OBSERVED {
            // A sum of twelve uniform numbers is close to a normal distribution.
            let normal = (0..12).map(|_| random.f64()).sum::<f64>() - 6.0;
            let value = scale * (0.8 * normal).exp();
            duration.observe(value);
            pooled.push(value);
        }
        let router = MetricsRouter::new()
            .registry(&registry)
            .without_system_metrics();
        app = app.nest(&format!("/{replica}"), router.build());
        registries.push(registry);
    }
    let server = Server::start(app).await;
    for replica in 0..REPLICAS {
        writeln!(
            jobs,
            "- job_name: r{replica}\n  metrics_path: /{replica}\n  scrape_interval: 10s\n  \
             scrape_timeout: 10s\n  static_configs: [{{targets: ['{}']}}]",
            server.address
        )
        .unwrap();
    }
    let native = "--enable-feature=native-histograms";
    let prometheus = Prometheus::start_with(&program, &[native], &jobs).await;
    prometheus
        .until("count(up == 1)", f64::from(REPLICAS))
        .await;
    pooled.sort_by(f64::total_cmp);
    prometheus
        .until(
            "histogram_count(sum(duration_seconds))",
            pooled.len() as f64,
        )
        .await;
    for quantile in [0.5, 0.9, 0.99, 0.999] {
        let query = format!("histogram_quantile({quantile}, sum(duration_seconds))");
        let estimate = prometheus.number(&query).await.unwrap();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an index"
        )]
        let rank = (quantile * pooled.len() as f64).ceil() as usize;
        let exact = pooled[rank - 1];
        let error = (estimate / exact - 1.0).abs();
        assert!(error < 0.005, "{quantile}: {estimate} for {exact}");
    }
    drop(prometheus);
    server.stop().await;
}
