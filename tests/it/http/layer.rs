//! Labels and placement of the layer, and what it leaves unchanged.

use std::convert::Infallible;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use axum::routing::get;
use bytes::Bytes;
use http_body::Frame;
use http_body_util::{BodyExt, Full, StreamBody};
use tachometer::middleware::RequestBody;
use tachometer::{MetricsLayer, MetricsRouter, Registry};
use tower::{Layer, Service, ServiceExt, service_fn};

use crate::support::read::{series, sum};

async fn call(app: &Router, method: Method, path: &str) -> Response<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap()
}

async fn read(app: &Router, method: Method, path: &str) -> String {
    let body = call(app, method, path).await.into_body();
    let bytes = body.collect().await.unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn routes_are_templates_through_route_nest_merge_and_fallback() {
    let registry = Registry::new();
    let app = Router::new()
        .route("/users/{id}", get(async || "a user"))
        .nest(
            "/api",
            Router::new().route("/items/{item}", get(async || "an item")),
        )
        .merge(Router::new().route("/merged/{*rest}", get(async || "merged")))
        .fallback(async || (StatusCode::NOT_FOUND, "nothing here"))
        .layer(MetricsLayer::new().registry(&registry));
    for (path, route, status) in [
        ("/users/7", "/users/{id}", "200"),
        ("/api/items/9", "/api/items/{item}", "200"),
        ("/merged/a/b/c", "/merged/{*rest}", "200"),
        ("/elsewhere", "unmatched", "404"),
    ] {
        read(&app, Method::GET, path).await;
        let labels = [("route", route), ("status", status), ("method", "GET")];
        assert_eq!(
            sum(&registry, "http_requests_total", &labels),
            1.0,
            "{path}"
        );
    }
}

#[tokio::test]
async fn ten_thousand_random_paths_and_methods_leave_the_number_of_series_unchanged() {
    let registry = Registry::new();
    let app = Router::new()
        .route("/users/{id}", get(async || "a user"))
        .layer(MetricsLayer::new().registry(&registry));
    // One of each kind that there can be.
    for method in ["GET", "INVENTED"] {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        for path in ["/users/1", "/else"] {
            read(&app, method.clone(), path).await;
        }
    }
    let before = series(&registry);

    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..10_000 {
        let word: String = (0..random.usize(1..20))
            .map(|_| random.alphanumeric())
            .collect();
        let method = if random.bool() {
            Method::GET
        } else {
            Method::from_bytes(format!("X{word}").as_bytes()).unwrap()
        };
        let path = match random.u8(..3) {
            0 => format!("/users/{word}"),
            1 => format!("/{word}?{word}={word}"),
            _ => format!("/{word}/%ff%00/{word}"),
        };
        read(&app, method, &path).await;
    }
    assert_eq!(series(&registry), before);
    assert_eq!(sum(&registry, "http_requests_total", &[]), 10_004.0);
}

#[tokio::test]
async fn scrapes_are_not_counted_wherever_the_layer_sits() {
    let registry = Registry::new();
    let router = || MetricsRouter::new().registry(&registry).build();
    let layer = || MetricsLayer::new().registry(&registry);
    let home = || Router::new().route("/", get(async || "home"));
    for app in [
        home().layer(layer()).nest("/metrics", router()),
        home().nest("/metrics", router()).layer(layer()),
    ] {
        read(&app, Method::GET, "/").await;
        let scrape = read(&app, Method::GET, "/metrics").await;
        let under_way: Vec<_> = scrape
            .lines()
            .filter(|line| line.contains("in_flight{"))
            .collect();
        assert!(
            under_way.iter().all(|line| line.ends_with(" 0")),
            "{under_way:?}"
        );
        read(&app, Method::GET, "/metrics/json").await;
        let refused = call(&app, Method::POST, "/metrics").await;
        assert_eq!(refused.status(), StatusCode::METHOD_NOT_ALLOWED);
    }
    assert_eq!(sum(&registry, "http_requests_total", &[]), 2.0);
    assert_eq!(sum(&registry, "http_request_duration_seconds", &[]), 2.0);
    assert_eq!(sum(&registry, "http_requests_in_flight", &[]), 0.0);
}

#[tokio::test]
async fn resetting_all_metrics_leaves_what_is_in_flight() {
    let registry = Registry::new();
    let app = Router::new()
        .route("/", get(async || "home"))
        .layer(MetricsLayer::new().registry(&registry));
    let in_flight = || sum(&registry, "http_requests_in_flight", &[]);
    let response = call(&app, Method::GET, "/").await;
    registry.reset_all();
    assert_eq!(in_flight(), 1.0);
    drop(response);
    assert_eq!(in_flight(), 0.0);
    assert_eq!(sum(&registry, "http_requests_total", &[]), 1.0);
}

#[tokio::test]
async fn two_registries_share_nothing() {
    let (one, other) = (Registry::new(), Registry::new());
    let app = |registry| {
        Router::new()
            .route("/", get(async || "home"))
            .layer(MetricsLayer::new().registry(registry))
    };
    read(&app(&one), Method::GET, "/").await;
    let _unused = app(&other);
    assert_eq!(sum(&one, "http_requests_total", &[]), 1.0);
    assert_eq!(series(&other), 0);
    assert!(Registry::global().get("http_requests_total").is_none());
}

#[tokio::test]
async fn a_response_body_passes_unchanged() {
    let frames = || {
        let mut trailers = HeaderMap::new();
        trailers.insert("checksum", "42".parse().unwrap());
        [
            Frame::data(Bytes::from_static(b"one")),
            Frame::data(Bytes::new()),
            Frame::data(Bytes::from_static(b"three")),
            Frame::trailers(trailers),
        ]
    };
    let registry = Registry::new();
    let mut service =
        MetricsLayer::new()
            .registry(&registry)
            .layer(service_fn(async |_: Request<String>| {
                let stream = futures_util::stream::iter(frames().map(Ok::<_, Infallible>));
                Ok::<_, Infallible>(Response::new(StreamBody::new(stream)))
            }));
    let response = service.call(Request::new(String::new())).await.unwrap();
    let mut body = pin!(response.into_body());
    for expected in frames() {
        let frame = body.frame().await.unwrap().unwrap();
        assert_eq!(frame.data_ref(), expected.data_ref());
        assert_eq!(frame.trailers_ref(), expected.trailers_ref());
    }
    assert!(body.frame().await.is_none());
    assert_eq!(
        sum(&registry, "http_requests_total", &[("outcome", "ok")]),
        1.0
    );

    let mut service =
        MetricsLayer::new()
            .registry(&registry)
            .layer(service_fn(async |_: Request<String>| {
                Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("12345")))
            }));
    let response = service.call(Request::new(String::new())).await.unwrap();
    let mut body = response.into_body();
    assert_eq!(http_body::Body::size_hint(&body).exact(), Some(5));
    assert!(!http_body::Body::is_end_stream(&body));
    body.frame().await.unwrap().unwrap();
    assert!(http_body::Body::is_end_stream(&body));
}

