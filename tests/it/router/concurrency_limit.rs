//! The limit of concurrent scrapes, with collectors controlled by the tests.

use std::pin::pin;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use futures_util::FutureExt;
use http_body_util::BodyExt;
use tachometer::{MetricsRouter, Registry};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::timeout;
use tower::ServiceExt;

/// A registry whose collector signals when it begins, and waits for a signal to end.
struct Gate {
    registry: Registry,
    begun: UnboundedReceiver<()>,
    resume: Sender<()>,
}

impl Gate {
    fn new() -> Self {
        let (tell, begun) = unbounded_channel();
        let (resume, resumed) = channel();
        let resumed = Arc::new(Mutex::new(resumed));
        let registry = Registry::new();
        let wait = move || {
            let _ = tell.send(());
            let _ = resumed.lock().unwrap().recv();
            1.0
        };
        registry.gauge_fn("slow", "Takes its time.", wait).unwrap();
        Self {
            registry,
            begun,
            resume,
        }
    }

    fn router(&self, most: usize) -> Router {
        let settings = MetricsRouter::new().registry(&self.registry);
        settings.max_concurrent_scrapes(most).build()
    }
}

async fn status(router: &Router, path: &str) -> StatusCode {
    let request = Request::get(path).body(Body::empty()).unwrap();
    router.clone().oneshot(request).await.unwrap().status()
}

#[tokio::test]
async fn a_scrape_keeps_its_permit_while_a_collector_runs_after_the_client_has_gone() {
    let mut gate = Gate::new();
    let router = gate.router(1);
    let request = Request::get("/").body(Body::empty()).unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    let mut body = answer.into_body();
    tokio::select! {
        _ = gate.begun.recv() => {}
        _ = body.frame() => panic!("the collector has not been waited for"),
    }
    drop(body);
    for path in ["/", "/json", "/summary"] {
        assert_eq!(status(&router, path).await, StatusCode::SERVICE_UNAVAILABLE);
    }
    let refused = gate.registry.get("tachometer_scrapes_refused_total");
    assert_eq!(refused.unwrap().value(), 3.0);

    drop(gate.resume);
    let free = async {
        while status(&router, "/").await != StatusCode::OK {
            tokio::task::yield_now().await;
        }
    };
    let limit = Duration::from_secs(30);
    timeout(limit, free).await.expect("the place is free again");
    assert!(
        gate.begun.try_recv().is_err(),
        "nothing was begun meanwhile"
    );
}

#[tokio::test(flavor = "current_thread")]
async fn a_slow_collector_does_not_block_the_runtime() {
    for path in ["/", "/json", "/summary"] {
        let mut gate = Gate::new();
        let router = gate.router(1);
        let request = Request::get(path).body(Body::empty()).unwrap();
        let scrape = tokio::spawn(async move {
            let answer = router.oneshot(request).await.unwrap();
            answer.into_body().collect().await.unwrap().to_bytes()
        });
        // Only reached if the runtime is not blocked.
        gate.begun.recv().await.unwrap();
        assert!(!scrape.is_finished());
        gate.resume.send(()).unwrap();
        assert!(!scrape.await.unwrap().is_empty());
    }
}

/// The only thread for blocking work is busy until both deadlines have passed.
#[test]
fn a_summary_that_loses_its_permit_before_it_begins_is_refused() {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.max_blocking_threads(1).build().unwrap();
    let (open, gate) = channel::<()>();
    runtime.spawn_blocking(move || gate.recv());
    let settings = MetricsRouter::new().registry(&Registry::new());
    let router: Router = settings
        .max_concurrent_scrapes(1)
        .scrape_timeout(Duration::ZERO)
        .build();
    runtime.block_on(async {
        let mut late = pin!(status(&router, "/summary"));
        let mut last = pin!(status(&router, "/summary"));
        // The second one has the permit of the first one, whose deadline had passed.
        assert!(late.as_mut().now_or_never().is_none());
        assert!(last.as_mut().now_or_never().is_none());
        drop(open);
        assert_eq!(late.await, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(last.await, StatusCode::OK);
    });
}

#[tokio::test]
async fn a_limit_of_zero_scrapes_refuses_every_scrape() {
    let router: Router = MetricsRouter::new()
        .registry(&Registry::new())
        .max_concurrent_scrapes(0)
        .build();
    for path in ["/", "/json", "/summary"] {
        assert_eq!(status(&router, path).await, StatusCode::SERVICE_UNAVAILABLE);
    }
}
