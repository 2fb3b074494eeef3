//! The state of a scrape, which its body shares with its deadline and with other scrapes.

use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use bytes::Bytes;
use tokio::runtime::Handle;

use crate::router::blocking_task::BlockingTask;
use crate::router::scrape::encoded_chunks::EncodedChunks;
use crate::router::scrape::error::{Abort, ScrapeError};
use crate::router::scrape::scrape_metrics::ScrapeTimer;

/// The maximum length of a frame, in bytes. Hyper takes up to sixteen frames before it checks
/// whether the client reads, so short frames limit its buffer.
const FRAME_LENGTH: usize = 4 * 1024;

/// A scrape in progress.
///
/// Chunks are encoded on the runtime's blocking threads, so that neither many series nor a slow
/// collector delays requests.
pub(super) struct ScrapeState {
    inner: Mutex<Inner>,
}

struct Inner {
    progress: Progress,
    /// How many bytes of the current chunk were sent.
    sent: usize,
    /// `None` once the end of the scrape has been recorded.
    timer: Option<ScrapeTimer>,
    /// The waker of the task that waits for a chunk.
    waker: Option<Waker>,
}

enum Progress {
    /// The current chunk is being sent.
    Sending(Box<EncodedChunks>),
    /// A blocking thread encodes the next chunk.
    Encoding(BlockingTask<Result<Box<EncodedChunks>, ScrapeError>>),
    /// The thread that polls the body encodes the next chunk.
    EncodingInline,
    /// The scrape was aborted, and the body has not returned the error yet.
    Aborted(ScrapeError),
    Ended,
}

impl ScrapeState {
    pub(super) fn new(chunks: EncodedChunks, timer: Option<ScrapeTimer>) -> Self {
        Self {
            inner: Mutex::new(Inner {
                progress: Progress::Sending(Box::new(chunks)),
                sent: 0,
                timer,
                waker: None,
            }),
        }
    }

