//! What the listener serves besides the metrics.

use std::fmt::Write;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::routing::get;

use crate::router::MetricsRouter;
use crate::router::access_control::set_common_headers;
use crate::router::html_page::html;
use crate::router::routes::{Routes, routes};
use crate::router::serve::allowed_hosts::AllowedHosts;

/// A path and what it serves.
type Link = (&'static str, &'static str);

const METRICS: [Link; 3] = [
    ("metrics", "the metrics, for Prometheus"),
    ("metrics/json", "the metrics, as JSON"),
    ("metrics/summary", "one number for each metric, as JSON"),
];
#[cfg(feature = "dashboard")]
const DASHBOARD: [Link; 3] = [
    ("metrics/dashboard", "the dashboard"),
    ("metrics/grafana.json", "a dashboard for Grafana"),
    ("metrics/rules.yml", "rules for Prometheus"),
];
const HEALTH: Link = ("healthz", "whether this listener answers");

/// Returns all that the listener serves; with `hosts` only under their names.
pub(super) fn listener_router(settings: &MetricsRouter, hosts: Option<AllowedHosts>) -> Router {
    let mut links = METRICS.to_vec();
    #[cfg(feature = "dashboard")]
    if settings.board.is_some() {
        links.extend(DASHBOARD);
    }
    links.push(HEALTH);
    let start = start(&links);
    let Routes {
        root,
        subpaths: below,
    } = routes(settings);
    let guarded = Router::new()
        .nest("/metrics", below)
        .route("/metrics", root.clone())
        // Some scrapers add a slash to the path, and follow no redirect.
        .route("/metrics/", root)
        .route("/", get(async move || html(start)));
    // The guard stands before paths that are not there, too.
    let guarded = settings.guard.clone().around(guarded);
    let router = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .fallback_service(guarded);
    router.layer(from_fn(move |request: Request, next: Next| {
        let refusal = hosts.as_ref().and_then(|hosts| hosts.refuse(&request));
        async move {
            set_common_headers(match refusal {
                Some(refusal) => refusal,
                None => next.run(request).await,
            })
        }
    }))
}

/// Returns a page with these links.
fn start(links: &[Link]) -> String {
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Metrics</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<h1>Metrics</h1>\n<ul>\n",
    );
    for (path, what) in links {
        // Writing to a string does not fail.
        let _ = writeln!(page, "<li><a href=\"{path}\">/{path}</a>: {what}</li>");
    }
    page.push_str("</ul>\n</html>\n");
    page
}
