//! One thread that ends scrapes at their deadlines.
//!
//! Tokio's timers do not fit. A runtime may be built without them: then creating one panics,
//! and nothing says so beforehand. A body may also be read outside of any runtime. And a
//! server does not poll the body of a client that has stopped reading, so the deadline
//! must not depend on the next poll.
//!
//! The thread starts with the first scrape. It sleeps until the next deadline, and without
//! one until the next scrape.

use std::collections::BTreeMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::Instant;

/// What has a deadline.
pub(super) trait OnDeadline: Send + Sync {
    /// Called once, at the deadline.
    fn on_deadline(&self);
}

/// A deadline that is waited for until this is dropped.
#[derive(Debug)]
pub(super) struct DeadlineGuard {
    key: Key,
}

/// The time, and a number that tells equal times apart.
type Key = (Instant, u64);

impl DeadlineGuard {
    /// Calls `on_deadline` at this time, if `target` still exists then.
    pub(super) fn set(at: Instant, target: Weak<dyn OnDeadline>) -> Self {
        let key = DEADLINES.add(at, target, || {
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
    waiting: Mutex<Waiting>,
    /// Notified when a deadline before all others was set.
    changed: Condvar,
}

struct Waiting {
    targets: BTreeMap<Key, Weak<dyn OnDeadline>>,
    /// The number of the last deadline.
    last: u64,
    thread: Thread,
}

#[derive(PartialEq)]
enum Thread {
    NotStarted,
    Failed,
    Runs,
}

impl Deadlines {
    const fn new() -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                targets: BTreeMap::new(),
                last: 0,
                thread: Thread::NotStarted,
            }),
            changed: Condvar::new(),
        }
    }

    /// Adds a deadline, and starts the thread unless it runs.
    fn add(
        &self,
        at: Instant,
        target: Weak<dyn OnDeadline>,
        start: impl FnOnce() -> io::Result<()>,
    ) -> Key {
        let mut waiting = self.waiting();
        let failure = waiting.start_thread(start);
        waiting.last += 1;
        let key = (at, waiting.last);
        waiting.targets.insert(key, target);
        let is_first = waiting.targets.keys().next() == Some(&key);
        // A subscriber may block, or drop the body of a scrape, which takes the lock.
        drop(waiting);
        if is_first {
            self.changed.notify_one();
        }
        if let Some(error) = failure {
            tracing::warn!(
                %error,
                "MetricsRouter cannot start the thread that ends scrapes at their deadlines; \
                 until it starts, late scrapes end only when the client reads on"
            );
        }
        key
    }

    fn remove(&self, key: Key) {
        let target = self.waiting().targets.remove(&key);
        // Dropped after the lock: it may be the last reference to its target's memory.
        drop(target);
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self) {
        let mut waiting = self.waiting();
        loop {
            let Some((at, _)) = waiting.targets.keys().next().copied() else {
                let woken = self.changed.wait(waiting);
                waiting = woken.unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = at.saturating_duration_since(Instant::now());
            if !left.is_zero() {
                let woken = self.changed.wait_timeout(waiting, left);
                waiting = woken.unwrap_or_else(PoisonError::into_inner).0;
                continue;
            }
            let due = waiting.targets.pop_first();
            drop(waiting);
            // A scrape holds values of a user's types, and these may panic when they are dropped.
            let _ = catch_unwind(AssertUnwindSafe(|| {
                if let Some(target) = due.and_then(|(_, target)| target.upgrade()) {
                    target.on_deadline();
                }
            }));
            waiting = self.waiting();
        }
    }
}

impl Waiting {
    /// Starts the thread, unless it runs; returns the first failure, which is to be logged.
    fn start_thread(&mut self, start: impl FnOnce() -> io::Result<()>) -> Option<io::Error> {
        if self.thread == Thread::Runs {
            return None;
        }
        match start() {
            Ok(()) => {
                self.thread = Thread::Runs;
                None
            }
            Err(error) => {
                let is_first = self.thread == Thread::NotStarted;
                self.thread = Thread::Failed;
                is_first.then_some(error)
            }
        }
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

    /// Nothing takes as long as this.
    const LONG: Duration = Duration::from_secs(60);

    struct Told(u8, Mutex<Sender<u8>>);

    impl OnDeadline for Told {
        fn on_deadline(&self) {
            self.1.lock().unwrap().send(self.0).unwrap();
            assert_ne!(self.0, 1, "it is meant to panic");
        }
    }

    #[test]
    fn deadlines_are_kept_in_order_whatever_becomes_of_others() {
        let (sender, told) = channel();
        let target =
            |number| -> Arc<dyn OnDeadline> { Arc::new(Told(number, Mutex::new(sender.clone()))) };
        let targets = [0, 1, 2, 3, 4].map(target);
        let now = Instant::now();
        let set = |number: usize, after| {
            DeadlineGuard::set(
                now + Duration::from_millis(after),
                Arc::downgrade(&targets[number]),
            )
        };
        // The last one first, so that the thread has to be woken for the others; one that is
        // taken back, and one whose target is gone.
        let _guards = [set(0, 90), set(1, 30), set(2, 60)];
        drop(set(3, 40));
        let gone = target(5);
        let _gone = DeadlineGuard::set(now, Arc::downgrade(&gone));
        drop(gone);
        let order = [(); 3].map(|()| told.recv_timeout(LONG).unwrap());
        // The one whose target is gone may have gone off before it went.
        let order: Vec<_> = order.into_iter().filter(|number| *number != 5).collect();
        assert!([1, 2, 0].starts_with(&order), "{order:?}");
    }

    #[test]
    fn the_warning_that_the_thread_cannot_start_is_logged_once_and_without_the_lock() {
        static DEADLINES: Deadlines = Deadlines::new();
        static WARNINGS: AtomicU8 = AtomicU8::new(0);

        struct TakesTheLock;

        impl Subscriber for TakesTheLock {
            fn enabled(&self, _: &Metadata<'_>) -> bool {
                true
            }

            fn event(&self, _: &Event<'_>) {
                assert!(DEADLINES.waiting.try_lock().is_ok());
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

        let target: Arc<dyn OnDeadline> = Arc::new(Told(6, Mutex::new(channel().0)));
        tracing::subscriber::with_default(TakesTheLock, || {
            for _ in 0..3 {
                let fails = || Err(io::ErrorKind::OutOfMemory.into());
                let key = DEADLINES.add(Instant::now(), Arc::downgrade(&target), fails);
                DEADLINES.remove(key);
            }
        });
        assert_eq!(WARNINGS.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn deadlines_that_have_passed_are_forgotten() {
        let (sender, told) = channel();
        let target: Arc<dyn OnDeadline> = Arc::new(Told(7, Mutex::new(sender)));
        let guard = DeadlineGuard::set(Instant::now(), Arc::downgrade(&target));
        let key = guard.key;
        assert_eq!(told.recv_timeout(LONG), Ok(7));
        assert!(!DEADLINES.waiting().targets.contains_key(&key));
        drop(guard);
        let taken_back = DeadlineGuard::set(Instant::now() + LONG, Arc::downgrade(&target));
        let key = taken_back.key;
        drop(taken_back);
        assert!(!DEADLINES.waiting().targets.contains_key(&key));
    }
}
