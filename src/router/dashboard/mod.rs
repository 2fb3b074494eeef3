//! The routes of the dashboard, the Grafana dashboard and the alerting rules.

mod shared_view;
mod static_file;

use std::env;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};

use crate::dashboards::{AlertRules, GrafanaBoard, page};
use crate::router::client_address::client_of;
use crate::router::compressed_responses::compressed;
use crate::router::dashboard::shared_view::SharedView;
use crate::router::dashboard::static_file::StaticFile;
use crate::router::html_page::html_page;
use crate::router::router_state::RouterState;

const DEFAULT_INTERVAL: Duration = Duration::from_secs(1);

const CSS: &str = "text/css; charset=utf-8";
const JAVASCRIPT: &str = "text/javascript; charset=utf-8";

/// The settings of the dashboard.
#[derive(Debug, Clone, Default)]
pub(super) struct DashboardSettings {
    /// By default the name of the executable.
    pub(super) title: Option<String>,
    pub(super) alert_rules: AlertRules,
    /// The minimum time between two reads of the registry.
    pub(super) interval: Option<Duration>,
}

impl DashboardSettings {
    /// Returns the routes. They use the registry and the scrape permits of `state`.
    pub(super) fn routes<S>(&self, state: &Arc<RouterState>) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let title = self.title.clone().unwrap_or_else(executable_name);
        let interval = self.interval.unwrap_or(DEFAULT_INTERVAL);
        let view = SharedView::new(Arc::clone(state), &title, interval);
        let registry = state.registry.clone();
        let grafana = generated_file(state, "application/json", move || {
            GrafanaBoard::new().title(&title).to_json(&registry)
        });
        let (rules, registry) = (self.alert_rules.clone(), state.registry.clone());
        let rules = generated_file(state, "application/yaml", move || rules.to_yaml(&registry));
        let view = get(async move |request: Request| view.respond(client_of(&request)).await);
        Router::new()
            .route("/dashboard", static_file(page::HTML, || html_page("")))
            .route("/dashboard/", get(async || redirect_to_dashboard()))
            .route("/dashboard.css", static_file(page::CSS, || empty(CSS)))
            .route("/dashboard.js", static_file(page::JS, || empty(JAVASCRIPT)))
            .route("/view", compressed(view))
            .route("/grafana.json", grafana)
            .route("/rules.yml", rules)
    }
}

/// Redirects from the path with a trailing slash, below which the page's relative links would be
/// wrong.
fn redirect_to_dashboard() -> Response {
    (StatusCode::PERMANENT_REDIRECT, [(LOCATION, "../dashboard")]).into_response()
}

/// Serves a file of the crate, with the headers of the `base` response.
fn static_file<S>(text: &'static str, base: fn() -> Response) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    // The entity tag is computed once.
    let file = Arc::new(StaticFile::new(text));
    compressed(get(async move |request: HeaderMap| {
        file.respond(base(), &request)
    }))
}

fn empty(content_type: &'static str) -> Response {
    [(CONTENT_TYPE, content_type)].into_response()
}

/// Serves a file that is generated for each request.
fn generated_file<S>(
    state: &Arc<RouterState>,
    content_type: &'static str,
    generate: impl Fn() -> String + Clone + Send + Sync + 'static,
) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    let state = Arc::clone(state);
    compressed(get(async move |request: Request| {
        match state.run_blocking(client_of(&request), generate).await {
            Ok(text) => ([(CONTENT_TYPE, content_type)], text).into_response(),
            Err(refusal) => refusal,
        }
    }))
}

fn executable_name() -> String {
    let path = env::current_exe().ok();
    let name = path.as_ref().and_then(|path| path.file_stem());
    name.map_or_else(
        || "Metrics".into(),
        |name| name.to_string_lossy().into_owned(),
    )
}
