//! The page's files, its view, and its downloads.

use std::collections::BTreeSet;
use std::iter;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{
    ALLOW, AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    ETAG, IF_NONE_MATCH, LOCATION, REFERRER_POLICY, RETRY_AFTER, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, Method, Request, StatusCode, Version};
use futures_util::future::join_all;
use http_body_util::BodyExt;
use serde_json::Value;
use tachometer::dashboards::{AlertRules, GrafanaBoard};
use tachometer::{MetricsLayer, MetricsRouter, Registry};
use tokio::time::timeout;
use tower::ServiceExt;

use crate::support::loopback::{Caller, Server};
use crate::support::scripted_collector::{BlockingCollector, OpenOnDrop};
use crate::support::wait::until;

const FILES: [(&str, &str); 6] = [
    ("/dashboard", "text/html; charset=utf-8"),
    ("/dashboard.css", "text/css; charset=utf-8"),
    ("/dashboard.js", "text/javascript; charset=utf-8"),
    ("/view", "application/json"),
    ("/grafana.json", "application/json"),
    ("/rules.yml", "application/yaml"),
];

/// A timeout longer than any step.
const LONG: Duration = Duration::from_secs(60);

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

async fn call(router: &Router, method: Method, path: &str) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Body::empty()).unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    let (head, body) = answer.into_parts();
    Answer {
        status: head.status,
        headers: head.headers,
        body: body.collect().await.unwrap().to_bytes(),
    }
}

async fn get(router: &Router, path: &str) -> Answer {
    call(router, Method::GET, path).await
}

/// A registry with a collector that blocks.
fn gated() -> (Registry, BlockingCollector, OpenOnDrop) {
    let (registry, gate) = (Registry::new(), BlockingCollector::default());
    registry.collector(gate.clone()).unwrap();
    (registry, gate.clone(), OpenOnDrop(gate))
}

