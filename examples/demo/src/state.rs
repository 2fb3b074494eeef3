//! What the handlers share.

use crate::llm::Llm;
use crate::metrics::AppMetrics;
use crate::shutdown::Stopped;
use crate::store::Store;

#[derive(Debug, Clone)]
pub(crate) struct AppState {
    pub(crate) store: Store,
    pub(crate) llm: Llm,
    pub(crate) metrics: AppMetrics,
    /// Streams and WebSocket connections end when the shutdown starts.
    pub(crate) stopped: Stopped,
}
