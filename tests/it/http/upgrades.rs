//! Upgraded connections, which the layer does not see any more.

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::http::header::{CONNECTION, UPGRADE};
use axum::http::{Method, Request, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::get;
use futures_util::{SinkExt, StreamExt};
use tachometer::middleware::UpgradeGuard;
use tachometer::{MetricsLayer, Registry};
use tokio_tungstenite::tungstenite::Message;
use tower::{Layer, ServiceExt, service_fn};

use crate::support::loopback::Server;
use crate::support::read::sum;
use crate::support::wait::until;

const SOCKETS: usize = 100;

async fn echo(mut socket: WebSocket, guard: UpgradeGuard) {
    let _guard = guard;
    while let Some(Ok(message)) = socket.recv().await {
        if socket.send(message).await.is_err() {
            break;
        }
    }
}

async fn socket(upgrade: WebSocketUpgrade, guard: UpgradeGuard) -> impl IntoResponse {
    upgrade.on_upgrade(|socket| echo(socket, guard))
}

#[tokio::test]
async fn a_hundred_websockets_are_in_flight_while_they_are_open() {
    let registry = Registry::new();
    let app = Router::new()
        .route("/ws/{room}", get(socket))
        .layer(MetricsLayer::new().registry(&registry));
    let server = Server::start(app).await;
    let count = |metric| sum(&registry, metric, &[("route", "/ws/{room}")]);

    let mut sockets = Vec::new();
    for room in 0..SOCKETS {
        let url = format!("ws://{}/ws/{room}", server.address);
        let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        sockets.push(socket);
    }
    until(|| count("http_upgrades_in_flight") == 100.0).await;
    // Their requests have ended, and are durations like any other.
    until(|| count("http_requests_in_flight") == 0.0).await;
    assert_eq!(count("http_requests_total"), 100.0);
    assert_eq!(count("http_request_duration_seconds"), 100.0);
    assert_eq!(count("http_stream_duration_seconds"), 0.0);

    for (number, mut socket) in sockets.into_iter().enumerate() {
        let text = Message::text("hello");
        socket.send(text.clone()).await.unwrap();
        assert_eq!(socket.next().await.unwrap().unwrap(), text);
        // Every second one closes properly, and the others just disconnect.
        if number % 2 == 0 {
            socket.close(None).await.unwrap();
        }
    }
    until(|| count("http_upgrades_in_flight") == 0.0).await;
    assert_eq!(count("http_stream_duration_seconds"), 100.0);
    let labels = [("status", "101"), ("outcome", "upgraded")];
    assert_eq!(sum(&registry, "http_requests_total", &labels), 100.0);
    server.stop().await;
}

fn request(method: Method) -> Request<Body> {
    let request = Request::builder().method(method).uri("/");
    let request = request
        .header(CONNECTION, "upgrade")
        .header(UPGRADE, "echo");
    request.body(Body::empty()).unwrap()
}

/// Answers a request for an upgrade, and returns its guard.
async fn answer(registry: &Registry, status: StatusCode, method: Method) -> UpgradeGuard {
    let handler = service_fn(move |mut request: Request<_>| async move {
        let guard: UpgradeGuard = request.extensions_mut().remove().unwrap();
        let mut response = Response::new(String::new());
        *response.status_mut() = status;
        response.extensions_mut().insert(guard);
        Ok::<_, Infallible>(response)
    });
    let service = MetricsLayer::new().registry(registry).layer(handler);
    let mut response = service.oneshot(request(method)).await.unwrap();
    response.extensions_mut().remove().unwrap()
}

#[tokio::test]
async fn an_upgrade_guard_counts_until_its_last_clone_is_dropped() {
    let registry = Registry::new();
    let open = || sum(&registry, "http_upgrades_in_flight", &[]);
    let lives = || sum(&registry, "http_stream_duration_seconds", &[]);
    for (status, method) in [
        (StatusCode::SWITCHING_PROTOCOLS, Method::GET),
        (StatusCode::OK, Method::CONNECT),
    ] {
        let before = lives();
        let guard = answer(&registry, status, method).await;
        let clone = guard.clone();
        drop(guard);
        assert_eq!((open(), lives()), (1.0, before));
        drop(clone);
        assert_eq!((open(), lives()), (0.0, before + 1.0));
    }
}

#[tokio::test]
async fn an_upgrade_guard_that_is_refused_or_not_used_counts_nothing() {
    let registry = Registry::new();
    drop(answer(&registry, StatusCode::FORBIDDEN, Method::GET).await);
    let handler = service_fn(async |_| {
        let mut response = Response::new(String::new());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        Ok::<_, Infallible>(response)
    });
    let service = MetricsLayer::new().registry(&registry).layer(handler);
    service.oneshot(request(Method::GET)).await.unwrap();
    assert_eq!(sum(&registry, "http_requests_total", &[]), 2.0);
    assert_eq!(sum(&registry, "http_upgrades_in_flight", &[]), 0.0);
    assert_eq!(sum(&registry, "http_stream_duration_seconds", &[]), 0.0);
}

#[tokio::test]
async fn an_upgrade_guard_without_a_layer_counts_nothing() {
    let app: Router = Router::new().route("/", get(async |_guard: UpgradeGuard| "no layer"));
    let response = app.oneshot(request(Method::GET)).await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn an_upgrade_is_counted_under_the_route_reported_by_an_inner_layer() {
    let registry = Registry::new();
    let layer = || MetricsLayer::new().registry(&registry);
    let tunnel = async |guard: UpgradeGuard| {
        let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
        response.extensions_mut().insert(guard);
        response
    };
    let app = layer().layer(Router::new().route("/", get(tunnel)).layer(layer()));
    let response = app.oneshot(request(Method::GET)).await.unwrap();
    assert_eq!(
        sum(&registry, "http_upgrades_in_flight", &[("route", "/")]),
        1.0
    );
    drop(response);
    assert_eq!(sum(&registry, "http_upgrades_in_flight", &[]), 0.0);
    assert_eq!(
        sum(&registry, "http_stream_duration_seconds", &[("route", "/")]),
        1.0
    );
}

#[tokio::test]
async fn layers_of_two_registries_both_count_an_upgrade() {
    let (inner, outer) = (Registry::new(), Registry::new());
    let tunnel = async |guard: UpgradeGuard| {
        let mut response = StatusCode::SWITCHING_PROTOCOLS.into_response();
        response.extensions_mut().insert(guard);
        response
    };
    let app = Router::new()
        .route("/", get(tunnel))
        .layer(MetricsLayer::new().registry(&inner))
        .layer(MetricsLayer::new().registry(&outer));
    let response = app.oneshot(request(Method::GET)).await.unwrap();
    let open = |registry| sum(registry, "http_upgrades_in_flight", &[]);
    assert_eq!((open(&inner), open(&outer)), (1.0, 1.0));
    drop(response);
    assert_eq!((open(&inner), open(&outer)), (0.0, 0.0));
}
