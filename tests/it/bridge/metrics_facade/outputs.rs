//! Where else the metrics of a library are: beside those of the application, in JSON and on the
//! page.

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use http_body_util::BodyExt;
use metrics::{counter, describe_counter, gauge, histogram};
use serde_json::Value;
use tachometer::export::Format;
use tachometer::{Counter, MetricsRouter, Registry};
use tower::ServiceExt;

use super::record;
use crate::support::compare_exports::{check_all, read_json};

fn registry_of_both() -> Registry {
    let registry = Registry::new();
    let jobs = registry
        .counter_family("app_jobs", "Jobs.", ["queue"])
        .unwrap();
    jobs.with_ref(["mail"], Counter::inc);
    record(&registry, || {
        describe_counter!("lib.jobs", "Jobs of the library.");
        counter!("lib.jobs", "queue" => "mail").increment(2);
        counter!("lib.jobs").increment(3);
        gauge!("lib_depth").set(4.0);
        histogram!("lib_seconds").record(0.5);
    });
    registry
}

#[test]
fn metrics_of_a_library_are_in_every_format_beside_those_of_the_application() {
    let registry = registry_of_both();
    check_all(&registry);
    let json = read_json(&registry.export(Format::Json).to_bytes());
    let jobs = &json["lib_jobs{queue=\"mail\"}"];
    assert_eq!(jobs["value"], 2, "{json:?}");
    assert_eq!(jobs["labels"]["queue"], "mail");
    assert_eq!(jobs["help"], "Jobs of the library.");
    assert_eq!(json["lib_jobs"]["value"], 3);
    assert_eq!(json["app_jobs{queue=\"mail\"}"]["value"], 1);
    let names: Vec<_> = registry
        .metrics()
        .iter()
        .map(|m| m.name().to_owned())
        .collect();
    assert_eq!(names, ["app_jobs", "lib_depth", "lib_jobs", "lib_seconds"]);
}

#[cfg(feature = "dashboard")]
#[tokio::test]
async fn the_page_lists_metrics_of_a_library() {
    let registry = registry_of_both();
    let router: Router = MetricsRouter::new().registry(&registry).build();
    let request = Request::get("/view").body(Body::empty()).unwrap();
    let response = router.oneshot(request).await.unwrap();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let view: Value = serde_json::from_slice(&body).unwrap();
    let text = view.to_string();
    for part in [
        "lib_jobs",
        "Jobs of the library.",
        "lib_depth",
        "lib_seconds",
        "app_jobs",
    ] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}
