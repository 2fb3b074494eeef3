//! The body of a scrape's answer.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};

use crate::router::deadline::{Alarm, Expire};
use crate::router::held::{Broken, Counted, Held};
use crate::router::pages::Pages;

/// A registry's exposition, made a page at a time as the connection takes it, and freed at
/// its deadline whether the connection takes it or not.
pub(super) struct Scrape {
    held: Arc<Held>,
    /// Dropped with the body, so that no deadline outlives it.
    _alarm: Alarm,
}

impl Scrape {
    pub(super) fn new(pages: Pages, counted: Option<Counted>) -> Self {
        let until = pages.until();
        let held = Arc::new_cyclic(|held: &Weak<Held>| {
            pages.lend(held.clone());
            Held::new(pages, counted)
        });
        let expire: Arc<dyn Expire> = held.clone();
        Self {
            held,
            _alarm: Alarm::set(until, Arc::downgrade(&expire)),
        }
    }
}

impl Body for Scrape {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let frame = self.held.poll_frame(context);
        frame.map(|frame| frame.map(|frame| frame.map(Frame::data)))
    }
}
