//! The dashboard's data, shared by all viewers.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;

use crate::dashboards::View;
use crate::router::router_state::RouterState;

/// The dashboard's data. All viewers get the same data until the interval has elapsed.
pub(super) struct SharedView {
    /// Locked while the registry is read.
    view: Arc<tokio::sync::Mutex<View>>,
    latest: Mutex<Option<CachedView>>,
    interval: Duration,
    state: Arc<RouterState>,
}

struct CachedView {
    created: Instant,
    json: Bytes,
}

impl SharedView {
    pub(super) fn new(state: Arc<RouterState>, title: &str, interval: Duration) -> Arc<Self> {
        Arc::new(Self {
            view: Arc::new(tokio::sync::Mutex::new(View::new(&state.registry, title))),
            latest: Mutex::new(None),
            interval,
            state,
        })
    }

    pub(super) async fn respond(self: Arc<Self>, client: Option<IpAddr>) -> Response {
        match self.cached_or_new(client).await {
            Ok(json) => ([(CONTENT_TYPE, "application/json")], json).into_response(),
            Err(refusal) => refusal,
        }
    }

    async fn cached_or_new(self: Arc<Self>, client: Option<IpAddr>) -> Result<Bytes, Response> {
        let Ok(mut view) = Arc::clone(&self.view).try_lock_owned() else {
            // Another request is reading the registry, which can take long. Use the previous
            // view if there is one.
            if let Some(stale) = self.cached(Duration::MAX) {
                return Ok(stale);
            }
            drop(self.view.lock().await);
            return self
                .cached(Duration::MAX)
                .ok_or_else(|| self.state.refuse());
        };
        if let Some(fresh) = self.cached(self.interval) {
            return Ok(fresh);
        }
        let shared = Arc::clone(&self);
        let new = self.state.run_blocking(client, move || {
            let json = Bytes::from(view.render());
            *shared.latest() = Some(CachedView {
                created: Instant::now(),
                json: json.clone(),
            });
            json
        });
        match new.await {
            Ok(json) => Ok(json),
            Err(refusal) => self.cached(Duration::MAX).ok_or(refusal),
        }
    }

    /// Returns the latest view, if it is not older than `max_age`.
    fn cached(&self, max_age: Duration) -> Option<Bytes> {
        let latest = self.latest();
        let view = latest.as_ref()?;
        (view.created.elapsed() < max_age).then(|| view.json.clone())
    }

    fn latest(&self) -> MutexGuard<'_, Option<CachedView>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
