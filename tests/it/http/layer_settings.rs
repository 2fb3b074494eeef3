//! Settings of the layer, and protection against wrong use.

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::routing::get;
use tachometer::{Buckets, Label, MetricsLayer, MetricsRouter, Registry, instrument_with};
use tower::{Layer, Service, service_fn};

use crate::support::read::{series, sum};
use crate::support::service::get_path;
use crate::support::warnings::warnings;

fn service() -> Router {
    Router::new()
        .route("/health", get(async || "well"))
        .route("/users/{id}", get(async || "a user"))
}

#[tokio::test]
async fn skipped_requests_pass_uncounted() {
    let registry = Registry::new();
    let layer = MetricsLayer::new()
        .registry(&registry)
        .skip(|method, uri| method == "GET" && uri.path() == "/health");
    let app = service().layer(layer);
    assert_eq!(get_path(app.clone(), "/health").await, StatusCode::OK);
    assert_eq!(series(&registry), 0);
    assert_eq!(get_path(app, "/users/7").await, StatusCode::OK);
    assert_eq!(sum(&registry, "http_requests_total", &[]), 1.0);
}

#[tokio::test]
async fn a_request_is_answered_and_measured_although_the_skip_closure_panics() {
    let registry = Registry::new();
    let layer = MetricsLayer::new()
        .registry(&registry)
        .skip(|_, _| panic!("part of the test"));
    assert_eq!(
        get_path(service().layer(layer), "/users/7").await,
        StatusCode::OK
    );
    assert_eq!(sum(&registry, "http_requests_total", &[]), 1.0);
}

#[tokio::test]
async fn the_duration_has_the_configured_buckets() {
    let registry = Registry::new();
    let buckets = Buckets::new(&[0.5, 60.0]).unwrap().native();
    let layer = MetricsLayer::new().registry(&registry).buckets(buckets);
    get_path(service().layer(layer), "/users/7").await;
    let text = registry.export_prometheus();
    let buckets = text.matches("http_request_duration_seconds_bucket").count();
    assert_eq!(buckets, 3, "{text}");
    assert!(text.contains("le=\"60.0\"} 1\n"), "{text}");

    // Another layer of the same registry uses the existing families.
    let again = MetricsLayer::new().registry(&registry);
    assert!(again.clone().try_register().is_ok());
    let other = again.buckets(Buckets::new(&[1.0]).unwrap());
    assert!(other.try_register().unwrap_err().is_conflict());
}

#[tokio::test]
async fn an_instrumented_application_measures_its_fallback_and_not_its_scrapes() {
    let registry = Registry::new();
    let app: Router = instrument_with(
        service().fallback(async || StatusCode::NOT_FOUND),
        MetricsLayer::new().registry(&registry),
        MetricsRouter::new().registry(&registry),
    );
    for (path, expected) in [
        ("/users/7", StatusCode::OK),
        ("/elsewhere", StatusCode::NOT_FOUND),
        ("/metrics", StatusCode::OK),
        ("/metrics/json", StatusCode::OK),
    ] {
        assert_eq!(get_path(app.clone(), path).await, expected, "{path}");
    }
    assert_eq!(sum(&registry, "http_requests_total", &[]), 2.0);
    let unmatched = sum(&registry, "http_requests_total", &[("route", "unmatched")]);
    assert_eq!(unmatched, 1.0);
}

/// Makes many requests, and returns the warnings.
fn warned_of<S, B>(app: &S, path: &str) -> Vec<String>
where
    S: Service<Request<Body>, Response = axum::http::Response<B>> + Clone,
    S::Error: std::fmt::Debug,
    B: http_body::Body<Error: std::fmt::Debug>,
{
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    warnings(
        || (),
        || {
            for _ in 0..250 {
                runtime.block_on(get_path(app.clone(), path));
            }
        },
    )
}

