//! Clients that call the demo's routes, so that there is traffic to see.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::{sleep, timeout};

/// The number of concurrent clients.
const CLIENTS: u64 = 4;

/// Starts clients that call the demo's routes over loopback until it stops.
pub(crate) fn start(address: SocketAddr) {
    let client: Client<HttpConnector, Body> = Client::builder(TokioExecutor::new()).build_http();
    for seed in 0..CLIENTS {
        tokio::spawn(call_in_loop(client.clone(), address, seed));
    }
}

async fn call_in_loop(client: Client<HttpConnector, Body>, address: SocketAddr, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    loop {
        let (method, path, client_timeout) = choose(&mut random);
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{address}{path}"))
            .body(Body::from("A body to echo.\n"));
        if let Ok(request) = request {
            // A client that times out disconnects, which the demo counts, too.
            let _ = timeout(client_timeout, async {
                let response = client.request(request).await.ok()?;
                response.into_body().collect().await.ok()
            })
            .await;
        }
        sleep(Duration::from_millis(random.u64(5..60))).await;
    }
}

/// Returns the method, path and client timeout of a random call.
fn choose(random: &mut fastrand::Rng) -> (Method, String, Duration) {
    let long_timeout = Duration::from_secs(10);
    let (method, path) = match random.u32(0..100) {
        0..55 => (Method::GET, format!("/users/{}", random.u32(0..1_050))),
        55..70 => (Method::POST, "/echo".into()),
        70..80 => (Method::GET, "/slow".into()),
        // Often too short for the slow route.
        80..84 => return (Method::GET, "/slow".into(), Duration::from_millis(60)),
        84..89 => (Method::GET, "/fail".into()),
        89..92 => (Method::GET, "/stream?ticks=5&every_ms=100".into()),
        // Disconnects before the stream ends.
        92..94 => return (Method::GET, "/stream".into(), Duration::from_millis(350)),
        94..97 => (Method::HEAD, "/".into()),
        _ => (
            Method::GET,
            format!("/wp-login-{}.php", random.u32(0..10_000)),
        ),
    };
    (method, path, long_timeout)
}