#[tokio::test]
async fn the_page_is_served_with_all_files_that_it_refers_to() {
    let router = MetricsRouter::new().registry(&Registry::new()).build();
    let app = Router::new().nest("/a/b/metrics", router);
    for (path, kind) in FILES {
        let path = format!("/a/b/metrics{path}");
        let answer = get(&app, &path).await;
        assert_eq!(answer.status, StatusCode::OK, "{path}");
        assert_eq!(answer.headers[CONTENT_TYPE], kind, "{path}");
        let is_file = path.contains("dashboard");
        let kept = if is_file { "no-cache" } else { "no-store" };
        assert_eq!(answer.headers[CACHE_CONTROL], kept, "{path}");
        assert_eq!(answer.headers.contains_key(ETAG), is_file, "{path}");
        assert_eq!(answer.headers[X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
        assert!(!answer.body.is_empty(), "{path}");

        let head = call(&app, Method::HEAD, &path).await;
        assert_eq!(head.status, StatusCode::OK, "{path}");
        assert_eq!(head.headers[CONTENT_TYPE], kind, "{path}");
        assert!(head.body.is_empty(), "{path}");

        let refused = call(&app, Method::POST, &path).await;
        assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED, "{path}");
        assert_eq!(refused.headers[ALLOW], "GET,HEAD", "{path}");
    }
    let html = get(&app, "/a/b/metrics/dashboard").await;
    let policy = html.headers[CONTENT_SECURITY_POLICY].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");
    assert_eq!(html.headers[REFERRER_POLICY], "no-referrer");
    let html = String::from_utf8(html.body.to_vec()).unwrap();
    let links: BTreeSet<_> = ["href=\"", "src=\""]
        .iter()
        .flat_map(|before| html.split(before).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .filter(|link| !link.starts_with('#') && !link.starts_with("data:"))
        .collect();
    assert!(links.contains("dashboard.js"), "{links:?}");
    for link in links {
        assert!(!link.contains("//") && !link.starts_with('/'), "{link}");
        let path = match link.strip_prefix("../") {
            Some(link) => format!("/a/b/{link}"),
            None => format!("/a/b/metrics/{link}"),
        };
        assert_eq!(get(&app, &path).await.status, StatusCode::OK, "{link}");
    }
}

#[tokio::test]
async fn a_file_in_the_cache_of_the_browser_is_not_sent_again() {
    let router = MetricsRouter::new().registry(&Registry::new());
    let server = Server::start(router.build()).await;
    let caller = Caller::new(Version::HTTP_11);
    let mut tags = BTreeSet::new();
    for path in ["/dashboard", "/dashboard.css", "/dashboard.js"] {
        let url = format!("http://{}{path}", server.address);
        let first = caller.get(&url).await.unwrap();
        let tag = first.headers[ETAG].to_str().unwrap().to_owned();
        let strong = tag.strip_prefix("W/").unwrap();
        assert!(strong.starts_with('"') && strong.len() > 10, "{tag}");
        for method in [Method::GET, Method::HEAD] {
            for list in [format!("\"x\", {tag}"), strong.into(), "*".into()] {
                let has = [(IF_NONE_MATCH, &*list)];
                let answer = caller.send(method.clone(), &url, &has).await.unwrap();
                assert_eq!(answer.status(), StatusCode::NOT_MODIFIED, "{path} {list}");
                let headers = answer.headers().clone();
                for name in [ETAG, CACHE_CONTROL, X_CONTENT_TYPE_OPTIONS, CONTENT_TYPE] {
                    assert_eq!(headers[&name], first.headers[&name], "{path}");
                }
                // It would be the length of the file, not 0.
                assert!(!headers.contains_key(CONTENT_LENGTH), "{path}");
                let body = answer.into_body().collect().await.unwrap().to_bytes();
                assert!(body.is_empty(), "{path}");
            }
        }
        let has = [(IF_NONE_MATCH, "\"another\"")];
        let answer = caller.send(Method::GET, &url, &has).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
        tags.insert(tag);
    }
    // Each file has its own ETag, and only files have one.
    assert_eq!(tags.len(), 3);
    let url = format!("http://{}/view", server.address);
    let has = [(IF_NONE_MATCH, "*")];
    let answer = caller.send(Method::GET, &url, &has).await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    drop((answer, caller));
    server.stop().await;
}

#[tokio::test]
async fn the_path_with_a_slash_redirects_to_the_page_under_any_prefix() {
    let router = MetricsRouter::new().registry(&Registry::new()).build();
    let app = Router::new().nest("/metrics", router);
    let answer = get(&app, "/metrics/dashboard/").await;
    assert_eq!(answer.status, StatusCode::PERMANENT_REDIRECT);
    // From `/metrics/dashboard/` this is `/metrics/dashboard`, and so it is behind a proxy
    // that has put a path before it.
    assert_eq!(answer.headers[LOCATION], "../dashboard");
}

#[tokio::test]
async fn the_page_is_behind_the_same_guard_as_the_metrics() {
    let settings = MetricsRouter::new().registry(&Registry::new());
    let router = settings.bearer_token("a token").build();
    for (path, _) in FILES.into_iter().chain([("/dashboard/", "")]) {
        let answer = get(&router, path).await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(answer.body.is_empty(), "{path}");
        let request = Request::get(path).header(AUTHORIZATION, "Bearer a token");
        let request = request.body(Body::empty()).unwrap();
        let answer = router.clone().oneshot(request).await.unwrap();
        assert_ne!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
}

#[tokio::test]
async fn a_router_without_the_page_has_the_metrics_alone() {
    let settings = MetricsRouter::new().registry(&Registry::new());
    // Whatever other options the query has.
    let settings = settings.without_dashboard().dashboard_title("Shop");
    let router = settings.alert_rules(AlertRules::new()).build();
    for (path, _) in FILES.into_iter().chain([("/dashboard/", "")]) {
        assert_eq!(get(&router, path).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(get(&router, "/json").await.status, StatusCode::OK);
}

#[tokio::test]
async fn downloads_are_generated_from_the_current_registry() {
    let registry = Registry::new();
    let rules = AlertRules::new().availability(0.9).unwrap();
    let settings = MetricsRouter::new()
        .registry(&registry)
        .without_system_metrics();
    let settings = settings
        .dashboard_title("Shop \"of\" hats")
        .alert_rules(rules.clone());
    let router = settings.build();
    // After the router was made, as an application has it.
    let layer = MetricsLayer::new().registry(&registry).try_register();
    let _layer = layer.unwrap();
    let board = GrafanaBoard::new().title("Shop \"of\" hats");
    let board = board.to_json(&registry);
    assert!(board.contains("http_requests_total"));
    assert_eq!(get(&router, "/grafana.json").await.body, board);
    let rules = rules.to_yaml(&registry);
    assert_ne!(rules, AlertRules::new().to_yaml(&registry));
    assert_eq!(get(&router, "/rules.yml").await.body, rules);
    let view = get(&router, "/view").await.body;
    let view: Value = serde_json::from_slice(&view).unwrap();
    assert_eq!(view["title"], "Shop \"of\" hats");
}

#[tokio::test]
async fn the_page_is_named_after_the_program() {
    let router = MetricsRouter::new().registry(&Registry::new()).build();
    let view = get(&router, "/view").await.body;
    let view: Value = serde_json::from_slice(&view).unwrap();
    let program = std::env::current_exe().unwrap();
    assert_eq!(
        view["title"],
        program.file_stem().unwrap().to_str().unwrap()
    );
}

#[tokio::test]
async fn nothing_is_read_without_viewers() {
    let (registry, gate, _opened) = gated();
    let settings = MetricsRouter::new()
        .registry(&registry)
        .without_system_metrics();
    let series = registry.metrics().len();
    let without = settings.clone().without_dashboard().build::<()>();
    let of_scrapes = registry.metrics().len() - series;
    let with = settings.build::<()>();
    assert_eq!(registry.metrics().len(), series + of_scrapes);
    assert_eq!(gate.calls(), 0);
    drop((without, with));
}

#[tokio::test]
async fn many_viewers_at_once_cause_one_reading() {
    let (registry, gate, _opened) = gated();
    // No viewer for longer than the refresh interval.
    let interval = Duration::from_secs(3_600);
    let settings = MetricsRouter::new().registry(&registry);
    let router = settings.dashboard_interval(interval).build();
    let looks = iter::repeat_with(|| get(&router, "/view")).take(200);
    let opening = async {
        until(|| gate.calls() == 1).await;
        gate.open();
    };
    let (views, ()) = tokio::join!(join_all(looks), opening);
    assert_eq!(get(&router, "/view").await.body, views[0].body);
    assert_eq!(gate.calls(), 1);
    for view in &views {
        assert_eq!(view.status, StatusCode::OK);
        assert_eq!(view.body, views[0].body);
    }
}

#[tokio::test]
async fn viewers_get_the_last_view_while_a_collector_hangs() {
    let (registry, gate, _opened) = gated();
    gate.open();
    let settings = MetricsRouter::new().registry(&registry);
    let router = settings.dashboard_interval(Duration::ZERO).build();
    let before = get(&router, "/view").await;
    gate.close();
    let hanging = tokio::spawn({
        let router = router.clone();
        async move { get(&router, "/view").await }
    });
    until(|| gate.calls() == 2).await;
    for _ in 0..100 {
        let look = timeout(LONG, get(&router, "/view")).await.unwrap();
        assert_eq!(look.status, StatusCode::OK);
        assert_eq!(look.body, before.body);
    }
    gate.open();
    let after = hanging.await.unwrap();
    assert_ne!(after.body, before.body);
    assert_eq!(gate.calls(), 2);
}

#[tokio::test]
async fn a_view_beyond_the_scrape_limit_gets_503_with_retry_after() {
    let (registry, gate, _opened) = gated();
    let settings = MetricsRouter::new()
        .registry(&registry)
        .max_concurrent_scrapes(1);
    let router = settings.build();
    let scrape = tokio::spawn({
        let router = router.clone();
        async move { get(&router, "/").await.status }
    });
    until(|| gate.calls() == 1).await;
    for path in ["/view", "/grafana.json", "/rules.yml"] {
        let refused = get(&router, path).await;
        assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(refused.headers[RETRY_AFTER], "1", "{path}");
    }
    // The files of the page need no permit.
    for path in ["/dashboard", "/dashboard.js", "/dashboard.css"] {
        assert_eq!(get(&router, path).await.status, StatusCode::OK, "{path}");
    }
    gate.open();
    assert_eq!(scrape.await.unwrap(), StatusCode::OK);
    assert_eq!(get(&router, "/view").await.status, StatusCode::OK);
}
