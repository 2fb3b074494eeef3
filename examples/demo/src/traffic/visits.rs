//! Random requests of all kinds, most of them for users.

use std::time::Duration;

use fastrand::Rng;
use reqwest::header::{
    ACCEPT_ENCODING, ACCESS_CONTROL_REQUEST_METHOD, AUTHORIZATION, IF_MODIFIED_SINCE, ORIGIN,
};
use reqwest::{Method, RequestBuilder};

use super::demo_client::{DemoClient, send};
use super::pause;

pub(super) async fn send_in_loop(demo: DemoClient, seed: u64) {
    let mut random = Rng::with_seed(seed);
    loop {
        send(choose(&demo, &mut random)).await;
        pause(5..60).await;
    }
}

fn choose(demo: &DemoClient, random: &mut Rng) -> RequestBuilder {
    match random.u32(0..100) {
        // Some of them do not exist.
        0..45 => demo.get(&format!("/api/users/{}", random.u32(0..1_020))),
        45..52 => demo.get("/").header(ACCEPT_ENCODING, "gzip"),
        52..55 => demo.request(Method::HEAD, "/"),
        55..60 => demo.get("/static/style.css"),
        // Is up to date: a 304.
        60..65 => demo
            .get("/static/style.css")
            .header(IF_MODIFIED_SINCE, "Fri, 01 Jan 2100 00:00:00 GMT"),
        65..75 => demo
            .get("/account/profile")
            .header(AUTHORIZATION, token(random)),
        75..78 => demo
            .get("/account/greeting")
            .header(AUTHORIZATION, token(random)),
        // A browser asks whether a page of another host may send a request.
        78..80 => demo
            .request(Method::OPTIONS, "/api/users/7/items")
            .header(ORIGIN, "https://app.example.com")
            .header(ACCESS_CONTROL_REQUEST_METHOD, "POST"),
        80..88 => demo.get("/slow"),
        // The client gives up.
        88..91 => demo.get("/slow").timeout(Duration::from_millis(60)),
        // The server gives up: a 504.
        91..92 => demo.get("/slow?ms=5000"),
        92..96 => demo.get("/fail"),
        // A scan for a weakness. All of them have one route.
        _ => demo.get(&format!("/wp-login-{}.php", random.u32(0..10_000))),
    }
}

/// Returns the credentials of an account, or wrong ones, which get a 401.
fn token(random: &mut Rng) -> &'static str {
    match random.u32(0..10) {
        0..4 => "Bearer token-of-ada",
        4..8 => "Bearer token-of-bob",
        _ => "Bearer token-of-mallory",
    }
}
