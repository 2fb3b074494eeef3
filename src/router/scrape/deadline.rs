//! One thread that aborts scrapes at their deadlines.
//!
//! Tokio's timers do not fit. A runtime may be built without them, and creating one panics then;
//! there is no way to check beforehand. A body may also be polled outside of any runtime. And a
//! server does not poll the body of a client that has stopped reading, so the deadline must not
//! depend on the next poll.
//!
//! The thread starts with the first scrape. It sleeps until the next deadline, or if there is
//! none, until the next scrape.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Instant;

use crate::context::WarnOnce;
use crate::router::scrape::error::{Abort, ScrapeError};

/// A deadline, which is cancelled when this is dropped.
#[derive(Debug)]
pub(super) struct DeadlineGuard {
    key: Key,
}

/// The time, and a number that distinguishes equal times.
type Key = (Instant, u64);

impl DeadlineGuard {
    /// Aborts `scrape` at this time, if it still exists then.
    pub(super) fn new(at: Instant, scrape: Weak<dyn Abort>) -> Self {
        let key = DEADLINES.add(at, scrape, || {
            let thread = thread::Builder::new().name("tachometer-deadlines".into());
            thread.spawn(|| DEADLINES.run()).map(drop)
        });
        Self { key }
    }
}

impl Drop for DeadlineGuard {
    fn drop(&mut self) {
        DEADLINES.remove(self.key);
    }
}

static DEADLINES: Deadlines = Deadlines::new();

struct Deadlines {
    queue: Mutex<Queue>,
    /// Notified when the earliest deadline has changed.
    changed: Condvar,
    /// Warns that the thread cannot start.
    start_failure: WarnOnce,
}

struct Queue {
    /// The latest deadline first.
    scrapes: Vec<(Key, Weak<dyn Abort>)>,
    /// The number of the latest deadline.
    last_number: u64,
    is_thread_running: bool,
}

impl Deadlines {
    const fn new() -> Self {
        Self {
            queue: Mutex::new(Queue {
                scrapes: Vec::new(),
                last_number: 0,
                is_thread_running: false,
            }),
            changed: Condvar::new(),
            start_failure: WarnOnce::new(),
        }
    }

    /// Adds a deadline, and starts the thread unless it is running.
    fn add(
        &self,
        at: Instant,
        scrape: Weak<dyn Abort>,
        start_thread: impl FnOnce() -> io::Result<()>,
    ) -> Key {
        let mut queue = self.queue();
        let started = queue.start_thread(start_thread);
        queue.last_number += 1;
        let key = (at, queue.last_number);
        let position = queue.position(key);
        queue.scrapes.insert(position, (key, scrape));
        let is_earliest = position + 1 == queue.scrapes.len();
        // A tracing subscriber may block, or drop the body of a scrape, which takes the lock.
        drop(queue);
        if is_earliest {
            self.changed.notify_one();
        }
        if let Err(error) = started {
            self.start_failure.warn(|| {
                tracing::warn!(
                    %error,
                    "MetricsRouter cannot start the thread that aborts scrapes at their \
                     timeouts; until it starts, a late scrape ends only when its client reads on"
                );
            });
        }
        key
    }