#[test]
fn a_layer_outside_of_the_router_warns_once_and_one_inside_never() {
    let registry = Registry::new();
    let layer = || MetricsLayer::new().registry(&registry);
    let messages = warned_of(&layer().layer(service()), "/users/7");
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(
        messages[0].contains("outside of the router"),
        "{messages:?}"
    );

    assert!(warned_of(&service().layer(layer()), "/users/7").is_empty());
    // With another one inside it knows the routes.
    assert!(warned_of(&layer().layer(service().layer(layer())), "/users/7").is_empty());
    // A service that is not axum's may have no routes to show.
    let other = service_fn(async |_: Request<_>| {
        let answer = axum::http::Response::new("an answer".to_owned());
        Ok::<_, std::convert::Infallible>(answer)
    });
    assert!(warned_of(&layer().layer(other), "/users/7").is_empty());
}

#[test]
fn a_layer_before_the_routes_warns_once() {
    let registry = Registry::new();
    let app = Router::new()
        .layer(MetricsLayer::new().registry(&registry))
        .route("/users/{id}", get(async || "a user"));
    assert!(warned_of(&app, "/users/7").is_empty());
    assert_eq!(series(&registry), 0);
    let messages = warned_of(&app, "/elsewhere");
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].contains("added before"), "{messages:?}");
}

#[test]
fn a_layer_that_measures_nothing_warns_at_the_tenth_scrape() {
    let registry = Registry::new();
    let metrics = MetricsRouter::new().registry(&registry).build();
    let app = Router::new()
        .layer(MetricsLayer::new().registry(&registry))
        .route("/users/{id}", get(async || "a user"))
        .nest("/metrics", metrics);
    assert!(warned_of(&app, "/users/7").is_empty());
    let messages = warned_of(&app, "/metrics");
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].contains("no request"), "{messages:?}");

    // Nothing to say if there is a request, or no layer.
    let registry = Registry::new();
    let metrics = || MetricsRouter::new().registry(&registry).build();
    assert!(warned_of(&service().nest("/metrics", metrics()), "/metrics").is_empty());
    let app = service()
        .layer(MetricsLayer::new().registry(&registry))
        .nest("/metrics", metrics());
    assert!(warned_of(&app, "/users/7").is_empty());
    assert!(warned_of(&app, "/metrics").is_empty());
}

#[test]
fn one_warning_says_why_most_requests_have_no_route() {
    let registry = Registry::new();
    let app = service()
        .fallback(async || "a page")
        .layer(MetricsLayer::new().registry(&registry));
    let call = |path: &str| warned_of(&app, path);
    // 250 requests each.
    assert!(call("/users/7").is_empty());
    assert!(call("/one").is_empty());
    assert!(call("/two").is_empty());
    let messages = call("/three");
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].contains("750 are `fallback`"), "{messages:?}");
    assert!(call("/four").is_empty());
}

#[tokio::test]
async fn a_layer_uses_existing_families_in_any_order_of_labels() {
    let registry = Registry::new();
    let labels = ["outcome", "status", "route", "method"].map(Label::unlimited);
    let requests = registry.counter_family("http_requests_total", "", labels);
    let labels = ["status", "route", "method"].map(Label::unlimited);
    let seconds = registry.histogram_family("http_request_duration_seconds", "", labels);
    get_path(
        service().layer(MetricsLayer::new().registry(&registry)),
        "/users/7",
    )
    .await;
    assert_eq!(
        requests
            .unwrap()
            .with(["ok", "200", "/users/{id}", "GET"])
            .get(),
        1.0
    );
    let seconds = seconds.unwrap().with(["200", "/users/{id}", "GET"]);
    assert_eq!(seconds.stats().count, 1);
}

#[test]
fn requesting_the_in_flight_gauge_of_the_layer_is_an_error() {
    let registry = Registry::new();
    assert!(
        MetricsLayer::new()
            .registry(&registry)
            .try_register()
            .is_ok()
    );
    let gauge = registry.gauge_family("http_requests_in_flight", "", ["method", "route"]);
    let error = gauge.unwrap_err();
    assert!(error.is_conflict());
    assert!(error.to_string().contains("updates itself"), "{error}");
}
