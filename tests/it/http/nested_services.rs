//! The routes of requests for which axum has no template: nested services and fallbacks.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{any, get};
use tachometer::{MetricsLayer, Registry};
use tower::{ServiceExt, service_fn};

use crate::support::read::{series, sum};
use crate::support::service::get_path;

fn layer(registry: &Registry) -> MetricsLayer {
    MetricsLayer::new().registry(registry)
}

/// A service that answers all requests but those for what is missing.
fn files() -> Router {
    Router::new().fallback(async |request: Request<Body>| {
        if request.uri().path().contains("missing") {
            StatusCode::NOT_FOUND.into_response()
        } else {
            "a file".into_response()
        }
    })
}

#[track_caller]
fn assert_routes(registry: &Registry, routes: &[(&str, u32)]) {
    for (route, requests) in routes {
        let counted = sum(registry, "http_requests_total", &[("route", route)]);
        assert_eq!(counted, f64::from(*requests), "{route}");
        let in_flight = sum(registry, "http_requests_in_flight", &[("route", route)]);
        assert_eq!(in_flight, 0.0, "{route}");
    }
    let all: u32 = routes.iter().map(|(_, requests)| requests).sum();
    assert_eq!(sum(registry, "http_requests_total", &[]), f64::from(all));
}

#[tokio::test]
async fn a_nested_service_has_the_path_of_its_nest_as_route() {
    let registry = Registry::new();
    let assets = Router::new().nest_service("/assets", files());
    let service = Router::new().route("/users/{id}", get(async || "a user"));
    let app = Router::new()
        .nest_service("/static", files())
        .nest_service("/v/{version}/files", files())
        .nest("/api", assets)
        .nest_service("/svc", service)
        .route_service(
            "/one",
            service_fn(async |_: Request<Body>| Ok::<_, Infallible>("one")),
        )
        .layer(layer(&registry));
    for path in [
        "/static/a.css",
        "/static/deep/b.css",
        "/static/missing",
        "/v/2/files/x.css",
        "/v/3/files/x.css",
        "/api/assets/x.js",
        "/svc/users/7",
        "/svc/none",
        "/one",
        "/elsewhere",
        "/api/elsewhere",
    ] {
        get_path(app.clone(), path).await;
    }
    assert_routes(
        &registry,
        &[
            ("/static", 3),
            ("/v/{version}/files", 2),
            ("/api/assets", 1),
            ("/svc", 2),
            ("/one", 1),
            ("unmatched", 2),
        ],
    );
    let missing = [("route", "/static"), ("status", "404")];
    assert_eq!(sum(&registry, "http_requests_total", &missing), 1.0);
}

#[tokio::test]
async fn one_measured_router_that_is_nested_twice_has_two_routes() {
    let registry = Registry::new();
    let assets = Router::new()
        .nest_service("/assets", files())
        .layer(layer(&registry));
    let app = Router::new()
        .nest("/one", assets.clone())
        .nest("/two", assets.clone())
        .nest_service("/three", assets);
    for path in ["/one/assets/a", "/two/assets/a", "/three/assets/a"] {
        for _ in 0..2 {
            get_path(app.clone(), path).await;
        }
    }
    assert_routes(
        &registry,
        &[("/one/assets", 2), ("/two/assets", 2), ("/three/assets", 2)],
    );
}

#[tokio::test]
async fn a_template_that_a_layer_inside_knows_wins_over_the_path_of_the_nest() {
    let registry = Registry::new();
    let service = Router::new()
        .route("/users/{id}", get(async || "a user"))
        .layer(layer(&registry));
    let app = Router::new()
        .nest_service("/svc", service)
        .layer(layer(&registry));
    for path in ["/svc/users/7", "/svc/none"] {
        get_path(app.clone(), path).await;
    }
    assert_routes(&registry, &[("/svc/users/{id}", 1), ("/svc", 1)]);
}

#[tokio::test]
async fn a_name_of_the_user_wins_over_the_path_of_the_nest() {
    let registry = Registry::new();
    let app = Router::new()
        .nest_service("/static", files())
        .layer(layer(&registry).fallback_route("all"));
    get_path(app, "/static/a.css").await;
    assert_routes(&registry, &[("all", 1)]);
}

#[tokio::test]
async fn a_request_without_a_route_is_unmatched_if_nothing_handled_it() {
    let registry = Registry::new();
    let statuses = async |request: Request<Body>| {
        let code = request
            .uri()
            .path()
            .trim_start_matches('/')
            .parse()
            .unwrap();
        StatusCode::from_u16(code).unwrap()
    };
    let app = Router::new()
        .route("/known", get(async || "known"))
        .fallback(any(statuses))
        .layer(layer(&registry));
    for path in ["/404", "/405", "/200", "/500", "/429", "/known"] {
        get_path(app.clone(), path).await;
    }
    assert_routes(
        &registry,
        &[("unmatched", 2), ("fallback", 3), ("/known", 1)],
    );

    // Without a response, something handled it.
    let registry = Registry::new();
    let failing = service_fn(async |_: Request<Body>| Err::<Response<Body>, _>("failed"));
    let service = tower::Layer::layer(&layer(&registry), failing);
    let request = Request::new(Body::empty());
    assert!(service.oneshot(request).await.is_err());
    assert_routes(&registry, &[("fallback", 1)]);
}

#[tokio::test]
async fn a_request_to_a_fallback_is_in_flight_as_unmatched_until_its_head() {
    let registry = Registry::new();
    let app = Router::new()
        .fallback(async || "a page")
        .layer(layer(&registry));
    let in_flight = |route| sum(&registry, "http_requests_in_flight", &[("route", route)]);
    let response = app.oneshot(Request::new(Body::empty())).await.unwrap();
    assert_eq!((in_flight("unmatched"), in_flight("fallback")), (0.0, 1.0));
    drop(response);
    assert_eq!(in_flight("fallback"), 0.0);
}

#[tokio::test]
async fn invented_paths_to_nests_and_fallbacks_add_no_series() {
    let registry = Registry::new();
    let app = Router::new()
        .nest_service("/static", files())
        .nest_service("/{tenant}/files", files())
        .fallback(async || Ok::<_, Infallible>("a page"))
        .layer(layer(&registry));
    let call = async |number: u32| {
        for path in ["/static/", "/", "/t/files/"] {
            get_path(app.clone(), &format!("{path}{number}")).await;
        }
        get_path(app.clone(), &format!("/{number}/files/{number}")).await;
    };
    call(0).await;
    let before = series(&registry);
    for number in 1..200 {
        call(number).await;
    }
    assert_eq!(series(&registry), before);
    assert_routes(
        &registry,
        &[
            ("/static", 200),
            ("/{tenant}/files", 400),
            ("fallback", 200),
        ],
    );
}
