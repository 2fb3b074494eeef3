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
        Self(Chunks::new(registry, format))
    }
}

impl Body for Scrape {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let chunk = self.get_mut().0.find(|chunk| !chunk.is_empty());
        Poll::Ready(chunk.map(|chunk| Ok(Frame::data(Bytes::from(chunk)))))
    }
}
