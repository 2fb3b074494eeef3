//! The demo's routes: fast, slow, failing and streaming ones.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream;
use tachometer::{Counter, counter};
use tokio::sync::watch;
use tokio::time::sleep;

/// Returns the demo's routes. Streams end when `stopped` becomes true.
pub(crate) fn router(stopped: watch::Receiver<bool>) -> Router {
    let greetings = counter("demo_greetings_total", "Users greeted.");
    Router::new()
        .route(
            "/",
            get(async || "Try /users/7, /users/7/summary, /slow, /fail, /stream, /ask and /metrics.\n"),
        )
        .route("/users/{id}", get(move |id| user(id, greetings.clone())))
        .route("/echo", post(async |body: Bytes| body))
        .route("/slow", get(slow))
        .route("/fail", get(fail))
        .route(
            "/stream",
            get(async move |query| tick_events(&query, stopped.clone())),
        )
}

async fn user(Path(id): Path<u32>, greetings: Counter) -> Response {
    if id >= 1_000 {
        return (
            StatusCode::NOT_FOUND,
            "There are 1000 users, from 0 to 999.\n",
        )
            .into_response();
    }
    greetings.inc();
    format!("Hello, user {id}!\n").into_response()
}

/// Takes from 50 to 400 ms, usually close to 50.
async fn slow() -> &'static str {
    let share = fastrand::f64();
    sleep(Duration::from_secs_f64(0.05 + 0.35 * share.powi(3))).await;
    "Sorry for the wait.\n"
}

async fn fail() -> (StatusCode, &'static str) {
    (
        StatusCode::INTERNAL_SERVER_ERROR,
        "This route always fails.\n",
    )
}

type QueryParams = Query<Vec<(String, u64)>>;

#[derive(Clone, Copy)]
struct Ticks {
    remaining: u32,
    interval: Duration,
}

/// Streams events: `?ticks=` of them (default 10), one each `?every_ms=`
/// (default 200).
fn tick_events(Query(params): &QueryParams, stopped: watch::Receiver<bool>) -> Response {
    let value = |name: &str| {
        let param = params.iter().find(|(param, _)| param == name);
        param.map(|(_, value)| *value)
    };
    let ticks = Ticks {
        remaining: u32::try_from(value("ticks").unwrap_or(10)).unwrap_or(u32::MAX),
        interval: Duration::from_millis(value("every_ms").unwrap_or(200)),
    };
    let events = stream::unfold((ticks, stopped), async |(mut ticks, mut stopped)| {
        if ticks.remaining == 0 {
            return None;
        }
        tokio::select! {
            () = sleep(ticks.interval) => {}
            _ = stopped.wait_for(|stopped| *stopped) => return None,
        }
        ticks.remaining -= 1;
        let event = format!("data: {} to go\n\n", ticks.remaining);
        Some((Ok::<_, Infallible>(event), (ticks, stopped)))
    });
    (
        [(CONTENT_TYPE, "text/event-stream")],
        Body::from_stream(events),
    )
        .into_response()
}
