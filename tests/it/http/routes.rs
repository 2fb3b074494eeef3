//! The route of a request, with and without axum.

use std::borrow::Cow;
use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::http::request::Parts;
use axum::http::{Method, Request, Response, StatusCode};
use axum::routing::get;
use tachometer::{MetricsLayer, Registry};
use tower::{Layer, service_fn};

use crate::support::read::{series, sum};
use crate::support::service::get_path;

fn layer(registry: &Registry) -> MetricsLayer {
    MetricsLayer::new().registry(registry)
}

/// A service without routes, like one that serves files.
fn files() -> Router {
    Router::new().fallback(async || "a file")
}

fn requests(registry: &Registry, route: &str) -> f64 {
    let labels = [("route", route)];
    assert_eq!(sum(registry, "http_requests_in_flight", &[]), 0.0);
    assert_eq!(
        sum(registry, "http_response_body_bytes_total", &labels) > 0.0,
        sum(registry, "http_requests_total", &labels) > 0.0,
    );
    sum(registry, "http_requests_total", &labels)
}

#[tokio::test]
async fn a_mounted_service_is_counted_once_under_its_mount_path() {
    let registry = Registry::new();
    let mounted = |name| layer(&registry).fallback_route(name).layer(files());
    let app = Router::new()
        .route("/users/{id}", get(async || "a user"))
        .nest_service("/static", mounted("/static"))
        .fallback_service(mounted("files"))
        .layer(layer(&registry));
    for path in ["/users/7", "/static/a.css", "/static/b.js", "/robots.txt"] {
        get_path(app.clone(), path).await;
    }
    assert_eq!(requests(&registry, "/users/{id}"), 1.0);
    assert_eq!(requests(&registry, "/static"), 2.0);
    assert_eq!(requests(&registry, "files"), 1.0);
    assert_eq!(sum(&registry, "http_requests_total", &[]), 4.0);
}

#[tokio::test]
async fn a_request_that_learns_its_route_late_is_in_flight_under_it() {
    let registry = Registry::new();
    let app = layer(&registry).layer(
        Router::new()
            .route("/never", get(std::future::pending::<()>))
            .layer(layer(&registry)),
    );
    let call = tokio::spawn(async move { get_path(app, "/never").await });
    let in_flight = |route| sum(&registry, "http_requests_in_flight", &[("route", route)]);
    while in_flight("/never") == 0.0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(in_flight("unmatched"), 0.0);
    call.abort();
    assert!(call.await.unwrap_err().is_cancelled());
    assert_eq!(in_flight("/never"), 0.0);
}

#[tokio::test]
async fn without_axum_the_user_names_routes_and_their_number_is_limited() {
    let registry = Registry::new();
    let handle = async |_: Request<_>| Ok::<_, Infallible>(Response::new("done".to_owned()));
    let app = layer(&registry)
        .route_from(|head| Some(head.uri.path().into()))
        .label_limit(10)
        .predeclare(Method::GET, "/declared", [StatusCode::OK])
        .layer(service_fn(handle));
    for number in 0..1_000 {
        get_path(app.clone(), &format!("/{number}")).await;
    }
    get_path(app, "/declared").await;
    assert_eq!(requests(&registry, "/3"), 1.0);
    assert_eq!(requests(&registry, "/declared"), 1.0);
    assert_eq!(requests(&registry, "_overflow"), 990.0);
    // Of requests, durations, gauges and bytes: ten, the overflow and the declared.
    assert_eq!(series(&registry), 4 * 12);
}

#[tokio::test]
async fn routes_of_a_group_share_its_name_and_settings() {
    let registry = Registry::new();
    let layer = layer(&registry)
        .group_routes("assets", ["/css/{*path}", "/js/{*path}"])
        .service_level("/css/{*path}", Duration::from_secs(60));
    let app = Router::new()
        .route("/css/{*path}", get(async || "a style"))
        .route("/js/{*path}", get(async || "a script"))
        .layer(layer);
    for path in ["/css/a.css", "/js/b.js", "/js/c.js"] {
        get_path(app.clone(), path).await;
    }
    assert_eq!(requests(&registry, "assets"), 3.0);
    assert_eq!(
        sum(&registry, "http_service_level_requests_total", &[]),
        3.0
    );
    assert_eq!(sum(&registry, "http_requests_total", &[]), 3.0);
}

