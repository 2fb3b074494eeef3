//! What people look at: the page, and the boards and rules to take away.

use std::env;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::http::header::{CONTENT_TYPE, LOCATION};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use bytes::Bytes;

use crate::dashboards::{AlertRules, GrafanaBoard, View, page};
use crate::router::MetricsRouter;
use crate::router::html_page::html;
use crate::router::routes::{RouterState, client_address};
use crate::router::static_file::StaticFile;

/// A view is the same for all who ask within this time, if no other is chosen.
const INTERVAL: Duration = Duration::from_secs(1);

const CSS: &str = "text/css; charset=utf-8";
const JS: &str = "text/javascript; charset=utf-8";

/// # What people look at
impl MetricsRouter {
    /// Calls the page and the board for Grafana so; by default they have the program's name.
    pub fn dashboard_title(mut self, title: impl Into<String>) -> Self {
        if let Some(board) = &mut self.board {
            board.title = Some(title.into());
        }
        self
    }

    /// Serves these rules instead of the usual ones.
    pub fn alert_rules(mut self, rules: AlertRules) -> Self {
        if let Some(board) = &mut self.board {
            board.rules = rules;
        }
        self
    }

    /// Reads the registry for the page at most once in this time, one second if nothing else
    /// is said, however many look.
    ///
    /// Where collectors are slow, more of it spares them; the page then moves in such steps.
    pub fn dashboard_interval(mut self, interval: Duration) -> Self {
        if let Some(board) = &mut self.board {
            board.interval = Some(interval);
        }
        self
    }

    /// Serves metrics alone: no page, no board and no rules.
    pub fn without_dashboard(self) -> Self {
        Self {
            board: None,
            ..self
        }
    }
}

/// The settings of what people look at.
#[derive(Debug, Clone, Default)]
pub(super) struct Board {
    title: Option<String>,
    rules: AlertRules,
    interval: Option<Duration>,
}

impl Board {
    /// Returns the routes, which share places and registry with the scrapes.
    pub(super) fn routes<S>(&self, served: &Arc<RouterState>) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let title = self.title.clone().unwrap_or_else(program);
        let looked = Arc::new(Looked {
            view: Arc::new(tokio::sync::Mutex::new(View::new(&served.registry, &title))),
            made: Mutex::new(None),
            interval: self.interval.unwrap_or(INTERVAL),
            served: Arc::clone(served),
        });
        let registry = served.registry.clone();
        let board = made(served, "application/json", move || {
            GrafanaBoard::new().title(&title).to_json(&registry)
        });
        let (rules, registry) = (self.rules.clone(), served.registry.clone());
        let rules = made(served, "application/yaml", move || rules.to_yaml(&registry));
        Router::new()
            .route("/dashboard", file(page::HTML, || html("")))
            .route("/dashboard/", get(async || redirect()))
            .route("/dashboard.css", file(page::CSS, || of_type(CSS)))
            .route("/dashboard.js", file(page::JS, || of_type(JS)))
            .route(
                "/view",
                get(async move |request: Request| looked.answer(client_address(&request)).await),
            )
            .route("/grafana.json", board)
            .route("/rules.yml", rules)
    }
}

/// Leads to the page from the path with a slash, below which its links would lead nowhere.
fn redirect() -> Response {
    (StatusCode::PERMANENT_REDIRECT, [(LOCATION, "../dashboard")]).into_response()
}

/// Answers with a file that is part of the program, and with these headers.
fn file<S>(text: &'static str, headers: fn() -> Response) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    // Its tag is computed once.
    let file = Arc::new(StaticFile::new(text));
    get(async move |request: HeaderMap| file.answer(headers(), &request))
}

fn of_type(media_type: &'static str) -> Response {
    [(CONTENT_TYPE, media_type)].into_response()
}

/// Answers with what is made of the registry as it is then.
fn made<S>(
    served: &Arc<RouterState>,
    kind: &'static str,
    make: impl Fn() -> String + Clone + Send + Sync + 'static,
) -> MethodRouter<S>
where
    S: Clone + Send + Sync + 'static,
{
    let served = Arc::clone(served);
    get(async move |request: Request| {
        match served.run_blocking(client_address(&request), make).await {
            Ok(text) => ([(CONTENT_TYPE, kind)], text).into_response(),
            Err(refusal) => refusal,
        }
    })
}

/// The view that those who look share.
struct Looked {
    /// Locked while a view is made, by whoever makes it.
    view: Arc<tokio::sync::Mutex<View>>,
    /// The last one, and when it was made.
    made: Mutex<Option<(Instant, Bytes)>>,
    interval: Duration,
    served: Arc<RouterState>,
}

impl Looked {
    async fn answer(self: Arc<Self>, client: Option<IpAddr>) -> Response {
        match self.fresh_or_made(client).await {
            Ok(view) => ([(CONTENT_TYPE, "application/json")], view).into_response(),
            Err(refusal) => refusal,
        }
    }

    async fn fresh_or_made(self: Arc<Self>, client: Option<IpAddr>) -> Result<Bytes, Response> {
        let Ok(view) = Arc::clone(&self.view).try_lock_owned() else {
            // Another is at it, maybe for long: the one before will do, if there is one.
            if let Some(stale) = self.last(Duration::MAX) {
                return Ok(stale);
            }
            drop(self.view.lock().await);
            return self.last(Duration::MAX).ok_or_else(|| self.served.refuse());
        };
        if let Some(fresh) = self.last(self.interval) {
            return Ok(fresh);
        }
        let looked = Arc::clone(&self);
        let made = self.served.run_blocking(client, move || {
            let mut view = view;
            let text = Bytes::from(view.render());
            *looked.made() = Some((Instant::now(), text.clone()));
            text
        });
        match made.await {
            Ok(text) => Ok(text),
            Err(refusal) => self.last(Duration::MAX).ok_or(refusal),
        }
    }

    /// Returns the last view, if it is no older than this.
    fn last(&self, oldest: Duration) -> Option<Bytes> {
        let made = self.made();
        let (when, text) = made.as_ref()?;
        (when.elapsed() < oldest).then(|| text.clone())
    }

    fn made(&self) -> std::sync::MutexGuard<'_, Option<(Instant, Bytes)>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the program's name.
fn program() -> String {
    let program = env::current_exe().ok();
    let name = program.as_ref().and_then(|program| program.file_stem());
    name.map_or_else(
        || "Metrics".into(),
        |name| name.to_string_lossy().into_owned(),
    )
}
