//! A registry in each format, and how it is served.

use axum::Router;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{Method, Request, StatusCode, Version};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tachometer::export::Format;
use tachometer::{Buckets, MetricsRouter, Registry};
use tower::ServiceExt;

use crate::support::loopback::{Caller, Server};

fn example() -> Registry {
    let registry = Registry::new();
    registry
        .counter("jobs", "Jobs done, \"well\" or \\ not.\nReally.")
        .unwrap()
        .inc_by(3);
    let mails = registry
        .counter_family("mails_total", "Mails.", ["to"])
        .unwrap();
    mails.with(["a\\b\n\"c\""]).inc_by(0.5);
    registry.gauge("queue", "").unwrap().set(-1.5);
    let seconds = registry
        .histogram_with_buckets("seconds", "Time.", Buckets::new(&[0.5, 2.0]).unwrap())
        .unwrap();
    for value in [0.25, 1.0, 1.0, 3.0] {
        seconds.observe(value);
    }
    // A family without series is not exported.
    registry
        .gauge_family("unused", "Never set.", ["x"])
        .unwrap();
    registry
}

const TEXT: &str = r#"# HELP jobs_total Jobs done, "well" or \\ not.\nReally.
# TYPE jobs_total counter
jobs_total 3
# HELP mails_total Mails.
# TYPE mails_total counter
mails_total{to="a\\b\n\"c\""} 0.5
# HELP queue 
# TYPE queue gauge
queue -1.5
# HELP seconds Time.
# TYPE seconds histogram
seconds_bucket{le="0.5"} 1
seconds_bucket{le="2.0"} 3
seconds_bucket{le="+Inf"} 4
seconds_sum 5.25
seconds_count 4
# HELP tachometer_series Series of a metric with labels.
# TYPE tachometer_series gauge
tachometer_series{metric="mails_total"} 1
# HELP tachometer_series_overflow_total Times that `_overflow` replaced a label value that was over the limit, too long or not allowed.
# TYPE tachometer_series_overflow_total counter
tachometer_series_overflow_total{metric="mails_total"} 0
"#;

#[test]
fn the_text_format_is_prometheus_0_0_4() {
    assert_eq!(example().export_prometheus(), TEXT);
    assert_eq!(Registry::new().export_prometheus(), "");
}

#[test]
fn json_has_one_entry_a_series_with_the_names_as_registered() {
    let json: Value = serde_json::from_str(&example().export_json()).unwrap();
    let time = json["timestamp"].as_str().unwrap();
    assert!(
        humantime::parse_rfc3339(time).is_ok() && time.ends_with('Z'),
        "{time}"
    );
    assert!(json["uptime_seconds"].as_f64().unwrap() >= 0.0);
    let metrics = json["metrics"].as_object().unwrap();
    let keys: Vec<_> = metrics.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "jobs",
            r#"mails_total{to="a\\b\n\"c\""}"#,
            "queue",
            "seconds",
            r#"tachometer_series_overflow_total{metric="mails_total"}"#,
            r#"tachometer_series{metric="mails_total"}"#,
        ]
    );

    let jobs = &metrics["jobs"];
    assert_eq!(
        (&jobs["type"], &jobs["value"]),
        (&json!("counter"), &json!(3))
    );
    assert_eq!(jobs["labels"], json!({}));
    assert_eq!(
        jobs["help"],
        json!("Jobs done, \"well\" or \\ not.\nReally.")
    );
    assert!(jobs["timestamp"].as_f64().unwrap() > 1.6e9);
    assert_eq!(metrics[keys[1]]["labels"], json!({"to": "a\\b\n\"c\""}));
    assert_eq!(
        metrics["seconds"]["value"],
        json!({
            "count": 4, "sum": 5.25, "min": 0.25, "max": 3, "mean": 1.3125,
            "p50": 0.957_603_280_698_573_7, "p95": 3, "p99": 3,
            "buckets": {"0.5": 1, "2.0": 3, "+Inf": 4},
        })
    );
}

#[test]
fn json_is_valid_with_a_nan_gauge_and_an_empty_histogram() {
    let registry = Registry::new();
    registry.gauge("none", "").unwrap().set(f64::NAN);
    registry.gauge("much", "").unwrap().set(f64::INFINITY);
    registry
        .histogram_with_buckets("h", "", Buckets::new(&[1.0]).unwrap())
        .unwrap();
    let json: Value = serde_json::from_str(&registry.export_json()).unwrap();
    assert_eq!(json["metrics"]["none"]["value"], Value::Null);
    assert_eq!(json["metrics"]["much"]["value"], Value::Null);
    assert_eq!(
        json["metrics"]["h"]["value"],
        json!({"count": 0, "sum": 0, "min": 0, "max": 0, "mean": 0, "buckets": {"1.0": 0, "+Inf": 0}})
    );
    let empty: Value = serde_json::from_str(&Registry::new().export_json()).unwrap();
    assert_eq!(empty["metrics"], json!({}));
}

