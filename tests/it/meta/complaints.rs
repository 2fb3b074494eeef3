//! Complaints of users of other layers, each answered by a test.
//!
//! | complaint | answered by |
//! | --- | --- |
//! | paths of scanners explode the series | `http::layer::ten_thousand_random_paths_..`, `tests/attack.rs` |
//! | in flight leaks when a client goes away | `http::one_outcome`, `http::chaos` |
//! | no custom labels | `http::custom_labels` |
//! | long streams spoil the latency | `http::streams::the_duration_of_a_stream_ends_with_its_head` |
//! | the template is lost under nesting and mounting | `http::layer::routes_are_templates_..`, `http::routes::a_mounted_service_is_counted_once_under_its_mount_path` |
//! | cancelled requests are in no counter | `http::cancellation::a_client_that_disconnects_is_counted_as_cancelled_over_http_1_and_2` |
//! | false cancellations | `http::cancellation::no_finished_response_is_counted_as_cancelled_over_http_1_and_2` |
//! | the first error of a series is lost, routes cannot be listed | `http::routes::declared_routes_..` |
//! | no exemplars | `formats::exemplars::a_request_leaves_its_trace_..` |
//! | no time to the first byte | `http::streams::head_first_byte_and_end_are_measured_separately` |
//! | in flight has no route | `http::routes::a_request_that_learns_its_route_late_..` |
//! | the prefix is ignored | `http::presets::a_prefix_..` |
//! | panics are invisible | `http::one_outcome`, `http::nested_layers::a_panic_..` |
//! | a gRPC code is in the trailers | `http::grpc` |
//! | names of the semantic conventions | `http::presets::a_preset_..` |
//! | the order of layers is easily wrong | `http::layer_settings::a_layer_outside_of_the_router_warns_once_and_one_inside_never` |
//!
//! The others are answered in this file.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::{HOST, USER_AGENT};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{BoxError, Router};
use futures_util::{StreamExt, stream};
use http_body_util::BodyExt;
use tachometer::snapshot::Kind;
use tachometer::{LlmLayer, MetricsLayer, MetricsRouter, Registry};
use tower::ServiceExt;
use tower::util::MapResponseLayer;

use crate::support::read::{series, sum};
use crate::support::service::get_path;

fn layer(registry: &Registry) -> MetricsLayer {
    MetricsLayer::new().registry(registry)
}

fn users() -> Router {
    Router::new().route("/users/{id}", get(async || "a user"))
}

#[tokio::test]
async fn several_applications_in_one_process_are_independent() {
    let registries = [Registry::new(), Registry::new(), Registry::new()];
    for (calls, registry) in registries.iter().enumerate() {
        let app = users()
            .layer(layer(registry))
            .nest("/metrics", MetricsRouter::new().registry(registry).build());
        for _ in 0..=calls {
            get_path(app.clone(), "/users/7").await;
        }
    }
    let counted = registries.map(|registry| sum(&registry, "http_requests_total", &[]));
    assert_eq!(counted, [1.0, 2.0, 3.0]);
}

#[tokio::test]
async fn scrapes_and_health_checks_can_be_excluded() {
    let registry = Registry::new();
    let app = users()
        .route("/health", get(async || "well"))
        .nest("/metrics", MetricsRouter::new().registry(&registry).build())
        .layer(layer(&registry).skip(|_, uri| uri.path() == "/health"));
    for path in ["/health", "/metrics", "/metrics/json"] {
        assert_eq!(get_path(app.clone(), path).await, StatusCode::OK);
    }
    assert_eq!(sum(&registry, "http_requests_total", &[]), 0.0);
    assert_eq!(sum(&registry, "http_requests_in_flight", &[]), 0.0);
}

#[tokio::test]
async fn the_size_of_a_chunked_body_is_counted_whole_and_once() {
    let registry = Registry::new();
    let pieces = || stream::iter(0..10).map(|_| Ok::<_, Infallible>("eighteen bytes yes"));
    let app = Router::new()
        .route("/chunked", get(async move || Body::from_stream(pieces())))
        .layer(layer(&registry));
    get_path(app, "/chunked").await;
    assert_eq!(sum(&registry, "http_response_body_bytes_total", &[]), 180.0);
    assert_eq!(sum(&registry, "http_request_duration_seconds", &[]), 1.0);
}

