//! The demo's own clients, so that there is something to see at once.

use std::net::SocketAddr;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Method, Request};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::{sleep, timeout};

/// How many clients call at the same time.
const CLIENTS: u64 = 4;

/// Starts clients that call the demo's routes over loopback for as long as it
/// runs.
pub(crate) fn start(address: SocketAddr) {
    let client: Client<HttpConnector, Body> = Client::builder(TokioExecutor::new()).build_http();
    for seed in 0..CLIENTS {
        tokio::spawn(call_for_ever(client.clone(), address, seed));
    }
}

async fn call_for_ever(client: Client<HttpConnector, Body>, address: SocketAddr, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    loop {
        let (method, path, patience) = choose(&mut random);
        let request = Request::builder()
            .method(method)
            .uri(format!("http://{address}{path}"))
            .body(Body::from("A body to be echoed.\n"));
        if let Ok(request) = request {
            // Whoever loses patience hangs up, and the demo counts that too.
            let _ = timeout(patience, async {
                let response = client.request(request).await.ok()?;
                response.into_body().collect().await.ok()
            })
            .await;
        }
        sleep(Duration::from_millis(random.u64(5..60))).await;
    }
}

/// Returns what one call is: its method, its path, and how long it waits.
fn choose(random: &mut fastrand::Rng) -> (Method, String, Duration) {
    let patient = Duration::from_secs(10);
    let (method, path) = match random.u32(0..100) {
        0..55 => (Method::GET, format!("/users/{}", random.u32(0..1_050))),
        55..70 => (Method::POST, "/echo".into()),
        70..80 => (Method::GET, "/slow".into()),
        // Often too little time for the slow route.
        80..84 => return (Method::GET, "/slow".into(), Duration::from_millis(60)),
        84..89 => (Method::GET, "/fail".into()),
        89..92 => (Method::GET, "/stream?ticks=5&every_ms=100".into()),
        // Gone before the stream has ended.
        92..94 => return (Method::GET, "/stream".into(), Duration::from_millis(350)),
        94..97 => (Method::HEAD, "/".into()),
        _ => (
            Method::GET,
            format!("/wp-login-{}.php", random.u32(0..10_000)),
        ),
    };
    (method, path, patient)
}
