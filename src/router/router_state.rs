//! The state that all routes share, and the responses to scrapes.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, VARY};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use tokio::runtime::Handle;

use crate::export::Format;
use crate::registry::Registry;
use crate::router::blocking_task::BlockingTask;
use crate::router::client_address::client_of;
use crate::router::last_scrape::ScrapeWaits;
use crate::router::scrape::body::ScrapeBody;
use crate::router::scrape::compression::negotiate_compressor;
use crate::router::scrape::encoded_chunks::EncodedChunks;
use crate::router::scrape::permits::ScrapePermits;
use crate::router::scrape::query::ScrapeQuery;
use crate::router::scrape::response_format::ResponseFormat;
use crate::router::scrape::scrape_metrics::{SUMMARY, ScrapeMetrics};
use crate::router::scrape::timeout::effective_timeout;
use crate::router::scrape::unused_layer::UnusedLayerCheck;

/// The settings of scrapes.
#[derive(Clone)]
pub(super) struct ScrapeSettings {
    /// `None` is the default of the format.
    pub(super) created_timestamps: Option<bool>,
    pub(super) max_concurrent: usize,
    pub(super) timeout: Duration,
    /// How many scrapes a shutdown waits for.
    pub(super) scrapers: usize,
    /// Set when it is first needed, so that clones that are made before do not share it.
    waits: OnceLock<Arc<ScrapeWaits>>,
}

impl ScrapeSettings {
    /// Returns the calls that wait for scrapes of the router.
    pub(super) fn waits(&self) -> &Arc<ScrapeWaits> {
        self.waits.get_or_init(ScrapeWaits::new)
    }
}

impl Default for ScrapeSettings {
    fn default() -> Self {
        Self {
            created_timestamps: None,
            max_concurrent: 8,
            timeout: Duration::from_secs(30),
            scrapers: 1,
            waits: OnceLock::new(),
        }
    }
}

/// The state that all routes of a router share.
pub(super) struct RouterState {
    pub(super) registry: Registry,
    created_timestamps: Option<bool>,
    timeout: Duration,
    permits: Arc<ScrapePermits>,
    /// `None` if their names are already in use in the registry.
    metrics: Option<ScrapeMetrics>,
    unused_layer_check: UnusedLayerCheck,
    waits: Arc<ScrapeWaits>,
}

impl RouterState {
    pub(super) fn new(registry: &Registry, settings: &ScrapeSettings) -> Arc<Self> {
        registry.mark_read();
        Arc::new(Self {
            registry: registry.clone(),
            created_timestamps: settings.created_timestamps,
            timeout: settings.timeout,
            permits: ScrapePermits::new(settings.max_concurrent),
            metrics: ScrapeMetrics::register_or_warn(registry),
            unused_layer_check: UnusedLayerCheck::default(),
            waits: Arc::clone(settings.waits()),
        })
    }

    /// Starts a scrape. The response's body encodes the metrics while it is sent.
    pub(super) fn scrape(&self, request: &Request, response_format: ResponseFormat) -> Response {
        let started = Instant::now();
        Registry::warn_if_global_is_unread();
        self.unused_layer_check.on_scrape(&self.registry);
        let headers = request.headers();
        let timeout = effective_timeout(headers, self.timeout);
        let Some(permit) = self.permits.try_acquire(timeout, client_of(request)) else {
            return self.refuse();
        };
        let format = response_format.format;
        let ScrapeQuery { names, limit } = ScrapeQuery::parse(request.uri().query());
        let mut export = self.registry.export(format);
        export = export.escaping(response_format.escaping);
        if let Some(created) = self.created_timestamps {
            export = export.created_timestamps(created);
        }
        let is_complete_exposition = names.is_none() && format != Format::Json;
        let counted = is_complete_exposition.then(|| self.waits.start_scrape());
        if let Some(names) = names {
            export = export.filter_names(names);
        }
        if format != Format::Json {
            export = export.for_delivery();
        } else if let Some(limit) = limit {
            export = export.limit(limit);
        }
        let compressor = negotiate_compressor(headers);
        let coding = compressor.as_ref().map(|encoder| encoder.content_coding());
        let timer = self.metrics.as_ref();
        let timer = timer.map(|metrics| metrics.timer(format.as_str(), started));
        let chunks =
            EncodedChunks::new(export.into_chunks(), compressor, permit, counted.flatten());
        let mut response = Response::new(Body::new(ScrapeBody::new(chunks, timer)));
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, response_format.content_type());
        headers.insert(VARY, HeaderValue::from_static("accept, accept-encoding"));
        if let Some(coding) = coding {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        response
    }

    /// Responds with the summary. It is short, so it is encoded as a whole.
    pub(super) async fn summary(self: Arc<Self>, client: Option<IpAddr>) -> Response {
        let started = Instant::now();
        let registry = self.registry.clone();
        let summary = self.run_blocking(client, move || registry.summary().to_json());
        match summary.await {
            Ok(summary) => {
                if let Some(metrics) = &self.metrics {
                    metrics.timer(SUMMARY, started).complete();
                }
                ([(CONTENT_TYPE, Format::Json.content_type())], summary).into_response()
            }
            Err(refusal) => refusal,
        }
    }

    /// Runs `work` on a blocking thread, with a scrape permit for this client.
    ///
    /// # Errors
    ///
    /// Returns an error response if no permit is available, if the permit is revoked in favor of
    /// another client before a thread is free, or if `work` panics.
    pub(super) async fn run_blocking<T: Send + 'static>(
        &self,
        client: Option<IpAddr>,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Response> {
        let permit = self.permits.try_acquire(self.timeout, client);
        let permit = permit.ok_or_else(|| self.refuse())?;
        let work = move || permit.pin().then(work);
        let result = match Handle::try_current() {
            Ok(runtime) => BlockingTask::spawn(&runtime, work).await,
            Err(_) => Some(work()),
        };
        match result {
            Some(result) => result.ok_or_else(|| self.refuse()),
            None => Err(StatusCode::INTERNAL_SERVER_ERROR.into_response()),
        }
    }

    /// Returns the response to a request above the limit of concurrent scrapes.
    pub(super) fn refuse(&self) -> Response {
        if let Some(metrics) = &self.metrics {
            metrics.record_refused();
        }
        let retry_after = [(RETRY_AFTER, HeaderValue::from_static("1"))];
        let message = "too many concurrent scrapes\n";
        (StatusCode::SERVICE_UNAVAILABLE, retry_after, message).into_response()
    }
}
