//! The routes for scrapes.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::{MethodRouter, get};

use crate::export::Format;
use crate::router::client_address::client_of;
use crate::router::compressed_responses::compressed;
use crate::router::router_state::RouterState;
use crate::router::scrape::response_format::ResponseFormat;

/// The routes of a router, to be mounted at any path.
pub(crate) struct Routes<S> {
    /// The route of `/metrics`.
    pub(super) root: MethodRouter<S>,
    /// The routes below `/metrics`.
    pub(super) subpaths: Router<S>,
    #[cfg_attr(
        not(feature = "serve"),
        expect(dead_code, reason = "only the listener's index page reads it")
    )]
    pub(super) has_dashboard: bool,
}

impl<S> Routes<S>
where
    S: Clone + Send + Sync + 'static,
{
    /// Returns the routes for scrapes, with access to `state`.
    pub(super) fn new(state: &Arc<RouterState>) -> Self {
        let route = |handler: fn(&RouterState, &Request) -> Response| -> MethodRouter<S> {
            let handler = async move |State(state): State<Arc<RouterState>>, request: Request| {
                handler(&state, &request)
            };
            get(handler).with_state(Arc::clone(state))
        };
        let summary = async move |State(state): State<Arc<RouterState>>, request: Request| {
            state.summary(client_of(&request)).await
        };
        let summary = get(summary).with_state(Arc::clone(state));
        let summary = compressed(summary);
        let subpaths = Router::new()
            .route("/json", route(json))
            .route("/json/", route(json))
            .route("/summary", summary.clone())
            .route("/summary/", summary);
        Self {
            root: route(negotiated),
            subpaths,
            has_dashboard: false,
        }
    }

    /// Adds the routes of the dashboard.
    #[cfg(feature = "dashboard")]
    pub(super) fn with_dashboard(self, dashboard: Router<S>) -> Self {
        Self {
            subpaths: self.subpaths.merge(dashboard),
            has_dashboard: true,
            ..self
        }
    }
}

/// Responds in the format that `Accept` asks for.
fn negotiated(state: &RouterState, request: &Request) -> Response {
    state.scrape(request, ResponseFormat::negotiate(request.headers()))
}

fn json(state: &RouterState, request: &Request) -> Response {
    state.scrape(request, ResponseFormat::new(Format::Json))
}