#[tokio::test]
async fn a_request_body_passes_unchanged_and_the_bytes_read_are_counted() {
    let registry = Registry::new();
    let layer = MetricsLayer::new().registry(&registry).wrap_request_body();
    let mut service = layer.layer(service_fn(
        async |request: Request<RequestBody<Full<Bytes>>>| {
            let mut body = request.into_body();
            assert_eq!(http_body::Body::size_hint(&body).exact(), Some(5));
            assert!(!http_body::Body::is_end_stream(&body));
            let frame = body.frame().await.unwrap().unwrap();
            assert_eq!(frame.data_ref(), Some(&Bytes::from("12345")));
            assert!(http_body::Body::is_end_stream(&body));
            Ok::<_, Infallible>(Response::new(String::new()))
        },
    ));
    let request = Request::new(Full::from("12345"));
    let _read = service.call(request).await.unwrap();
    let bytes = || sum(&registry, "http_request_body_bytes_total", &[]);
    assert_eq!(bytes(), 5.0);

    // Unread bytes are not counted.
    let mut deaf = layer.layer(service_fn(async |_: Request<RequestBody<Full<Bytes>>>| {
        Ok::<_, Infallible>(Response::new(String::new()))
    }));
    let _unread = deaf.call(Request::new(Full::from("12345"))).await.unwrap();
    assert_eq!(bytes(), 5.0);
}

#[test]
fn the_instance_that_was_ready_is_called_and_readiness_is_forwarded() {
    /// Refuses a call that it was not ready for, as tower allows.
    #[derive(Clone, Default)]
    struct Strict {
        ready_polls: u32,
        ready: bool,
    }

    impl Service<Request<String>> for Strict {
        type Response = Response<String>;
        type Error = &'static str;
        type Future = std::future::Ready<Result<Response<String>, &'static str>>;

        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
            self.ready_polls += 1;
            match self.ready_polls {
                1 => Poll::Pending,
                2 => {
                    self.ready = true;
                    Poll::Ready(Ok(()))
                }
                _ => Poll::Ready(Err("worn out")),
            }
        }

        fn call(&mut self, _: Request<String>) -> Self::Future {
            assert!(
                std::mem::take(&mut self.ready),
                "called without being ready"
            );
            std::future::ready(Ok(Response::new("done".into())))
        }
    }

    let registry = Registry::new();
    let mut service = MetricsLayer::new()
        .registry(&registry)
        .layer(Strict::default());
    let mut context = Context::from_waker(Waker::noop());
    assert!(service.poll_ready(&mut context).is_pending());
    assert_eq!(service.poll_ready(&mut context), Poll::Ready(Ok(())));
    drop(service.call(Request::new(String::new())));
    assert_eq!(
        service.poll_ready(&mut context),
        Poll::Ready(Err("worn out"))
    );
    // A service that is not ready has accepted no request.
    assert_eq!(sum(&registry, "http_requests_total", &[]), 1.0);
}

#[test]
#[should_panic(
    expected = "MetricsLayer cannot register its metrics: the counter \"http_requests_total\" would be \
                printed as \"http_requests\", which the metric \"http_requests\" already is: set a \
                prefix with `MetricsLayer::prefix`, or use another registry with \
                `MetricsLayer::registry`"
)]
fn a_layer_whose_metric_names_are_in_use_panics_when_it_first_wraps_a_service() {
    let registry = Registry::new();
    registry.gauge("http_requests", "Not ours.").unwrap();
    let layer = MetricsLayer::new().registry(&registry);
    let _app: Router = Router::new().route("/", get(async || "")).layer(layer);
}
