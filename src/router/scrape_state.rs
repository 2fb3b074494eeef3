//! What a scrape holds until its end or its deadline.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};
use std::time::Instant;

use bytes::Bytes;
use tokio::runtime::Handle;

use crate::router::blocking_task::BlockingTask;
use crate::router::encoded_chunks::EncodedChunks;
use crate::router::evict::Evict;
use crate::router::scrape_deadline::OnDeadline;
use crate::router::scrape_metrics::ScrapeMetrics;

/// An answer is handed on in frames of this length: hyper takes sixteen of them
/// before it checks whether its client reads.
const FRAME: usize = 4 * 1024;

/// A scrape under way, which its body and its deadline share.
///
/// Pages are made on the runtime's threads for blocking work, so that neither the
/// reading of many series nor a slow collector holds up requests.
pub(super) struct ScrapeState {
    state: Mutex<State>,
}

struct State {
    work: Work,
    /// How much of the page has been handed on.
    sent: usize,
    counted: Option<Counted>,
    /// Who waits for a page.
    reader: Option<Waker>,
}

enum Work {
    /// A page, of which there may be more to hand on.
    Made(Box<EncodedChunks>),
    /// A page that is made by another thread.
    Making(BlockingTask<Result<Box<EncodedChunks>, ScrapeError>>),
    /// A page that is made by the thread that reads the answer.
    MakingHere,
    /// Nothing any more, which the reader does not know yet.
    Broken(ScrapeError),
    Ended,
}

/// What is counted when the answer has been handed on to its end.
pub(super) struct Counted {
    pub(super) scrapes: ScrapeMetrics,
    pub(super) format: &'static str,
    pub(super) begun: Instant,
}

/// Why an answer breaks off.
#[derive(Debug)]
pub(super) enum ScrapeError {
    /// It took longer than its deadline.
    TimedOut,
    /// Another client got its place.
    Evicted,
    /// The runtime ended, or a page could not be made.
    Failed,
}

impl ScrapeState {
    pub(super) fn new(pages: EncodedChunks, counted: Option<Counted>) -> Self {
        Self {
            state: Mutex::new(State {
                work: Work::Made(Box::new(pages)),
                sent: 0,
                counted,
                reader: None,
            }),
        }
    }

