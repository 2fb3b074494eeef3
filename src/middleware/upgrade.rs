//! Connections that go on in another protocol, out of the layer's sight.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Instant;

use crate::metric::InFlight;
use crate::middleware::endpoint::Endpoint;
use crate::middleware::metrics::HttpMetrics;

/// Held by a task for as long as it serves an upgraded connection, such as a
/// WebSocket, which is then among `http_upgrades_in_flight`; its whole life is in
/// `http_stream_duration_seconds`.
///
/// A layer sees a request for an upgrade until its answer, and not what becomes of
/// the connection. So the handler takes the guard, from the request's extensions or
/// as an extractor of axum's, and moves it into the task. It counts from the answer
/// on, if that is an upgrade, until its last clone is dropped; without a layer, it
/// counts nothing.
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
pub struct UpgradeGuard(
    // Held for its drop.
    #[expect(dead_code, reason = "its drop is what it is for")] Option<Arc<HeldUpgrade>>,
);

/// What the layer keeps of the guard that it gave out.
pub(super) struct PendingUpgrade(Arc<UpgradeState>);

/// What a guard holds: the connection, and the guard of a layer further out, of other
/// metrics, which is dropped with it.
struct HeldUpgrade(
    Arc<UpgradeState>,
    #[expect(dead_code, reason = "its drop is what it is for")] UpgradeGuard,
);

/// A connection that may be upgraded.
struct UpgradeState {
    /// [`ASKED`], [`OPEN`] or [`CLOSED`].
    stage: AtomicU8,
    metrics: Arc<HttpMetrics>,
    /// The position of the request's endpoint, once it is open. Relaxed: the stage is
    /// stored after it.
    endpoint: AtomicUsize,
    started: Instant,
}

/// The guard is out, and there is no answer yet.
const PENDING: u8 = 0;
/// The answer was an upgrade, and the guard is held.
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

    /// Notes that the answer is an upgrade, of a request to the endpoint at a position.
    pub(super) fn open(&self, endpoint: usize) {
        let state = &*self.0;
        if state.stage.load(Ordering::Relaxed) == CLOSED {
            // No one took the guard.
            return;
        }
        state.endpoint.store(endpoint, Ordering::Relaxed);
        // Before the guard can see that it is open, and takes this back.
        state.with_in_flight(InFlight::start);
        // Release: who sees that it is open sees that it has entered.
        let (done, failed) = (Ordering::Release, Ordering::Relaxed);
        let opened = state.stage.compare_exchange(PENDING, OPEN, done, failed);
        if opened.is_err() {
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

    fn with_in_flight(&self, moved: impl FnOnce(&InFlight)) {
        if let Some(endpoint) = self.endpoint() {
            moved(endpoint.upgrades_in_flight(&self.metrics.families));
        }
    }

    fn observe_duration(&self) {
        if let Some(endpoint) = self.endpoint() {
            let life = self.metrics.settings.clock.since(self.started);
            let seconds = endpoint.stream_duration(&self.metrics.families);
            seconds.observe_duration(life);
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
        // Taken, so that it ends with the task and not with the request.
        Ok(parts.extensions.remove().unwrap_or_default())
    }
}
