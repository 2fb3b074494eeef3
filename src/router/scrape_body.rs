//! The body of a scrape's answer.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};

use crate::router::encoded_chunks::EncodedChunks;
use crate::router::scrape_deadline::{DeadlineGuard, OnDeadline};
use crate::router::scrape_state::{Counted, ScrapeError, ScrapeState};

/// A registry's exposition, made a page at a time as the connection takes it, and freed at
/// its deadline whether the connection takes it or not.
pub(super) struct ScrapeBody {
    state: Arc<ScrapeState>,
    /// Dropped with the body, so that no deadline outlives it.
    _deadline: DeadlineGuard,
}

impl ScrapeBody {
    pub(super) fn new(pages: EncodedChunks, counted: Option<Counted>) -> Self {
        let until = pages.deadline();
        let state = Arc::new_cyclic(|state: &Weak<ScrapeState>| {
            pages.allow_eviction(state.clone());
            ScrapeState::new(pages, counted)
        });
        let target: Arc<dyn OnDeadline> = state.clone();
        Self {
            state,
            _deadline: DeadlineGuard::set(until, Arc::downgrade(&target)),
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
        let frame = self.state.poll_frame(context);
        frame.map(|frame| frame.map(|frame| frame.map(Frame::data)))
    }
}
