//! The routes, and how a scrape is answered.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, VARY};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get};
use tokio::runtime::Handle;

use crate::export::Format;
use crate::registry::Registry;
use crate::router::MetricsRouter;
use crate::router::allowed_networks::client_key;
use crate::router::blocking_task::BlockingTask;
use crate::router::compression::negotiate_compressor;
use crate::router::content_negotiation::NegotiatedFormat;
use crate::router::encoded_chunks::EncodedChunks;
use crate::router::scrape_body::ScrapeBody;
use crate::router::scrape_metrics::{SUMMARY, ScrapeMetrics};
use crate::router::scrape_permits::Permits;
use crate::router::scrape_query::ScrapeQuery;
use crate::router::scrape_state::Counted;
use crate::router::scrape_timeout::scrape_timeout;

/// What the routes share.
pub(super) struct RouterState {
    pub(super) registry: Registry,
    created: bool,
    deadline: Duration,
    permits: Arc<Permits>,
    scrapes: Option<ScrapeMetrics>,
}

/// The routes of a router.
pub(super) struct Routes<S> {
    /// `/metrics`.
    pub(super) root: MethodRouter<S>,
    /// What is below it.
    pub(super) subpaths: Router<S>,
}

/// Returns the routes of a router with these settings.
pub(super) fn routes<S>(settings: &MetricsRouter) -> Routes<S>
where
    S: Clone + Send + Sync + 'static,
{
    #[cfg(feature = "system")]
    settings.attach_system();
    let registry = settings.registry.clone();
    let registry = registry.unwrap_or_else(|| Registry::global().clone());
    registry.mark_read();
    let served = Arc::new(RouterState {
        created: settings.created,
        deadline: settings.deadline,
        permits: Permits::new(settings.in_flight),
        scrapes: ScrapeMetrics::new(&registry),
        registry,
    });
    let route = |answer: fn(&RouterState, &Request) -> Response| -> MethodRouter<S> {
        let answer = async move |State(served): State<Arc<RouterState>>, request: Request| {
            answer(&served, &request)
        };
        get(answer).with_state(Arc::clone(&served))
    };
    let summary = async move |State(served): State<Arc<RouterState>>, request: Request| {
        served.summary(client_address(&request)).await
    };
    let summary = get(summary).with_state(Arc::clone(&served));
    let below = Router::new()
        .route("/json", route(json))
        .route("/json/", route(json))
        .route("/summary", summary.clone())
        .route("/summary/", summary);
    #[cfg(feature = "dashboard")]
    let below = match &settings.board {
        Some(board) => below.merge(board.routes(&served)),
        None => below,
    };
    Routes {
        root: route(negotiated),
        subpaths: below,
    }
}

fn negotiated(served: &RouterState, request: &Request) -> Response {
    served.scrape(request, NegotiatedFormat::from_headers(request.headers()))
}

fn json(served: &RouterState, request: &Request) -> Response {
    served.scrape(request, NegotiatedFormat::json())
}

impl RouterState {
    fn scrape(&self, request: &Request, negotiated: NegotiatedFormat) -> Response {
        let begun = Instant::now();
        Registry::warn_if_global_is_unread();
        let headers = request.headers();
        let Some(permit) = self.permits.try_acquire(
            scrape_timeout(headers, self.deadline),
            client_address(request),
        ) else {
            return self.refuse();
        };
        let ScrapeQuery { names, limit } = ScrapeQuery::parse(request.uri().query());
        let mut export = self.registry.export(negotiated.format);
        export = export
            .escaping(negotiated.escaping)
            .created_timestamps(self.created);
        if let Some(names) = names {
            export = export.filter_names(names);
        }
        if let Some(limit) = limit.filter(|_| negotiated.format == Format::Json) {
            export = export.limit(limit);
        }
        let coder = negotiate_compressor(headers);
        let coding = coder.as_ref().map(|coder| coder.content_coding());
        let counted = self.scrapes.clone().map(|scrapes| Counted {
            scrapes,
            format: negotiated.format.as_str(),
            begun,
        });
        let pages = EncodedChunks::new(export.into_chunks(), coder, permit);
        let mut response = Response::new(Body::new(ScrapeBody::new(pages, counted)));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, negotiated.content_type());
        headers.insert(VARY, HeaderValue::from_static("accept, accept-encoding"));
        if let Some(coding) = coding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        response
    }

    /// Answers with the summary: it is short, and made as a whole.
    async fn summary(self: Arc<Self>, client: Option<IpAddr>) -> Response {
        let begun = Instant::now();
        let registry = self.registry.clone();
        match self
            .run_blocking(client, move || registry.summary().to_json())
            .await
        {
            Ok(summary) => {
                if let Some(scrapes) = &self.scrapes {
                    scrapes.count(SUMMARY, begun);
                }
                ([(CONTENT_TYPE, Format::Json.content_type())], summary).into_response()
            }
            Err(refusal) => refusal,
        }
    }

    /// Makes a whole answer on the runtime's threads for blocking work. It takes a place among
    /// the scrapes, for this client.
    ///
    /// # Errors
    ///
    /// The response that refuses the request: no place is free, the deadline passed before a
    /// thread was free, or the work panicked.
    pub(super) async fn run_blocking<T: Send + 'static>(
        &self,
        client: Option<IpAddr>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Response> {
        let permit = self.permits.try_acquire(self.deadline, client);
        let permit = permit.ok_or_else(|| self.refuse())?;
        let work = move || permit.pin().then(work);
        let made = match Handle::try_current() {
            Ok(runtime) => BlockingTask::spawn(&runtime, work).await,
            Err(_) => Some(work()),
        };
        match made {
            Some(made) => made.ok_or_else(|| self.refuse()),
            None => Err(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        }
    }

    pub(super) fn refuse(&self) -> Response {
        if let Some(scrapes) = &self.scrapes {
            scrapes.refuse();
        }
        let soon = [(RETRY_AFTER, HeaderValue::from_static("1"))];
        let why = "as many scrapes as may be are under way\n";
        (StatusCode::SERVICE_UNAVAILABLE, soon, why).into_response()
    }
}

/// Returns the client that limits count, if the server provides its address.
pub(super) fn client_address(request: &Request) -> Option<IpAddr> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    peer.map(|ConnectInfo(peer)| client_key(peer.ip()))
}
