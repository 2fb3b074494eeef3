//! The routes of the listener: those of the router, an index page and health checks.

use std::fmt::Write;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::{Next, from_fn};
use axum::routing::get;

use crate::router::access::AccessSettings;
use crate::router::common_response::common_response_layer;
use crate::router::compressed_responses::compressed;
use crate::router::html_page::html_page;
use crate::router::last_scrape::LastScrape;
use crate::router::routes::Routes;
use crate::router::serve::allowed_hosts::AllowedHosts;

/// A path and its description.
type Link = (&'static str, &'static str);

const METRICS: [Link; 3] = [
    ("metrics", "the metrics, for Prometheus"),
    ("metrics/json", "the metrics, as JSON"),
    ("metrics/summary", "one number per metric, as JSON"),
];
const DASHBOARD: [Link; 3] = [
    ("metrics/dashboard", "a live dashboard"),
    ("metrics/grafana.json", "a Grafana dashboard"),
    ("metrics/rules.yml", "alerting rules for Prometheus"),
];
const HEALTH: [Link; 2] = [
    ("healthz", "a liveness check of this listener"),
    ("readyz", "a readiness check, which fails during a shutdown"),
];

/// Returns the listener's router. If `hosts` is set, requests for other hosts are refused.
pub(super) fn standalone_routes(
    routes: Routes<()>,
    access: AccessSettings,
    hosts: Option<AllowedHosts>,
    last_scrape: LastScrape,
) -> Router {
    let Routes {
        root,
        subpaths,
        has_dashboard,
    } = routes;
    let mut links = METRICS.to_vec();
    if has_dashboard {
        links.extend(DASHBOARD);
    }
    links.extend(HEALTH);
    let index = index_page(&links);
    let index = get(async move || html_page(index));
    let protected = Router::new()
        .nest("/metrics", subpaths)
        .route("/metrics", root.clone())
        // Some scrapers add a slash to the path, and follow no redirect.
        .route("/metrics/", root)
        .route("/", compressed(index));
    // Also before paths without a route, so that clients without access learn nothing.
    let protected = access.protect_all(protected);
    let all = Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(async move || readiness(&last_scrape)))
        .fallback_service(protected);
    let check_host = from_fn(move |request: Request, next: Next| {
        let refusal = hosts.as_ref().and_then(|hosts| hosts.refuse(&request));
        async move {
            match refusal {
                Some(refusal) => refusal,
                None => next.run(request).await,
            }
        }
    });
    all.layer((common_response_layer(), check_host))
}

fn readiness(last_scrape: &LastScrape) -> (StatusCode, &'static str) {
    if last_scrape.is_shutting_down() {
        (StatusCode::SERVICE_UNAVAILABLE, "shutting down\n")
    } else {
        (StatusCode::OK, "ok\n")
    }
}

fn index_page(links: &[Link]) -> String {
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Metrics</title>\n\
         <link rel=\"icon\" href=\"data:,\">\n<h1>Metrics</h1>\n<ul>\n",
    );
    for (path, description) in links {
        // Writing to a `String` does not fail.
        let _ = writeln!(
            page,
            "<li><a href=\"{path}\">/{path}</a>: {description}</li>"
        );
    }
    page.push_str("</ul>\n</html>\n");
    page
}