#[test]
fn a_family_of_many_blocks_has_one_header() {
    let registry = Registry::new();
    let family = registry.gauge_family("g", "Many.", ["n"]).unwrap();
    for number in 0..1_000 {
        family.with([&number.to_string()]).set(number);
    }
    let text = registry.export_prometheus();
    assert_eq!(text.matches("# TYPE g ").count(), 1);
    assert_eq!(text.matches("\ng{").count(), 1_000);
    let json: Value = serde_json::from_str(&registry.export_json()).unwrap();
    let metrics = json["metrics"].as_object().unwrap();
    assert_eq!(
        metrics.keys().filter(|key| key.starts_with("g{")).count(),
        1_000
    );
}

#[tokio::test]
async fn the_router_answers_get_and_head_with_the_exact_content_types() {
    let registry = example();
    let router = MetricsRouter::new().registry(&registry).build();
    let server = Server::start(Router::new().nest("/metrics", router)).await;
    let caller = Caller::new(Version::HTTP_11);
    let url = |path: &str| format!("http://{}{path}", server.address);

    // Without self-metrics of the router.
    let names = [
        "jobs",
        "mails_total",
        "queue",
        "seconds",
        "tachometer_series",
    ];
    let names = names.map(|name| format!("name[]={name}")).join("&");
    let text = caller
        .get(&url(&format!("/metrics?{names}")))
        .await
        .unwrap();
    assert_eq!(
        text.headers[CONTENT_TYPE],
        "text/plain; version=0.0.4; charset=utf-8"
    );
    assert_eq!(text.headers[CACHE_CONTROL], "no-store");
    let (own, about) = TEXT.split_once("# HELP tachometer_series ").unwrap();
    let (about, _) = about
        .split_once("# HELP tachometer_series_overflow")
        .unwrap();
    let about = format!(
        "# HELP tachometer_series {about}\
         tachometer_series{{metric=\"tachometer_scrapes_total\"}} 6\n"
    );
    assert_eq!(text.body, format!("{own}{about}"));

    let json = caller.get(&url("/metrics/json")).await.unwrap();
    assert_eq!(json.headers[CONTENT_TYPE], "application/json");
    let parsed: Value = serde_json::from_str(&json.body).unwrap();
    assert_eq!(parsed["metrics"]["jobs"]["value"], json!(3));

    let head = caller.call(Method::HEAD, &url("/metrics")).await.unwrap();
    assert_eq!((head.status, head.body.as_str()), (StatusCode::OK, ""));
    assert!(!head.headers.contains_key(CONTENT_LENGTH));
    let post = caller.call(Method::POST, &url("/metrics")).await.unwrap();
    assert_eq!(post.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(post.headers["allow"], "GET,HEAD");

    drop(caller);
    server.stop().await;
}

#[tokio::test]
async fn a_large_registry_is_served_in_chunks_of_a_bounded_size() {
    let registry = Registry::new();
    let family = registry.histogram_family("h", "Many.", ["n"]).unwrap();
    for number in 0..2_000 {
        family.with([&number.to_string()]).observe(0.1);
    }
    let router: Router = MetricsRouter::new().registry(&registry).build();
    let request = Request::get("/?name[]=h").body(Body::empty()).unwrap();
    let mut body = router.oneshot(request).await.unwrap().into_body();
    let mut text = Vec::new();
    let mut chunks = 0;
    while let Some(frame) = body.frame().await {
        let chunk = frame.unwrap().into_data().unwrap();
        assert!(chunk.len() <= 4 * 1024, "{}", chunk.len());
        text.extend_from_slice(&chunk);
        chunks += 1;
    }
    assert!(chunks > 4, "{chunks}");
    let whole = registry.export(Format::Text).filter_names(["h"]).to_bytes();
    assert!(text == whole, "what was served is not what is there");
}

#[tokio::test]
async fn a_large_registry_arrives_whole() {
    let registry = Registry::new();
    let family = registry.histogram_family("h", "Many.", ["n"]).unwrap();
    for number in 0..2_000 {
        family.with([&number.to_string()]).observe(0.1);
    }
    let router = MetricsRouter::new().registry(&registry).build();
    let server = Server::start(Router::new().nest("/metrics", router)).await;
    let caller = Caller::new(Version::HTTP_2);
    let url = format!("http://{}/metrics?name[]=h", server.address);
    let answer = caller.get(&url).await.unwrap();
    let whole = registry.export(Format::Text).filter_names(["h"]).to_bytes();
    assert!(
        answer.body.as_bytes() == whole,
        "what arrived is not what is there"
    );
    drop(caller);
    server.stop().await;
}
