//! The response body of a scrape.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};

use crate::router::scrape::deadline::DeadlineGuard;
use crate::router::scrape::encoded_chunks::EncodedChunks;
use crate::router::scrape::error::{Abort, ScrapeError};
use crate::router::scrape::scrape_metrics::ScrapeTimer;
use crate::router::scrape::state::ScrapeState;

/// A body that encodes an exposition chunk by chunk while it is polled. It frees its memory at
/// the scrape's deadline, whether it is polled or not.
pub(crate) struct ScrapeBody {
    state: Arc<ScrapeState>,
    /// Dropped with the body, which cancels the deadline.
    _deadline: DeadlineGuard,
}

impl ScrapeBody {
    pub(crate) fn new(chunks: EncodedChunks, timer: Option<ScrapeTimer>) -> Self {
        let deadline = chunks.deadline();
        let state = Arc::new_cyclic(|state: &Weak<ScrapeState>| {
            chunks.allow_eviction(state.clone());
            ScrapeState::new(chunks, timer)
        });
        let target: Arc<dyn Abort> = state.clone();
        Self {
            state,
            _deadline: DeadlineGuard::new(deadline, Arc::downgrade(&target)),
        }
    }
}

impl Body for ScrapeBody {
    type Data = Bytes;
    type Error = ScrapeError;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, ScrapeError>>> {
        let data = self.state.poll_data(context);
        data.map(|data| data.map(|data| data.map(Frame::data)))
    }
}
