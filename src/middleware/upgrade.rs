//! Upgraded connections, which the layer does not see.

use std::fmt;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use crate::metric::InFlight;
use crate::middleware::endpoint::Endpoint;

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
    /// The endpoint when the request started.
    first_endpoint: Arc<Endpoint>,
    /// The endpoint at the response, if it is another one. Set before the stage is [`OPEN`].
    endpoint: OnceLock<Arc<Endpoint>>,
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
        endpoint: &Arc<Endpoint>,
        started: Instant,
        outer: UpgradeGuard,
    ) -> (Self, UpgradeGuard) {
        let state = Arc::new(UpgradeState {
            stage: AtomicU8::new(PENDING),
            first_endpoint: Arc::clone(endpoint),
            endpoint: OnceLock::new(),
            started,
        });
        let held = HeldUpgrade(Arc::clone(&state), outer);
        (Self(state), UpgradeGuard(Some(Arc::new(held))))
    }

    /// Starts to count the connection, because the response is an upgrade.
    pub(super) fn open(&self, endpoint: &Arc<Endpoint>) {
        let state = &*self.0;
        if state.stage.load(Ordering::Relaxed) == CLOSED {
            // The handler did not take the guard.
            return;
        }
        state.endpoint.get_or_init(|| Arc::clone(endpoint));
        // Before the stage is open, so that the guard cannot finish it before it has started.
        state.in_flight().start();
        // Release: a thread that reads `OPEN` also sees the start above.
        let (success, failure) = (Ordering::Release, Ordering::Relaxed);
        let exchanged = state
            .stage
            .compare_exchange(PENDING, OPEN, success, failure);
        if exchanged.is_err() {
            state.in_flight().finish();
        }
    }
}

impl Drop for HeldUpgrade {
    fn drop(&mut self) {
        let Self(state, _) = self;
        // Acquire: pairs with the Release in `open`.
        if state.stage.swap(CLOSED, Ordering::Acquire) == OPEN {
            state.observe_duration();
            state.in_flight().finish();
        }
    }
}

impl UpgradeState {
    fn endpoint(&self) -> &Endpoint {
        self.endpoint.get().unwrap_or(&self.first_endpoint)
    }

    fn in_flight(&self) -> &InFlight {
        self.endpoint().upgrades_in_flight()
    }

    fn observe_duration(&self) {
        let endpoint = self.endpoint();
        let elapsed = endpoint.metrics.settings.clock.since(self.started);
        endpoint.stream_duration().observe_duration(elapsed);
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
