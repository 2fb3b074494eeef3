//! What the listener serves besides the metrics.

use std::fmt::Write;

use axum::Router;
use axum::extract::Request;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use tower::Service;

use crate::router::MetricsRouter;
use crate::router::guard::set_common_headers;
use crate::router::html::html;
use crate::router::routes::routes;
use crate::router::serve::hosts::Hosts;

/// Returns all that the listener serves; with `hosts` only under their names.
pub(super) fn listener_router(settings: &MetricsRouter, hosts: Option<Hosts>) -> Router {
    let metrics: Router = routes(settings);
    let start = start(settings);
    let guarded = Router::new()
        .nest("/metrics", metrics.clone())
        .route(
            "/metrics/",
            any(async move |request| root(metrics, request).await),
        )
        .route("/", get(async move || html(start)));
    // The guard stands before paths that are not there, too.
    let guarded = settings.guard.clone().around(guarded);
    let whole = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .fallback_service(guarded);
    whole.layer(from_fn(move |request: Request, next: Next| {
        let refusal = hosts.as_ref().and_then(|hosts| hosts.refuse(&request));
        async move {
            set_common_headers(match refusal {
                Some(refusal) => refusal,
                None => next.run(request).await,
            })
        }
    }))
}

/// Answers as the metrics' root does: some scrapers add a slash to the path, and follow no
/// redirect.
async fn root(mut metrics: Router, mut request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    if let Ok(path) = PathAndQuery::try_from(format!("/?{query}")) {
        *request.uri_mut() = Uri::from(path);
    }
    match metrics.call(request).await {
        Ok(answer) => answer,
        Err(never) => never.into_response(),
    }
}

/// Returns a page that leads to all others.
fn start(settings: &MetricsRouter) -> String {
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Metrics</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n         <h1>Metrics</h1>\n<ul>\n",
    );
    let mut link = |path: &str, what: &str| {
        // Writing to a string does not fail.
        let _ = writeln!(page, "<li><a href=\"{path}\">/{path}</a>: {what}</li>");
    };
    link("metrics", "the metrics, for Prometheus");
    link("metrics/json", "the metrics, as JSON");
    link("metrics/summary", "one number for each metric, as JSON");
    #[cfg(feature = "dashboard")]
    if settings.board.is_some() {
        link("metrics/dashboard", "the dashboard");
        link("metrics/grafana.json", "a dashboard for Grafana");
        link("metrics/rules.yml", "rules for Prometheus");
    }
    #[cfg(not(feature = "dashboard"))]
    let _ = settings;
    link("healthz", "whether this listener answers");
    page.push_str("</ul>\n</html>\n");
    page
}
