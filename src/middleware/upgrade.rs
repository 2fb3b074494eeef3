//! Upgraded connections, which the layer does not see.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Instant;

use crate::metric::InFlight;
use crate::middleware::endpoint::Endpoint;
use crate::middleware::metrics::HttpMetrics;

/// Counts an upgraded connection, such as a WebSocket, in `http_upgrades_in_flight` while a
/// task holds it.
///
/// When the last clone is dropped, the time since the request started is observed in
/// `http_stream_duration_seconds`.
///
/// A layer sees a request for an upgrade until its response, and nothing of the connection
/// afterwards. So the handler takes the guard, from the request's extensions or as an axum
/// extractor, and moves it into the task. The connection counts from the response on, if that
/// is an upgrade. Without a layer the guard does nothing.
///
#[cfg_attr(feature = "axum", doc = "```")]
#[cfg_attr(not(feature = "axum"), doc = "```ignore")]
/// use axum::extract::Request;
/// use axum::response::IntoResponse;
/// use tachometer::middleware::UpgradeGuard;
///
/// async fn tunnel(guard: UpgradeGuard, request: Request) -> impl IntoResponse {
///     tokio::spawn(async move {
///         let _guard = guard;
///         // .. serve the connection that `hyper::upgrade::on(request)` gives.
/// #       drop(request);
///     });
///     axum::http::StatusCode::SWITCHING_PROTOCOLS
/// }
/// # let _: axum::Router = axum::Router::new().route("/", axum::routing::get(tunnel));
/// ```
#[derive(Clone, Default)]
#[doc(alias = "websocket")]
pub struct UpgradeGuard(
    #[expect(dead_code, reason = "held for its drop")] Option<Arc<HeldUpgrade>>,
);

/// The layer's side of an [`UpgradeGuard`], until the response.
pub(super) struct PendingUpgrade(Arc<UpgradeState>);

/// The connection that a guard holds, and the guard of an outer layer of other metrics, which
/// is dropped with it.
struct HeldUpgrade(
    Arc<UpgradeState>,
    #[expect(dead_code, reason = "held for its drop")] UpgradeGuard,
);

/// A connection that may be upgraded.
struct UpgradeState {
    /// [`PENDING`], [`OPEN`] or [`CLOSED`].
    stage: AtomicU8,
    metrics: Arc<HttpMetrics>,
    /// The position of the request's endpoint, valid once the stage is [`OPEN`]. Relaxed: the
    /// stage is stored after it.
    endpoint: AtomicUsize,
    started: Instant,
}

/// There is no response yet.
const PENDING: u8 = 0;
/// The response was an upgrade, and the guard is held.
const OPEN: u8 = 1;
/// The guard was dropped.
const CLOSED: u8 = 2;

impl PendingUpgrade {
    pub(super) fn new(
        metrics: &Arc<HttpMetrics>,
        started: Instant,
        outer: UpgradeGuard,
    ) -> (Self, UpgradeGuard) {
        let state = Arc::new(UpgradeState {
            stage: AtomicU8::new(PENDING),
            metrics: Arc::clone(metrics),
            endpoint: AtomicUsize::new(0),
            started,
        });
        let held = HeldUpgrade(Arc::clone(&state), outer);
        (Self(state), UpgradeGuard(Some(Arc::new(held))))
    }

    /// Starts to count the connection, because the response is an upgrade. `endpoint` is the
    /// position of the request's endpoint.
    pub(super) fn open(&self, endpoint: usize) {
        let state = &*self.0;
        if state.stage.load(Ordering::Relaxed) == CLOSED {
            // The handler did not take the guard.
            return;
        }
        state.endpoint.store(endpoint, Ordering::Relaxed);
        // Before the stage is open, so that the guard cannot finish it before it has started.
        state.with_in_flight(InFlight::start);
        // Release: a thread that reads `OPEN` also sees the start above.
        let (success, failure) = (Ordering::Release, Ordering::Relaxed);
        let exchanged = state
            .stage
            .compare_exchange(PENDING, OPEN, success, failure);
        if exchanged.is_err() {
            state.with_in_flight(InFlight::finish);
        }
    }
}

impl Drop for HeldUpgrade {
    fn drop(&mut self) {
        let Self(state, _) = self;
        // Acquire: pairs with the Release in `open`.
        if state.stage.swap(CLOSED, Ordering::Acquire) == OPEN {
            state.observe_duration();
            state.with_in_flight(InFlight::finish);
        }
    }
}

impl UpgradeState {
    fn endpoint(&self) -> Option<&Endpoint> {
        self.metrics
            .endpoint_at(self.endpoint.load(Ordering::Relaxed))
    }

    fn with_in_flight(&self, update: impl FnOnce(&InFlight)) {
        if let Some(endpoint) = self.endpoint() {
            update(endpoint.upgrades_in_flight(&self.metrics.families));
        }
    }

    fn observe_duration(&self) {
        if let Some(endpoint) = self.endpoint() {
            let elapsed = self.metrics.settings.clock.since(self.started);
            let seconds = endpoint.stream_duration(&self.metrics.families);
            seconds.observe_duration(elapsed);
        }
    }
}

impl fmt::Debug for UpgradeGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UpgradeGuard").finish_non_exhaustive()
    }
}

#[cfg(feature = "axum")]
impl<S: Sync> axum::extract::FromRequestParts<S> for UpgradeGuard {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut http::request::Parts,
        _state: &S,
    ) -> Result<Self, Self::Rejection> {
        // Removed, so that it is dropped with the task and not with the request.
        Ok(parts.extensions.remove().unwrap_or_default())
    }
}
