//! Metrics of registries and routers about themselves, merged, and served by one router.

use axum::Router;
use axum::routing::get;
use tachometer::testing::{Exposition, assert_lint_clean};
use tachometer::{MetricsLayer, MetricsRouter, Registry};

use super::{body, labelled};
use crate::support::read::sum;
use crate::support::service::get_path;

#[tokio::test]
async fn self_metrics_of_registries_and_routers_are_added_up() {
    let registries = [labelled("one"), labelled("other")];
    let plain = [Registry::new(), Registry::new()];
    for registries in [&registries, &plain] {
        for (calls, registry) in [1, 2].iter().zip(registries) {
            let family = registry
                .counter_family("jobs_total", "", ["kind"])
                .unwrap()
                .limit(1);
            for kind in 0..4 {
                family.with([&format!("{calls}-{kind}")]).inc();
            }
            let router = MetricsRouter::new()
                .without_system_metrics()
                .registry(registry)
                .build();
            for _ in 0..*calls {
                body(router.clone(), "/").await;
            }
        }
    }
    // With different constant labels, both are exported.
    let both = Registry::merged(&registries).unwrap();
    let of = |part, format| [("part", part), ("format", format)];
    assert_eq!(
        sum(&both, "tachometer_scrapes_total", &of("one", "text")),
        1.0
    );
    assert_eq!(
        sum(&both, "tachometer_scrapes_total", &of("other", "text")),
        2.0
    );
    // Without, they are the same series.
    drop(plain[1].get("jobs_total").unwrap());
    let text = Registry::merged([&plain[0], &plain[1]]);
    let error = text.unwrap_err();
    assert!(error.to_string().contains("\"jobs_total\""), "{error}");
    let quiet = [Registry::new(), Registry::new()];
    for (calls, registry) in [1, 2].iter().zip(&quiet) {
        let router = MetricsRouter::new()
            .without_system_metrics()
            .registry(registry)
            .build();
        for _ in 0..*calls {
            body(router.clone(), "/").await;
        }
    }
    let both = Registry::merged(&quiet).unwrap();
    assert_eq!(
        sum(&both, "tachometer_scrapes_total", &[("format", "text")]),
        3.0
    );
    assert_eq!(sum(&both, "tachometer_scrape_duration_seconds", &[]), 3.0);
    let text = both.export_prometheus();
    assert_eq!(
        text.matches("# TYPE tachometer_scrapes_total counter")
            .count(),
        1
    );
    assert_eq!(
        text.matches("tachometer_scrapes_total{format=\"text\"}")
            .count(),
        1
    );
    assert_lint_clean(&both);
}

#[test]
fn panics_of_collectors_and_series_are_added_up_too() {
    let registries = [labelled("one"), labelled("other")];
    for registry in &registries {
        registry
            .gauge_fn("broken", "", || -> f64 {
                panic!("a collector that panics")
            })
            .unwrap();
        registry
            .counter_family("jobs_total", "", ["kind"])
            .unwrap()
            .with(["a"])
            .inc();
    }
    let both = Registry::merged(&registries).unwrap();
    let before = sum(&both, "tachometer_collector_panics_total", &[]);
    let after = sum(&both, "tachometer_collector_panics_total", &[]);
    assert_eq!(after - before, 2.0);
    assert_eq!(
        sum(&both, "tachometer_series", &[("metric", "jobs_total")]),
        2.0
    );
}

#[tokio::test]
async fn a_router_serves_several_registries_in_every_response() {
    let (shop, library) = (Registry::new(), Registry::new());
    library
        .counter("lookups_total", "Lookups.")
        .unwrap()
        .inc_by(4);
    let app = Router::new()
        .route("/users/{id}", get(async || "a user"))
        .layer(MetricsLayer::new().registry(&shop));
    get_path(app, "/users/7").await;
    let router = MetricsRouter::new()
        .registries([&shop, &library])
        .unwrap()
        .build();
    let answer = async |path: &str| body(router.clone(), path).await;
    for path in ["/", "/json", "/summary", "/view"] {
        let text = answer(path).await;
        assert!(text.contains("lookups_total"), "{path}: {text}");
        let requests = if path == "/view" {
            "/users/{id}"
        } else {
            "http_requests_total"
        };
        assert!(text.contains(requests), "{path}: {text}");
    }
    let read = Exposition::parse(&answer("/").await).unwrap();
    assert_eq!(read.value("lookups_total", []), Some(4.0));
    assert_eq!(
        read.value("process_start_time_seconds", []).map(|_| ()),
        Some(())
    );
    for path in ["/grafana.json", "/rules.yml"] {
        let text = answer(path).await;
        assert!(text.contains("http_requests_total"), "{path}: {text}");
    }
    // The board of the registry that the layer is not in shows nothing of it.
    let other = MetricsRouter::new().registry(&library).build::<()>();
    assert!(
        !body(other, "/grafana.json")
            .await
            .contains("http_requests_total")
    );
    let error = MetricsRouter::new().registries([]).err().unwrap();
    assert!(error.is_conflict());
}
