//! Options of a scrape: formats, names and a limit.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::Body;
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, HeaderName};
use axum::http::{Method, Request, Response, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tachometer::{MetricsRouter, Registry};
use tower::ServiceExt;

use crate::support::read::sum;
use crate::support::warnings::warnings;

/// The name of each format, and how it is requested.
pub(super) const FORMATS: [(&str, &str); 5] = [
    ("text", "text/plain;version=0.0.4"),
    ("text_v1", "text/plain;version=1.0.0"),
    ("openmetrics", "application/openmetrics-text"),
    (
        "protobuf",
        "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;\
         encoding=delimited",
    ),
    ("json", "application/json"),
];

pub(super) fn registry() -> Registry {
    let registry = Registry::new();
    registry.counter("jobs", "Jobs.").unwrap().inc();
    let mails = registry
        .counter_family("mails_total", "Mails.", ["to"])
        .unwrap();
    for number in 0..2_000 {
        mails.with([&number.to_string()]).inc();
    }
    registry.gauge("queue", "").unwrap().set(3);
    registry
}

fn router(registry: &Registry) -> Router {
    MetricsRouter::new()
        .registry(registry)
        .without_system_metrics()
        .build()
}

pub(super) async fn send(
    router: &Router,
    method: Method,
    path: &str,
    headers: &[(HeaderName, &str)],
) -> Response<Body> {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    router.clone().oneshot(request).await.unwrap()
}

async fn read(answer: Response<Body>) -> Vec<u8> {
    answer
        .into_body()
        .collect()
        .await
        .unwrap()
        .to_bytes()
        .into()
}

async fn get(router: &Router, path: &str) -> String {
    let answer = send(router, Method::GET, path, &[]).await;
    String::from_utf8(read(answer).await).unwrap()
}

#[tokio::test]
async fn head_returns_the_headers_of_get_and_reads_no_metric() {
    let registry = registry();
    let calls = Arc::new(AtomicU64::new(0));
    let called = Arc::clone(&calls);
    let count = move || called.fetch_add(1, Ordering::Relaxed);
    registry.gauge_fn("asked", "", count).unwrap();
    let router = router(&registry);
    for (_, accept) in FORMATS {
        for coding in ["identity", "gzip", "zstd"] {
            let headers = [(ACCEPT, accept), (ACCEPT_ENCODING, coding)];
            let head = send(&router, Method::HEAD, "/", &headers).await;
            let before = calls.load(Ordering::Relaxed);
            let get = send(&router, Method::GET, "/", &headers).await;
            assert_eq!(head.headers(), get.headers(), "{headers:?}");
            assert_eq!(read(head).await, b"");
            assert_eq!(calls.load(Ordering::Relaxed), before);
        }
    }
    assert_eq!(calls.load(Ordering::Relaxed), 0);
    assert_eq!(sum(&registry, "tachometer_scrapes_total", &[]), 0.0);
}

#[tokio::test]
async fn a_name_is_matched_with_and_without_total_in_every_format() {
    let registry = registry();
    let router = router(&registry);
    for (_, accept) in FORMATS {
        for (name, family) in [
            ("jobs", "jobs"),
            ("jobs_total", "jobs"),
            ("mails", "mails"),
            ("mails_total", "mails"),
            ("queue", "queue"),
            ("tachometer_scrapes", "tachometer_scrapes"),
            ("tachometer_scrapes_total", "tachometer_scrapes"),
            ("tachometer_series", "tachometer_series"),
            ("tachometer_series_overflow", "tachometer_series_overflow"),
            (
                "tachometer_series_overflow_total",
                "tachometer_series_overflow",
            ),
            ("queue_total", ""),
            ("JOBS", ""),
        ] {
            let path = format!("/?name[]={name}");
            let answer = send(&router, Method::GET, &path, &[(ACCEPT, accept)]).await;
            let body = String::from_utf8_lossy(&read(answer).await).into_owned();
            for prefix in ["jobs", "mails_total{", "queue", "tachometer_scrapes"] {
                // Label values may hold names of other metrics.
                let is_there = body.lines().any(|line| line.starts_with(prefix));
                let is_its = !family.is_empty() && prefix.starts_with(family);
                let is_text = accept.contains("text");
                assert!(!is_text || is_there == is_its, "{prefix} in {path}: {body}");
            }
            let help = [
                "Jobs.",
                "Mails.",
                "Complete scrapes",
                "Series of",
                "Times that",
            ];
            let helps: Vec<_> = help.iter().filter(|help| body.contains(**help)).collect();
            let due = usize::from(!family.is_empty() && family != "queue");
            assert_eq!(helps.len(), due, "{path} as {accept}: {helps:?}");
        }
    }
}

#[tokio::test]
async fn a_limit_applies_to_json_only_and_json_reports_it() {
    let registry = registry();
    let router = router(&registry);
    // Jobs, mails, the queue, and self-metrics.
    let all = 1 + 2_000 + 1 + 6 + 1 + 2 + 2 + 2;
    for (limit, shown) in [
        ("0", 0),
        ("1", 1),
        ("500", 500),
        ("2015", all),
        ("2014", all - 1),
        ("18446744073709551615", all),
        ("18446744073709551616", all),
        ("-1", all),
        ("1&limit=2", 2),
        ("3&limit=", 3),
    ] {
        let json = get(&router, &format!("/json?limit={limit}")).await;
        let json: Value = serde_json::from_str(&json).unwrap();
        let metrics = json["metrics"].as_object().unwrap();
        assert_eq!(metrics.len(), shown, "{limit}");
        let truncated = (shown < all).then_some(&Value::Bool(true));
        assert_eq!(json.get("truncated"), truncated, "{limit}");
    }
    let text = get(&router, "/?limit=1").await;
    assert!(text.matches("\nmails_total{").count() == 2_000);
    let some = get(&router, "/json?limit=1&name[]=jobs").await;
    assert!(!some.contains("truncated"), "{some}");
}

#[tokio::test]
async fn each_complete_response_is_counted_once_by_its_format() {
    let registry = registry();
    let router = router(&registry);
    for (number, (format, accept)) in (1_u32..).zip(FORMATS) {
        let headers = [(ACCEPT, accept)];
        for _ in 0..number {
            read(send(&router, Method::GET, "/", &headers).await).await;
        }
        // Not finished, not started, or not a scrape; a summary has a separate format.
        let mut half = send(&router, Method::GET, "/", &headers).await;
        half.body_mut().frame().await.unwrap().unwrap();
        drop(half);
        drop(send(&router, Method::GET, "/", &headers).await);
        read(send(&router, Method::POST, "/", &headers).await).await;
        get(&router, "/summary").await;
        let count = sum(&registry, "tachometer_scrapes_total", &[("format", format)]);
        assert_eq!(count, f64::from(number), "{format}");
        let durations = sum(&registry, "tachometer_scrape_duration_seconds", &[]);
        assert_eq!(durations, f64::from(number * (number + 1) / 2 + number));
    }
}

#[tokio::test]
async fn two_routers_at_any_path_can_share_a_registry() {
    let registry = registry();
    let app: Router = Router::new()
        .nest("/a", router(&registry))
        .nest("/a/b/{c}", router(&registry))
        .merge(Router::new().nest("/internal", router(&registry)))
        .merge(router(&registry));
    let paths = ["/a", "/a/b/c", "/internal", "/"];
    for path in paths {
        let text = get(&app, &format!("{path}?name[]=jobs")).await;
        assert!(text.ends_with("jobs_total 1\n"), "{path}: {text}");
        let stem = path.trim_end_matches('/');
        let json = get(&app, &format!("{stem}/json?name[]=jobs")).await;
        assert!(json.contains("\"jobs\":{"), "{path}: {json}");
        assert!(get(&app, &format!("{stem}/summary")).await.contains("jobs"));
    }
    // All count together.
    assert_eq!(
        sum(&registry, "tachometer_scrapes_total", &[("format", "text")]),
        4.0
    );
    assert_eq!(
        sum(&registry, "tachometer_scrapes_total", &[("format", "json")]),
        4.0
    );
}

#[test]
fn a_registry_that_uses_names_of_self_metrics_is_served_without_them() {
    for taken in [
        "tachometer_scrapes_total",
        "tachometer_scrape_duration_seconds",
    ] {
        let registry = registry();
        registry.gauge(taken, "Mine.").unwrap().set(7);
        let warned = warnings(
            || (),
            || {
                let router = router(&registry);
                let mut builder = tokio::runtime::Builder::new_current_thread();
                let runtime = builder.build().unwrap();
                for _ in 0..2 {
                    let text = runtime.block_on(get(&router, "/"));
                    assert!(text.contains(&format!("\n{taken} 7\n")), "{text}");
                }
                let status = runtime
                    .block_on(send(&router, Method::GET, "/", &[]))
                    .status();
                assert_eq!(status, StatusCode::OK);
            },
        );
        assert_eq!(warned.len(), 1, "{warned:?}");
        assert!(warned[0].contains(taken), "{warned:?}");
    }
}