#[tokio::test]
async fn declared_routes_are_shown_at_zero_before_their_first_request() {
    let registry = Registry::new();
    let statuses = [StatusCode::OK, StatusCode::INTERNAL_SERVER_ERROR];
    let layer = layer(&registry).predeclare(Method::GET, "/users/{id}", statuses);
    let app: Router = Router::new()
        .route("/users/{id}", get(async || "a user"))
        .layer(layer);
    let text = registry.export_prometheus();
    for line in [
        "http_requests_total{method=\"GET\",route=\"/users/{id}\",status=\"200\",outcome=\"ok\"} 0\n",
        "route=\"/users/{id}\",status=\"500\",outcome=\"server_error\"} 0\n",
        "http_request_duration_seconds_count{method=\"GET\",route=\"/users/{id}\",status=\"500\"} 0\n",
        "http_requests_in_flight{method=\"GET\",route=\"/users/{id}\"} 0\n",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    let before = series(&registry);
    get_path(app, "/users/7").await;
    // The bytes of responses are new, and nothing else.
    assert_eq!(series(&registry), before + 1);
    assert_eq!(requests(&registry, "/users/{id}"), 1.0);
}

#[tokio::test]
async fn a_flood_of_routes_or_labels_folds_no_route_matched_by_axum() {
    fn invented(head: &Parts) -> Option<Cow<'_, str>> {
        Some(head.uri.query()?.into())
    }
    let registry = Registry::new();
    let layer = layer(&registry)
        .route_from(invented)
        .label_from_request("tenant", invented)
        .label_limit(3);
    let app = Router::new()
        .route("/users/{id}", get(async || "a user"))
        .layer(layer.clone());
    for number in 0..10 {
        get_path(app.clone(), &format!("/users/7?{number}")).await;
    }
    assert_eq!(requests(&registry, "2"), 1.0);
    assert_eq!(requests(&registry, "_overflow"), 7.0);
    get_path(app.clone(), "/users/7").await;
    get_path(app, "/elsewhere").await;
    assert_eq!(requests(&registry, "/users/{id}"), 1.0);
    assert_eq!(
        sum(&registry, "http_requests_total", &[("route", "unmatched")]),
        1.0
    );
    // Every metric with a route has the same one.
    for metric in ["http_request_duration_seconds", "http_requests_total"] {
        let labels = [("route", "2"), ("tenant", "2")];
        assert_eq!(sum(&registry, metric, &labels), 1.0, "{metric}");
    }
}

#[tokio::test]
async fn routes_named_by_an_inner_layer_are_limited_in_the_outer_one_too() {
    let registry = Registry::new();
    let inner = layer(&registry)
        .route_from(|head| Some(head.uri.path().into()))
        .label_limit(10);
    let app = layer(&registry).label_limit(10).layer(inner.layer(files()));
    for number in 0..200 {
        get_path(app.clone(), &format!("/{number}")).await;
    }
    assert_eq!(requests(&registry, "/3"), 1.0);
    assert_eq!(requests(&registry, "_overflow"), 190.0);
}

#[tokio::test]
async fn a_template_reported_by_an_inner_layer_wins_over_the_mount_path_of_the_outer_one() {
    let registry = Registry::new();
    let users = Router::new().route("/users/{id}", get(async || "a user"));
    let app = layer(&registry)
        .fallback_route("app")
        .layer(users.layer(layer(&registry)));
    get_path(app.clone(), "/users/7").await;
    get_path(app, "/elsewhere").await;
    assert_eq!(requests(&registry, "/users/{id}"), 1.0);
    assert_eq!(
        sum(&registry, "http_requests_total", &[("route", "app")]),
        1.0
    );
}

#[tokio::test]
async fn predeclared_series_have_the_outcomes_of_their_requests() {
    let registry = Registry::new();
    let declared = layer(&registry)
        .predeclare(Method::GET, "/ws", [StatusCode::SWITCHING_PROTOCOLS])
        .predeclare(Method::CONNECT, "/tunnel", [StatusCode::OK])
        .try_register();
    assert!(declared.is_ok());
    let text = registry.export_prometheus();
    for line in [
        "route=\"/ws\",status=\"101\",outcome=\"upgraded\"} 0\n",
        "route=\"/tunnel\",status=\"200\",outcome=\"upgraded\"} 0\n",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
}