    /// Returns the data of the next frame.
    ///
    /// # Errors
    ///
    /// If the scrape was aborted. It must not end without an error then: a partial response must
    /// not look complete.
    pub(super) fn poll_data(
        &self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, ScrapeError>>> {
        loop {
            let mut inner = self.lock();
            match &mut inner.progress {
                Progress::Sending(_) => {
                    if let Some(data) = inner.next_data() {
                        return Poll::Ready(Some(Ok(data)));
                    }
                    self.encode_next(inner);
                }
                Progress::Encoding(_) => ready!(inner.poll_encoded(context)),
                Progress::EncodingInline | Progress::Ended => return Poll::Ready(None),
                Progress::Aborted(_) => {
                    let aborted = mem::replace(&mut inner.progress, Progress::Ended);
                    let Progress::Aborted(error) = aborted else {
                        return Poll::Ready(None);
                    };
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
    }

    /// Starts to encode the next chunk, if there is one.
    fn encode_next(&self, mut inner: MutexGuard<'_, Inner>) {
        let Progress::Sending(mut chunks) = mem::replace(&mut inner.progress, Progress::Ended)
        else {
            return;
        };
        if chunks.is_at_end() {
            chunks.complete_delivery();
            if let Some(timer) = inner.timer.take() {
                timer.complete();
            }
        } else if chunks.is_past_deadline() {
            // The deadline's thread is late, or could not be started.
            drop(inner.abort(ScrapeError::TimedOut));
        } else if let Ok(runtime) = Handle::try_current() {
            let task = BlockingTask::spawn(&runtime, move || encode_chunk(chunks));
            inner.progress = Progress::Encoding(task);
        } else {
            // Without a runtime, this thread blocks no other tasks.
            inner.progress = Progress::EncodingInline;
            drop(inner);
            let chunks = encode_chunk(chunks);
            let mut inner = self.lock();
            if matches!(inner.progress, Progress::EncodingInline) {
                inner.set_encoded(chunks);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Abort for ScrapeState {
    /// A chunk that is being encoded is freed, with the scrape's permit, when it is encoded.
    fn abort(&self, error: ScrapeError) {
        let mut inner = self.lock();
        if matches!(inner.progress, Progress::Aborted(_) | Progress::Ended) {
            return;
        }
        let (progress, waker) = inner.abort(error);
        drop(inner);
        drop(progress);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Encodes the next chunk, unless the scrape has lost its permit.
fn encode_chunk(mut chunks: Box<EncodedChunks>) -> Result<Box<EncodedChunks>, ScrapeError> {
    if chunks.next_chunk() {
        Ok(chunks)
    } else if chunks.is_past_deadline() {
        Err(ScrapeError::TimedOut)
    } else {
        Err(ScrapeError::Evicted)
    }
}

impl Inner {
    /// Returns the next part of the current chunk, or `None` at its end.
    fn next_data(&mut self) -> Option<Bytes> {
        let Progress::Sending(chunks) = &self.progress else {
            return None;
        };
        let unsent = chunks.chunk().get(self.sent..).unwrap_or_default();
        let data = unsent.get(..FRAME_LENGTH).unwrap_or(unsent);
        self.sent += data.len();
        (!data.is_empty()).then(|| Bytes::copy_from_slice(data))
    }

    fn poll_encoded(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Progress::Encoding(task) = &mut self.progress else {
            return Poll::Ready(());
        };
        match Pin::new(task).poll(context) {
            Poll::Ready(result) => self.set_encoded(result.unwrap_or(Err(ScrapeError::Failed))),
            Poll::Pending => {
                self.waker = Some(context.waker().clone());
                return Poll::Pending;
            }
        }
        Poll::Ready(())
    }

    /// Continues with the chunk that was encoded, or aborts the scrape.
    fn set_encoded(&mut self, chunks: Result<Box<EncodedChunks>, ScrapeError>) {
        match chunks {
            Ok(chunks) => self.progress = Progress::Sending(chunks),
            Err(error) => drop(self.abort(error)),
        }
        self.sent = 0;
        self.waker = None;
    }

    /// Aborts the scrape. Returns what it held, which is to be dropped without the lock.
    fn abort(&mut self, error: ScrapeError) -> (Progress, Option<Waker>) {
        if let Some(timer) = self.timer.take() {
            timer.abort();
        }
        let progress = mem::replace(&mut self.progress, Progress::Aborted(error));
        (progress, self.waker.take())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::sync::{Arc, OnceLock};
    use std::time::Duration;

    use super::*;
    use crate::export::Format;
    use crate::registry::Registry;
    use crate::router::scrape::permits::{ScrapePermit, ScrapePermits};

    /// Returns a registry whose exposition has several chunks.
    fn large_registry() -> Registry {
        let registry = Registry::new();
        let family = registry.gauge_family("a", "", ["b"]).unwrap().limit(10_000);
        for number in 0..10_000 {
            family.with([&number.to_string()]).set(number);
        }
        registry
    }

    fn new_scrape(registry: &Registry, permit: ScrapePermit) -> ScrapeState {
        let chunks = registry.export(Format::Text).into_chunks();
        ScrapeState::new(EncodedChunks::new(chunks, None, permit, None), None)
    }

    fn new_permit(permits: &Arc<ScrapePermits>) -> Option<ScrapePermit> {
        permits.try_acquire(Duration::MAX, None)
    }

    /// Polls on this thread. Without a runtime, every poll is ready.
    fn poll(scrape: &ScrapeState) -> Option<Result<Bytes, ScrapeError>> {
        match scrape.poll_data(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(data) => data,
            Poll::Pending => panic!("pending without a runtime"),
        }
    }

    #[test]
    fn at_its_deadline_a_scrape_frees_its_permit_and_its_chunk_without_a_poll() {
        let permits = ScrapePermits::new(1);
        let scrape = new_scrape(&large_registry(), new_permit(&permits).unwrap());
        assert!(poll(&scrape).unwrap().is_ok());
        assert!(new_permit(&permits).is_none());
        scrape.abort(ScrapeError::TimedOut);
        assert!(new_permit(&permits).is_some());
        let progress = &scrape.lock().progress;
        assert!(matches!(progress, Progress::Aborted(ScrapeError::TimedOut)));
    }

    #[test]
    fn an_aborted_scrape_returns_its_error_once() {
        let permits = ScrapePermits::new(1);
        let scrape = new_scrape(&large_registry(), new_permit(&permits).unwrap());
        assert!(poll(&scrape).unwrap().is_ok());
        scrape.abort(ScrapeError::TimedOut);
        // Half of the chunk was not sent yet.
        assert!(matches!(poll(&scrape), Some(Err(ScrapeError::TimedOut))));
        assert!(poll(&scrape).is_none());
    }

    #[test]
    fn the_error_of_an_evicted_scrape_mentions_no_timeout() {
        let permits = ScrapePermits::new(1);
        let scrape = new_scrape(&large_registry(), new_permit(&permits).unwrap());
        assert!(poll(&scrape).unwrap().is_ok());
        scrape.abort(ScrapeError::Evicted);
        assert!(new_permit(&permits).is_some());
        let error = poll(&scrape).unwrap().unwrap_err();
        assert!(matches!(error, ScrapeError::Evicted));
        assert!(!error.to_string().contains("timeout"), "{error}");
        assert!(poll(&scrape).is_none());
    }

    /// The only blocking thread is busy, so encoding never starts.
    #[test]
    fn at_its_deadline_a_scrape_frees_a_chunk_that_waits_for_a_thread() {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.max_blocking_threads(1).build().unwrap();
        let (release, blocker) = channel::<()>();
        let (start, started) = channel();
        runtime.spawn_blocking(move || {
            start.send(()).unwrap();
            blocker.recv()
        });
        started.recv().unwrap();
        let permits = ScrapePermits::new(1);
        let scrape = new_scrape(&Registry::new(), new_permit(&permits).unwrap());
        let _context = runtime.enter();
        let mut context = Context::from_waker(Waker::noop());
        assert!(scrape.poll_data(&mut context).is_pending());
        assert!(new_permit(&permits).is_none());
        scrape.abort(ScrapeError::TimedOut);
        // The permit is dropped with the chunk.
        assert!(new_permit(&permits).is_some());
        assert!(matches!(poll(&scrape), Some(Err(ScrapeError::TimedOut))));
        drop(release);
    }

    #[test]
    fn a_complete_scrape_is_not_aborted() {
        let permits = ScrapePermits::new(1);
        let scrape = new_scrape(&Registry::new(), new_permit(&permits).unwrap());
        while let Some(data) = poll(&scrape) {
            data.unwrap();
        }
        scrape.abort(ScrapeError::TimedOut);
        assert!(poll(&scrape).is_none());
    }

    #[test]
    fn without_the_deadline_s_thread_a_scrape_is_aborted_before_its_next_chunk() {
        let expired = ScrapePermits::new(1).try_acquire(Duration::ZERO, None);
        let scrape = new_scrape(&large_registry(), expired.unwrap());
        assert!(matches!(poll(&scrape), Some(Err(ScrapeError::TimedOut))));
    }

    #[test]
    fn a_chunk_that_is_being_encoded_at_the_deadline_is_freed_when_it_is_encoded() {
        let (registry, permits) = (Registry::new(), ScrapePermits::new(1));
        let in_progress = Arc::new(OnceLock::<Arc<ScrapeState>>::new());
        let expired = Arc::clone(&in_progress);
        let expire = move || {
            expired.get().unwrap().abort(ScrapeError::TimedOut);
            1
        };
        registry.gauge_fn("late", "", expire).unwrap();
        let scrape = Arc::new(new_scrape(&registry, new_permit(&permits).unwrap()));
        in_progress.set(Arc::clone(&scrape)).ok().unwrap();
        assert!(matches!(poll(&scrape), Some(Err(ScrapeError::TimedOut))));
        assert!(new_permit(&permits).is_some());
    }
}