    /// Hands on the next frame; an answer that is not whole ends with an error.
    pub(super) fn poll_frame(
        &self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, ScrapeError>>> {
        loop {
            let mut state = self.state();
            match &mut state.work {
                Work::Made(_) => {
                    if let Some(frame) = state.frame() {
                        return Poll::Ready(Some(Ok(frame)));
                    }
                    self.turn(state);
                }
                Work::Making(_) => ready!(state.poll_made(context)),
                Work::MakingHere | Work::Ended => return Poll::Ready(None),
                Work::Broken(_) => {
                    let Work::Broken(broken) = mem::replace(&mut state.work, Work::Ended) else {
                        return Poll::Ready(None);
                    };
                    // Cut off, and not ended: an answer that is not whole must not look
                    // as if it were.
                    return Poll::Ready(Some(Err(broken)));
                }
            }
        }
    }

    /// Begins with the next page, if there is one.
    fn turn(&self, mut state: MutexGuard<'_, State>) {
        let Work::Made(pages) = mem::replace(&mut state.work, Work::Ended) else {
            return;
        };
        if pages.is_at_end() {
            if let Some(counted) = state.counted.take() {
                counted.scrapes.count(counted.format, counted.begun);
            }
        } else if pages.is_past_deadline() {
            // The deadline's thread is late, too, or could not be started.
            drop(state.cut(ScrapeError::TimedOut));
        } else if let Ok(runtime) = Handle::try_current() {
            state.work = Work::Making(BlockingTask::spawn(&runtime, move || turned(pages)));
        } else {
            // Without a runtime there is nobody else to hold up.
            state.work = Work::MakingHere;
            drop(state);
            let made = turned(pages);
            let mut state = self.state();
            if matches!(state.work, Work::MakingHere) {
                state.made(made);
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ScrapeState {
    /// Frees what the scrape holds, and leaves an error for the reader.
    ///
    /// A page that is being made is freed, with the scrape's place, when it is made.
    fn end(&self, why: ScrapeError) {
        let mut state = self.state();
        if matches!(state.work, Work::Broken(_) | Work::Ended) {
            return;
        }
        let (work, reader) = state.cut(why);
        drop(state);
        drop(work);
        if let Some(reader) = reader {
            reader.wake();
        }
    }
}

impl OnDeadline for ScrapeState {
    fn on_deadline(&self) {
        self.end(ScrapeError::TimedOut);
    }
}

impl Evict for ScrapeState {
    fn evict(&self) {
        self.end(ScrapeError::Evicted);
    }
}

/// Makes the next page, unless the place has gone to another scrape.
fn turned(mut pages: Box<EncodedChunks>) -> Result<Box<EncodedChunks>, ScrapeError> {
    if pages.next_chunk() {
        Ok(pages)
    } else if pages.is_past_deadline() {
        Err(ScrapeError::TimedOut)
    } else {
        Err(ScrapeError::Evicted)
    }
}

impl State {
    /// Takes the next frame of the page that there is.
    fn frame(&mut self) -> Option<Bytes> {
        let Work::Made(pages) = &self.work else {
            return None;
        };
        let rest = pages.chunk().get(self.sent..).unwrap_or_default();
        let frame = rest.get(..FRAME).unwrap_or(rest);
        self.sent += frame.len();
        (!frame.is_empty()).then(|| Bytes::copy_from_slice(frame))
    }

    fn poll_made(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Work::Making(making) = &mut self.work else {
            return Poll::Ready(());
        };
        match Pin::new(making).poll(context) {
            Poll::Ready(made) => self.made(made.unwrap_or(Err(ScrapeError::Failed))),
            Poll::Pending => {
                self.reader = Some(context.waker().clone());
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }

    /// Has the next page, or the reason why there is none.
    fn made(&mut self, pages: Result<Box<EncodedChunks>, ScrapeError>) {
        match pages {
            Ok(pages) => self.work = Work::Made(pages),
            Err(why) => drop(self.cut(why)),
        }
        self.sent = 0;
        self.reader = None;
    }

    /// Breaks the answer off, and returns what it held, to be dropped without the lock.
    fn cut(&mut self, broken: ScrapeError) -> (Work, Option<Waker>) {
        if let Some(counted) = self.counted.take() {
            counted.scrapes.cut();
        }
        let work = mem::replace(&mut self.work, Work::Broken(broken));
        (work, self.reader.take())
    }
}

impl fmt::Display for ScrapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "the scrape took longer than its deadline, and was cut off",
            Self::Evicted => "the scrape was cut off for a client that has fewer scrapes under way",
            Self::Failed => "the scrape was cut off, since its next part could not be made",
        })
    }
}

impl std::error::Error for ScrapeError {}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::sync::{Arc, OnceLock};
    use std::time::Duration;

    use super::*;
    use crate::export::Format;
    use crate::registry::Registry;
    use crate::router::scrape_permits::{Permit, Permits};

    /// A registry of several pages.
    fn large() -> Registry {
        let registry = Registry::new();
        let family = registry.gauge_family("a", "", ["b"]).unwrap().limit(10_000);
        for number in 0..10_000 {
            family.with([&number.to_string()]).set(number);
        }
        registry
    }

    fn new_scrape(registry: &Registry, permit: Permit) -> ScrapeState {
        ScrapeState::new(
            EncodedChunks::new(registry.export(Format::Text).into_chunks(), None, permit),
            None,
        )
    }

    /// Polls on this thread, where there is no runtime and so nothing to wait for.
    fn poll(scrape: &ScrapeState) -> Option<Result<Bytes, ScrapeError>> {
        match scrape.poll_frame(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(frame) => frame,
            Poll::Pending => panic!("without a runtime nothing is waited for"),
        }
    }

    #[test]
    fn at_its_deadline_a_scrape_gives_back_its_place_and_its_page_without_a_poll() {
        let permits = Permits::new(1);
        let far = Duration::MAX;
        let scrape = new_scrape(&large(), permits.try_acquire(far, None).unwrap());
        assert!(poll(&scrape).unwrap().is_ok());
        assert!(permits.try_acquire(far, None).is_none());
        scrape.on_deadline();
        assert!(permits.try_acquire(far, None).is_some());
        assert!(matches!(
            scrape.state().work,
            Work::Broken(ScrapeError::TimedOut)
        ));
        // Who reads on learns of it once, though half a page was still to come.
        assert!(matches!(poll(&scrape), Some(Err(ScrapeError::TimedOut))));
        assert!(poll(&scrape).is_none());
    }

    #[test]
    fn an_evicted_scrape_says_so() {
        let permits = Permits::new(1);
        let permit = || permits.try_acquire(Duration::MAX, None);
        let scrape = new_scrape(&large(), permit().unwrap());
        assert!(poll(&scrape).unwrap().is_ok());
        scrape.evict();
        assert!(permit().is_some());
        let error = poll(&scrape).unwrap().unwrap_err();
        assert!(matches!(error, ScrapeError::Evicted));
        assert!(!error.to_string().contains("deadline"), "{error}");
        assert!(poll(&scrape).is_none());
    }

    /// The only thread for blocking work is busy, so the next page never begins.
    #[test]
    fn at_its_deadline_a_scrape_frees_a_page_that_waits_for_a_thread() {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.max_blocking_threads(1).build().unwrap();
        let (open, gate) = channel::<()>();
        let (start, started) = channel();
        runtime.spawn_blocking(move || {
            start.send(()).unwrap();
            gate.recv()
        });
        started.recv().unwrap();
        let permits = Permits::new(1);
        let permit = permits.try_acquire(Duration::MAX, None).unwrap();
        let scrape = new_scrape(&Registry::new(), permit);
        let _inside = runtime.enter();
        let mut context = Context::from_waker(Waker::noop());
        assert!(scrape.poll_frame(&mut context).is_pending());
        assert!(permits.try_acquire(Duration::MAX, None).is_none());
        scrape.on_deadline();
        // The permit is dropped with the pages.
        assert!(permits.try_acquire(Duration::MAX, None).is_some());
        assert!(matches!(poll(&scrape), Some(Err(ScrapeError::TimedOut))));
        drop(open);
    }

    #[test]
    fn an_answer_that_has_ended_is_not_cut() {
        let registry = Registry::new();
        let scrape = new_scrape(
            &registry,
            Permits::new(1).try_acquire(Duration::MAX, None).unwrap(),
        );
        while let Some(frame) = poll(&scrape) {
            frame.unwrap();
        }
        scrape.on_deadline();
        assert!(poll(&scrape).is_none());
    }

    #[test]
    fn without_the_deadline_s_thread_an_answer_is_cut_when_its_next_page_is_due() {
        let scrape = new_scrape(
            &large(),
            Permits::new(1).try_acquire(Duration::ZERO, None).unwrap(),
        );
        assert!(matches!(poll(&scrape), Some(Err(ScrapeError::TimedOut))));
    }

    #[test]
    fn a_page_that_is_made_when_the_deadline_passes_is_freed_once_it_is_made() {
        let (registry, permits) = (Registry::new(), Permits::new(1));
        let under_way = Arc::new(OnceLock::<Arc<ScrapeState>>::new());
        let expired = Arc::clone(&under_way);
        let expire = move || {
            expired.get().unwrap().on_deadline();
            1
        };
        registry.gauge_fn("late", "", expire).unwrap();
        let scrape = Arc::new(new_scrape(
            &registry,
            permits.try_acquire(Duration::MAX, None).unwrap(),
        ));
        under_way.set(Arc::clone(&scrape)).ok().unwrap();
        assert!(matches!(poll(&scrape), Some(Err(ScrapeError::TimedOut))));
        assert!(permits.try_acquire(Duration::MAX, None).is_some());
    }
}