#[tokio::test]
async fn responses_of_inner_middleware_are_counted_by_their_status() {
    async fn guard(request: Request, next: Next) -> Response {
        match request.uri().query() {
            Some("no-token") => StatusCode::UNAUTHORIZED.into_response(),
            Some("too-many") => StatusCode::TOO_MANY_REQUESTS.into_response(),
            _ => next.run(request).await,
        }
    }
    let registry = Registry::new();
    let app = users().layer(from_fn(guard)).layer(layer(&registry));
    for query in ["no-token", "too-many", ""] {
        get_path(app.clone(), &format!("/users/7?{query}")).await;
    }
    for (status, outcome) in [
        ("401", "client_error"),
        ("429", "client_error"),
        ("200", "ok"),
    ] {
        let labels = [
            ("status", status),
            ("outcome", outcome),
            ("route", "/users/{id}"),
        ];
        assert_eq!(
            sum(&registry, "http_requests_total", &labels),
            1.0,
            "{status}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn an_inner_timeout_is_counted_by_its_status_and_an_outer_one_as_cancelled() {
    let slow = || Router::new().route("/slow", get(std::future::pending::<()>));
    let registry = Registry::new();
    let inside = slow()
        .layer(from_fn(async |request: Request, next: Next| {
            let answer = tokio::time::timeout(Duration::from_secs(1), next.run(request)).await;
            answer.unwrap_or_else(|_| StatusCode::GATEWAY_TIMEOUT.into_response())
        }))
        .layer(layer(&registry));
    get_path(inside, "/slow").await;
    let outside = slow().layer(layer(&registry));
    let call = get_path(outside, "/slow");
    assert!(
        tokio::time::timeout(Duration::from_secs(1), call)
            .await
            .is_err()
    );
    for (status, outcome) in [("504", "server_error"), ("none", "cancelled_before_head")] {
        let labels = [("status", status), ("outcome", outcome)];
        assert_eq!(
            sum(&registry, "http_requests_total", &labels),
            1.0,
            "{outcome}"
        );
    }
}

#[tokio::test]
async fn thousands_of_axum_routes_are_all_counted_by_name() {
    const ROUTES: usize = 3_000;
    let registry = Registry::new();
    let routes = (0..ROUTES).fold(Router::new(), |app, route| {
        app.route(&format!("/{route}/{{id}}"), get(async || "done"))
    });
    let app = routes.layer(layer(&registry));
    for route in 0..ROUTES {
        get_path(app.clone(), &format!("/{route}/7")).await;
    }
    let blocks = registry
        .gather()
        .filter(|block| block.desc.name() == "http_requests_total");
    assert_eq!(
        blocks.map(|block| block.labels.len()).sum::<usize>(),
        ROUTES
    );
    assert!(!registry.export_prometheus().contains("_overflow\""));
}

#[tokio::test]
async fn by_default_no_label_holds_a_value_from_the_client() {
    const SECRET: &str = "hunter2";
    let registry = Registry::new();
    let failing = Router::new()
        .route(
            "/fail",
            get(async || (StatusCode::INTERNAL_SERVER_ERROR, SECRET)),
        )
        .fallback(async || StatusCode::NOT_FOUND);
    let app = users().merge(failing).layer(layer(&registry));
    for path in ["/users/hunter2", "/hunter2", "/fail?password=hunter2"] {
        let request = Request::builder()
            .method("HUNTER2")
            .uri(path)
            .header(HOST, SECRET)
            .header(USER_AGENT, SECRET)
            .header("traceparent", SECRET)
            .header("authorization", SECRET)
            .header("content-type", SECRET)
            .body(Body::from(SECRET))
            .unwrap();
        app.clone().oneshot(request).await.unwrap();
    }
    let text = registry.export_prometheus().to_lowercase() + &registry.export_json().to_lowercase();
    assert!(!text.contains(SECRET), "{text}");
}

#[tokio::test]
async fn the_duration_is_a_histogram_in_every_registry() {
    for registry in [
        Registry::new(),
        Registry::new().with_prefix("shop_").unwrap(),
    ] {
        get_path(users().layer(layer(&registry)), "/users/7").await;
        let metrics = registry.metrics();
        let mut durations = metrics
            .iter()
            .filter(|m| m.name().ends_with("request_duration_seconds"));
        assert_eq!(durations.next().unwrap().kind(), Kind::Histogram);
    }
}

#[tokio::test]
async fn nothing_grows_without_scrapes() {
    let registry = Registry::new();
    let app = users().layer(layer(&registry));
    get_path(app.clone(), "/users/7").await;
    let before = (
        series(&registry),
        registry.export_prometheus().lines().count(),
    );
    for _ in 0..20_000 {
        get_path(app.clone(), "/users/7").await;
    }
    let after = (
        series(&registry),
        registry.export_prometheus().lines().count(),
    );
    assert_eq!(before, after);
}

#[tokio::test]
async fn outer_layers_can_change_the_body_type() {
    let registry = Registry::new();
    let app = users()
        .layer(layer(&registry))
        .layer(MapResponseLayer::new(|response: Response| {
            response.map(|body| Body::new(body.map_err(BoxError::from)))
        }));
    assert_eq!(get_path(app, "/users/7").await, StatusCode::OK);
    assert_eq!(
        sum(&registry, "http_requests_total", &[("outcome", "ok")]),
        1.0
    );
}

/// Every HTTP metric is documented with its type and labels, and every documented one exists.
#[test]
fn the_guide_lists_every_http_metric_with_its_type_and_labels() {
    let registry = Registry::new();
    let layer = layer(&registry)
        .time_to_head()
        .time_to_first_byte()
        .body_sizes()
        .service_level("/users/{id}", Duration::from_secs(1));
    assert!(layer.try_register().is_ok());
    let metrics = registry.metrics();
    let metrics = metrics
        .iter()
        .filter(|metric| metric.name().starts_with("http_"));
    let registered: BTreeSet<_> = metrics
        .map(|metric| {
            let labels = metric.label_names().join("`, `");
            let (name, kind) = (metric.name().to_owned(), metric.kind().as_str());
            (name, kind.to_owned(), format!("`{labels}`"))
        })
        .collect();
    let guide = include_str!("../../../docs/http.md");
    let table = guide
        .split("\n## ")
        .find(|text| text.starts_with("Metrics\n"));
    let documented: BTreeSet<_> = rows(table.unwrap(), "| `http_")
        .flat_map(|[names, kind, labels]| {
            let names = names.split(", ").map(unquoted);
            names.map(move |name| (name, kind.to_owned(), labels.to_owned()))
        })
        .collect();
    assert_eq!(registered, documented);
}

#[test]
fn the_guide_lists_every_llm_metric() {
    let documented: BTreeSet<_> = rows(include_str!("../../../docs/llm.md"), "| `llm_")
        .flat_map(|[names, ..]| names.split(", ").map(unquoted))
        .map(|name| stem(&name).to_owned())
        .filter(|name| !name.starts_with("llm_route_"))
        .collect();
    assert_eq!(llm_metrics(), documented);
}

#[test]
fn the_readme_names_only_metrics_that_exist() {
    let registry = Registry::new();
    assert!(layer(&registry).try_register().is_ok());
    let readme = include_str!("../../../README.md");
    let spans = readme.split('`').skip(1).step_by(2);
    let mut count = 0;
    for name in spans.filter(|span| span.starts_with("http_") || span.starts_with("llm_")) {
        let exists = registry.get(name).is_some() || llm_metrics().contains(stem(name));
        assert!(exists, "{name}");
        count += 1;
    }
    assert!(count > 10, "{count}");
}

/// Returns the first three cells of each row of a table that starts with `start`.
fn rows<'a>(text: &'a str, start: &str) -> impl Iterator<Item = [&'a str; 3]> {
    let rows = text.lines().filter(move |line| line.starts_with(start));
    rows.map(|row| {
        let mut cells = row.split('|').skip(1).map(str::trim);
        [(); 3].map(|()| cells.next().unwrap_or_default())
    })
}

fn unquoted(name: &str) -> String {
    name.trim_matches('`').to_owned()
}

/// The exposed name of a counter ends with `_total`, whatever its registered name.
fn stem(name: &str) -> &str {
    name.trim_end_matches("_total")
}

fn llm_metrics() -> BTreeSet<String> {
    let registry = Registry::new();
    let _llm = LlmLayer::new().registry(&registry).try_register().unwrap();
    let metrics = registry.metrics();
    let names = metrics.iter().map(|metric| stem(metric.name()).to_owned());
    names.filter(|name| name.starts_with("llm_")).collect()
}
