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

/// When it is, and a number that tells equal times apart.
type Key = (Instant, u64);

impl DeadlineGuard {
    /// Calls `on_deadline` at this time, if `target` still exists then.
    pub(super) fn set(at: Instant, target: Weak<dyn OnDeadline>) -> Self {
        let mut waiting = waiting();
        waiting.start();
        waiting.last += 1;
        let key = (at, waiting.last);
        waiting.deadlines.insert(key, target);
        if waiting.deadlines.first_key_value().map(|(first, _)| *first) == Some(key) {
            CHANGED.notify_one();
        }
        Self { key }
    }
}

impl Drop for DeadlineGuard {
    fn drop(&mut self) {
        let target = waiting().deadlines.remove(&self.key);
        // After the lock: it may be the last that knows of its target's memory.
        drop(target);
    }
}

static WAITING: Mutex<Waiting> = Mutex::new(Waiting {
    deadlines: BTreeMap::new(),
    last: 0,
    thread: Thread::NotStarted,
});
/// Notified when a deadline before all others was set.
static CHANGED: Condvar = Condvar::new();

struct Waiting {
    deadlines: BTreeMap<Key, Weak<dyn OnDeadline>>,
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

impl Waiting {
    /// Starts the thread, unless it runs.
    fn start(&mut self) {
        if self.thread == Thread::Runs {
            return;
        }
        let named = thread::Builder::new().name("tachometer-deadlines".into());
        match named.spawn(run) {
            Ok(_) => self.thread = Thread::Runs,
            Err(error) => {
                if self.thread == Thread::NotStarted {
                    tracing::warn!(
                        %error,
                        "MetricsRouter cannot start the thread that ends scrapes at their \
                         deadlines; until it can, a scrape ends when its next part is read"
                    );
                }
                self.thread = Thread::Failed;
            }
        }
    }
}

fn waiting() -> MutexGuard<'static, Waiting> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

fn run() {
    let mut now_waiting = waiting();
    loop {
        let first = now_waiting.deadlines.first_key_value();
        let Some(at) = first.map(|((at, _), _)| *at) else {
            let woken = CHANGED.wait(now_waiting);
            now_waiting = woken.unwrap_or_else(PoisonError::into_inner);
            continue;
        };
        let left = at.saturating_duration_since(Instant::now());
        if !left.is_zero() {
            let woken = CHANGED.wait_timeout(now_waiting, left);
            now_waiting = woken.unwrap_or_else(PoisonError::into_inner).0;
            continue;
        }
        let due = now_waiting.deadlines.pop_first();
        drop(now_waiting);
        // What a scrape holds is a user's, too, and may panic when it is dropped.
        let _ = catch_unwind(AssertUnwindSafe(|| {
            if let Some(target) = due.and_then(|(_, target)| target.upgrade()) {
                target.on_deadline();
            }
        }));
        now_waiting = waiting();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Sender, channel};
    use std::sync::{Arc, Mutex};
    use std::time::Duration;

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
    fn deadlines_that_have_passed_are_forgotten() {
        let (sender, told) = channel();
        let target: Arc<dyn OnDeadline> = Arc::new(Told(7, Mutex::new(sender)));
        let guard = DeadlineGuard::set(Instant::now(), Arc::downgrade(&target));
        let key = guard.key;
        assert_eq!(told.recv_timeout(LONG), Ok(7));
        assert!(!waiting().deadlines.contains_key(&key));
        drop(guard);
        let taken_back = DeadlineGuard::set(Instant::now() + LONG, Arc::downgrade(&target));
        let key = taken_back.key;
        drop(taken_back);
        assert!(!waiting().deadlines.contains_key(&key));
    }
}
