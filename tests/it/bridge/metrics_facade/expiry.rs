//! Series that expire.

use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use metrics::{Label, counter, gauge, histogram, with_local_recorder};
use tachometer::bridge::MetricsRecorder;
use tachometer::{MetricsRouter, Registry};
use tower::ServiceExt;

use super::record_with;
use crate::support::read::sum;

const HOUR: Duration = Duration::from_secs(3_600);

/// A recorder whose series expire at the first scrape after a complete one.
fn expiring(registry: &Registry) -> MetricsRecorder {
    let recorder = MetricsRecorder::new().registry(registry);
    recorder.expire_after(Duration::ZERO)
}

fn router(registry: &Registry) -> Router {
    let settings = MetricsRouter::new().registry(registry);
    settings.scrape_timeout(HOUR).build()
}

async fn scrape(router: &Router) -> String {
    let request = Request::get("/").body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn series_of_each_kind_expire_and_come_back() {
    let registry = Registry::new();
    let (recorder, router) = (expiring(&registry), router(&registry));
    let record = || {
        record_with(&recorder, || {
            counter!("c", "x" => "1").increment(1);
            counter!("c").increment(1);
            gauge!("g", "x" => "1").set(1.0);
            histogram!("h", "x" => "1").record(1.0);
        });
    };
    for _ in 0..3 {
        record();
        let text = scrape(&router).await;
        for line in [
            "c_total{x=\"1\"} 1\n",
            "c_total 1\n",
            "g{x=\"1\"} 1\n",
            "h_count{x=\"1\"} 1\n",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
        let text = scrape(&router).await;
        assert!(!text.contains("\nc_total"), "{text}");
        assert_eq!(registry.get("h").unwrap().series(), 0);
    }
    let expired = sum(&registry, "tachometer_series_expired_total", &[]);
    assert_eq!(expired, 12.0);
}

#[tokio::test]
async fn a_kept_handle_counts_on_after_its_series_expired() {
    let registry = Registry::new();
    let (recorder, router) = (expiring(&registry), router(&registry));
    let kept = with_local_recorder(&recorder, || counter!("c", "x" => "1"));
    let mut scraped = 0.0;
    for turn in 1..100 {
        kept.increment(turn);
        // Another handle to the same series, from the cache or not.
        record_with(&recorder, || counter!("c", "x" => "1").increment(1));
        assert_eq!(sum(&registry, "c", &[]), (turn + 1) as f64);
        scraped += sum(&registry, "c", &[]);
        for _ in 0..turn % 5 + 2 {
            scrape(&router).await;
        }
        assert_eq!(sum(&registry, "c", &[]), 0.0);
    }
    assert_eq!(scraped, f64::from(99 * 100 / 2 + 99));
}

#[tokio::test]
async fn values_that_take_turns_do_not_use_up_the_limit() {
    let registry = Registry::new();
    let recorder = expiring(&registry).label_limit(10);
    let router = router(&registry);
    for user in 0..300 {
        record_with(&recorder, || {
            counter!("c", "user" => user.to_string()).increment(1);
        });
        let text = scrape(&router).await;
        let line = format!("c_total{{user=\"{user}\"}} 1\n");
        assert!(text.contains(&line), "{line}\n{text}");
    }
}

#[tokio::test]
async fn a_counter_that_was_set_and_a_gauge_that_was_changed_never_expire() {
    let registry = Registry::new();
    let (recorder, router) = (expiring(&registry), router(&registry));
    // With labels, and without.
    for labels in [vec![], vec![Label::new("x", "1")]] {
        let record = |amount: f64| {
            record_with(&recorder, || {
                counter!("bytes", labels.clone()).absolute(5_000);
                let up = gauge!("up", labels.clone());
                let down = gauge!("down", labels.clone());
                for _ in 0..3 {
                    if amount > 0.0 {
                        up.increment(amount);
                        down.decrement(amount);
                    } else {
                        up.decrement(-amount);
                        down.increment(-amount);
                    }
                }
                gauge!("set", labels.clone()).set(1.0);
            });
        };
        for (amount, up) in [(1.0, 3.0), (-1.0, 0.0)] {
            record(amount);
            for _ in 0..4 {
                scrape(&router).await;
            }
            assert_eq!(sum(&registry, "up", &[]), up);
            assert_eq!(sum(&registry, "down", &[]), -up);
            // Other series expire.
            assert_eq!(registry.get("set").unwrap().series(), 0);
        }
    }
    assert_eq!(sum(&registry, "bytes", &[]), 10_000.0);
    assert_eq!(registry.get("bytes").unwrap().series(), 2);
}

#[tokio::test]
async fn a_series_that_is_set_after_it_expired_stays() {
    let registry = Registry::new();
    let (recorder, router) = (expiring(&registry), router(&registry));
    let handles = with_local_recorder(&recorder, || {
        let counter = counter!("bytes", "x" => "1");
        counter.increment(1);
        let gauge = gauge!("depth", "x" => "1");
        gauge.set(1.0);
        (counter, gauge)
    });
    for _ in 0..4 {
        scrape(&router).await;
    }
    assert_eq!(registry.get("bytes").unwrap().series(), 0);
    let (counter, gauge) = handles;
    counter.absolute(70);
    gauge.increment(2.0);
    drop((counter, gauge));
    for _ in 0..4 {
        scrape(&router).await;
    }
    let text = scrape(&router).await;
    for line in ["bytes_total{x=\"1\"} 70\n", "depth{x=\"1\"} 2\n"] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    // Their labels lead to the same series.
    record_with(&recorder, || {
        counter!("bytes", "x" => "1").absolute(75);
        gauge!("depth", "x" => "1").decrement(2.0);
    });
    assert_eq!(sum(&registry, "bytes", &[]), 75.0);
    assert_eq!(sum(&registry, "depth", &[]), 0.0);
}
