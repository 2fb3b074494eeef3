//! The warning about a global registry that is never read.
//!
//! A separate test program, since the global registry and the warning exist once in a process.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use http_body_util::BodyExt;
use tachometer::{MetricsRouter, Registry, metrics_router};
use tower::ServiceExt;

#[path = "it/support/warnings.rs"]
mod warnings;

/// Scrapes a router, and returns the warnings meanwhile.
fn scrape(router: &Router) -> Vec<String> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    warnings::warnings(
        || {},
        || {
            let request = Request::get("/").body(Body::empty()).unwrap();
            runtime.block_on(router.clone().oneshot(request)).unwrap();
        },
    )
}

#[test]
fn a_global_registry_that_is_never_read_causes_one_warning() {
    let registry = Registry::new();
    let router = MetricsRouter::new().registry(&registry).build();
    // It is empty.
    assert_eq!(scrape(&router), [""; 0]);
    tachometer::counter("lost_total", "Metrics that nobody sees.").inc();
    let warned = scrape(&router);
    assert_eq!(warned.len(), 1, "{warned:?}");
    for word in ["lost_total", "registries", "Registry::global()"] {
        assert!(warned[0].contains(word), "{warned:?}");
    }
    assert_eq!(scrape(&router), [""; 0]);
    // Served with it, they are there.
    let both = MetricsRouter::new().registries([&registry, Registry::global()]);
    assert_eq!(scrape(&both.unwrap().build()), [""; 0]);

    // The router without settings serves it alone.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let request = Request::get("/").body(Body::empty()).unwrap();
    let text = runtime.block_on(async {
        let response = metrics_router::<()>().oneshot(request).await.unwrap();
        response.into_body().collect().await.unwrap().to_bytes()
    });
    let text = String::from_utf8(text.to_vec()).unwrap();
    assert!(text.contains("\nlost_total 1\n"), "{text}");
}
