//! The body of a scrape's answer.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::Bytes;
use http_body::{Body, Frame};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::router::pages::Pages;
use crate::router::scrapes::Scrapes;

/// An answer is handed on in frames of this length: hyper takes sixteen of them from
/// whoever has more before it looks whether its client reads any.
const FRAME: usize = 4 * 1024;

/// A registry's exposition, made a page at a time as the connection takes it.
///
/// Pages are made on the runtime's threads for blocking work, so that neither the
/// reading of many series nor a slow collector holds up requests.
pub(super) struct Scrape {
    work: Work,
    /// How much of the page has been handed on.
    sent: usize,
    counted: Option<Counted>,
}

enum Work {
    /// A page, of which there may be more to hand on.
    Made(Box<Pages>),
    Making(JoinHandle<Box<Pages>>),
    Ended,
}

/// What is counted when the answer has been handed on to its end.
pub(super) struct Counted {
    pub(super) scrapes: Scrapes,
    pub(super) format: &'static str,
    pub(super) begun: Instant,
}

/// Why an answer breaks off.
#[derive(Debug)]
pub(super) enum Broken {
    /// Its time was over before its end.
    Late,
    /// The runtime ended, or a page could not be made.
    Gone,
}

impl Scrape {
    pub(super) fn new(pages: Pages, counted: Option<Counted>) -> Self {
        Self {
            work: Work::Made(Box::new(pages)),
            sent: 0,
            counted,
        }
    }

    /// Takes the next frame of the page that there is.
    fn frame(&mut self) -> Option<Bytes> {
        let Work::Made(pages) = &self.work else {
            return None;
        };
        let rest = pages.page().get(self.sent..).unwrap_or_default();
        let frame = rest.get(..FRAME).unwrap_or(rest);
        self.sent += frame.len();
        (!frame.is_empty()).then(|| Bytes::copy_from_slice(frame))
    }

    /// Goes on to the next page; returns false when there is none.
    fn turn(&mut self, context: &mut Context<'_>) -> Poll<Result<bool, Broken>> {
        if let Work::Made(_) = &self.work {
            self.start()?;
        }
        if let Work::Making(making) = &mut self.work {
            let pages = ready!(Pin::new(making).poll(context));
            self.work = Work::Ended;
            self.work = Work::Made(pages.map_err(|_| Broken::Gone)?);
            self.sent = 0;
        }
        Poll::Ready(Ok(matches!(self.work, Work::Made(_))))
    }

    /// Begins with the next page, if there is one.
    fn start(&mut self) -> Result<(), Broken> {
        let Work::Made(mut pages) = std::mem::replace(&mut self.work, Work::Ended) else {
            return Ok(());
        };
        if pages.are_at_end() {
            return Ok(());
        }
        if pages.are_late() {
            return Err(Broken::Late);
        }
        let turn = move || {
            pages.turn();
            pages
        };
        match Handle::try_current() {
            Ok(runtime) => self.work = Work::Making(runtime.spawn_blocking(turn)),
            Err(_) => {
                // Without a runtime there is nobody that would be held up.
                self.work = Work::Made(turn());
                self.sent = 0;
            }
        }
        Ok(())
    }
}

impl Body for Scrape {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let scrape = self.get_mut();
        loop {
            if let Some(frame) = scrape.frame() {
                return Poll::Ready(Some(Ok(Frame::data(frame))));
            }
            match ready!(scrape.turn(context)) {
                Ok(true) => {}
                Ok(false) => {
                    if let Some(counted) = scrape.counted.take() {
                        counted.end();
                    }
                    return Poll::Ready(None);
                }
                Err(broken) => {
                    if let Some(counted) = scrape.counted.take() {
                        counted.scrapes.cut();
                    }
                    // Cut off, and not ended: an answer that is not whole must not look
                    // as if it were.
                    return Poll::Ready(Some(Err(broken)));
                }
            }
        }
    }
}

impl Counted {
    fn end(self) {
        self.scrapes.count(self.format, self.begun);
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Late => "the scrape took longer than its deadline, and was cut off",
            Self::Gone => "the scrape was cut off, since its next part could not be made",
        })
    }
}

impl std::error::Error for Broken {}

#[cfg(test)]
mod tests {
    use std::task::Waker;
    use std::time::Duration;

    use super::*;
    use crate::export::Format;
    use crate::registry::Registry;
    use crate::router::permits::Permits;

    /// Returns how many bytes are handed on of an answer whose first page was made just
    /// before its time was over, and how it ends.
    fn read_late(registry: &Registry) -> (usize, Option<Broken>) {
        let permit = Permits::new(1).take(Duration::ZERO).unwrap();
        let mut pages = Pages::new(registry.export(Format::Text).chunks(), None, permit);
        pages.turn();
        let mut body = Scrape::new(pages, None);
        let mut context = Context::from_waker(Waker::noop());
        let mut read = 0;
        loop {
            match Pin::new(&mut body).poll_frame(&mut context) {
                Poll::Ready(Some(Ok(frame))) => read += frame.into_data().unwrap().len(),
                Poll::Ready(Some(Err(broken))) => return (read, Some(broken)),
                Poll::Ready(None) => return (read, None),
                Poll::Pending => panic!("without a runtime nothing is waited for"),
            }
        }
    }

    #[test]
    fn an_answer_that_has_been_made_is_not_cut_off_though_its_time_is_over() {
        let registry = Registry::new();
        registry.counter("a_total", "").unwrap();
        let whole = registry.export_prometheus().len();
        assert!(matches!(read_late(&registry), (read, None) if read == whole));
    }

    #[test]
    fn an_answer_of_which_more_is_to_be_made_is_cut_off_when_its_time_is_over() {
        let registry = Registry::new();
        let family = registry.gauge_family("a", "", ["b"]).unwrap().limit(10_000);
        for number in 0..10_000 {
            family.with([&number.to_string()]).set(number);
        }
        let (read, broken) = read_late(&registry);
        assert!(matches!(broken, Some(Broken::Late)));
        assert!((1..100_000).contains(&read), "{read}");
    }
}