    fn remove(&self, key: Key) {
        let scrape = self.queue().remove(key);
        // Dropped without the lock: it may be the last reference to the scrape's memory.
        drop(scrape);
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut queue = self.queue();
        loop {
            let Some(((at, _), _)) = queue.scrapes.last() else {
                let result = self.changed.wait(queue);
                queue = result.unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let remaining = at.saturating_duration_since(Instant::now());
            if !remaining.is_zero() {
                let result = self.changed.wait_timeout(queue, remaining);
                queue = result.unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            let due = queue.scrapes.pop();
            drop(queue);
            // A scrape owns values of the user's types, which may panic when they are dropped.
            let _ = catch_unwind(AssertUnwindSafe(|| {
                if let Some(scrape) = due.and_then(|(_, scrape)| scrape.upgrade()) {
                    scrape.abort(ScrapeError::TimedOut);
                }
            }));
            queue = self.queue();
        }
    }
}

impl Queue {
    /// Returns the position of the first deadline that is not later than `key`.
    fn position(&self, key: Key) -> usize {
        self.scrapes.partition_point(|(other, _)| *other > key)
    }

    fn remove(&mut self, key: Key) -> Option<Weak<dyn Abort>> {
        let position = self.position(key);
        let is_there = self.scrapes.get(position)?.0 == key;
        is_there.then(|| self.scrapes.remove(position).1)
    }

    /// Starts the thread, unless it is running.
    fn start_thread(&mut self, start: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        if !self.is_thread_running {
            start()?;
            self.is_thread_running = true;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU8, Ordering};
    use std::sync::mpsc::{Sender, channel};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber};

    use super::*;

    /// Longer than any step of these tests.
    const LONG: Duration = Duration::from_secs(60);

    /// Sends its number when it is aborted.
    struct FakeScrape(u8, Mutex<Sender<u8>>);

    impl Abort for FakeScrape {
        fn abort(&self, error: ScrapeError) {
            assert!(matches!(error, ScrapeError::TimedOut));
            self.1.lock().unwrap().send(self.0).unwrap();
            assert_ne!(self.0, 1, "expected by the test");
        }
    }

    #[test]
    fn scrapes_are_aborted_in_order_even_if_one_panics() {
        let (sender, aborted) = channel();
        let scrape =
            |number| -> Arc<dyn Abort> { Arc::new(FakeScrape(number, Mutex::new(sender.clone()))) };
        let scrapes = [0, 1, 2, 3, 4].map(scrape);
        let now = Instant::now();
        let set = |number: usize, after| {
            let at = now + Duration::from_millis(after);
            DeadlineGuard::new(at, Arc::downgrade(&scrapes[number]))
        };
        // The latest is set first, so that the thread must be woken for the others. One deadline
        // is cancelled, and one is that of a scrape that was dropped.
        let _guards = [set(0, 90), set(1, 30), set(2, 60)];
        drop(set(3, 40));
        let dropped = scrape(5);
        let _dropped = DeadlineGuard::new(now, Arc::downgrade(&dropped));
        drop(dropped);
        let order = [(); 3].map(|()| aborted.recv_timeout(LONG).unwrap());
        // The dropped one may have been aborted before it was dropped.
        let order: Vec<_> = order.into_iter().filter(|number| *number != 5).collect();
        assert!([1, 2, 0].starts_with(&order), "{order:?}");
    }

    #[test]
    fn the_warning_that_the_thread_cannot_start_is_logged_once_and_without_the_lock() {
        static DEADLINES: Deadlines = Deadlines::new();
        static WARNINGS: AtomicU8 = AtomicU8::new(0);

        struct LockingSubscriber;

        impl Subscriber for LockingSubscriber {
            fn enabled(&self, _: &Metadata<'_>) -> bool {
                true
            }

            fn event(&self, _: &Event<'_>) {
                assert!(DEADLINES.queue.try_lock().is_ok());
                WARNINGS.fetch_add(1, Ordering::Relaxed);
            }

            fn new_span(&self, _: &Attributes<'_>) -> Id {
                Id::from_u64(1)
            }

            fn record(&self, _: &Id, _: &Record<'_>) {}
            fn record_follows_from(&self, _: &Id, _: &Id) {}
            fn enter(&self, _: &Id) {}
            fn exit(&self, _: &Id) {}
        }

        let scrape: Arc<dyn Abort> = Arc::new(FakeScrape(6, Mutex::new(channel().0)));
        tracing::subscriber::with_default(LockingSubscriber, || {
            for _ in 0..3 {
                let fails = || Err(io::ErrorKind::OutOfMemory.into());
                let key = DEADLINES.add(Instant::now(), Arc::downgrade(&scrape), fails);
                DEADLINES.remove(key);
            }
        });
        assert_eq!(WARNINGS.load(Ordering::Relaxed), 1);
    }

    fn has_deadline(key: Key) -> bool {
        let queue = DEADLINES.queue();
        queue.scrapes.iter().any(|(other, _)| *other == key)
    }

    #[test]
    fn past_and_cancelled_deadlines_are_removed() {
        let (sender, aborted) = channel();
        let scrape: Arc<dyn Abort> = Arc::new(FakeScrape(7, Mutex::new(sender)));
        let guard = DeadlineGuard::new(Instant::now(), Arc::downgrade(&scrape));
        let key = guard.key;
        assert_eq!(aborted.recv_timeout(LONG), Ok(7));
        assert!(!has_deadline(key));
        drop(guard);
        let cancelled = DeadlineGuard::new(Instant::now() + LONG, Arc::downgrade(&scrape));
        let key = cancelled.key;
        drop(cancelled);
        assert!(!has_deadline(key));
    }
}
