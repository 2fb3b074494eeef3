//! The body of a scrape's answer.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame};

use crate::export::{Chunks, Format};
use crate::registry::Registry;

/// A registry's exposition, made a chunk at a time as the connection takes it.
#[derive(Debug)]
pub(super) struct Scrape(Chunks);

impl Scrape {
    pub(super) fn new(registry: &Registry, format: Format) -> Self {
        Self(registry.export(format).chunks())
    }
}

impl Body for Scrape {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let mut page = Chunks::page();
        let more = self.get_mut().0.next(&mut page);
        Poll::Ready(more.then(|| Ok(Frame::data(Bytes::copy_from_slice(page.written())))))
    }
}
