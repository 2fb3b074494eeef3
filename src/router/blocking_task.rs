//! Tasks on the runtime's blocking threads that free their memory when they are dropped.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

type Work<T> = Box<dyn FnOnce() -> T + Send>;

/// A task on a blocking thread. If it is dropped before the work has started, the work is
/// dropped, too.
///
/// `JoinHandle::abort` is not enough: tokio's queue keeps the closure of an aborted blocking
/// task until a thread is free.
pub(super) struct BlockingTask<T> {
    /// `None` once the work has started.
    queued: Arc<Mutex<Option<Work<T>>>>,
    task: JoinHandle<Option<T>>,
}

impl<T: Send + 'static> BlockingTask<T> {
    pub(super) fn spawn(runtime: &Handle, work: impl FnOnce() -> T + Send + 'static) -> Self {
        let work: Work<T> = Box::new(work);
        let queued = Arc::new(Mutex::new(Some(work)));
        let start = Arc::clone(&queued);
        Self {
            queued,
            task: runtime.spawn_blocking(move || take(&start).map(|work| work())),
        }
    }
}

/// Resolves to the result, or to `None` if the work panicked or the runtime has shut down.
impl<T> Future for BlockingTask<T> {
    type Output = Option<T>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<T>> {
        let result = Pin::new(&mut self.task).poll(context);
        result.map(|result| result.ok().flatten())
    }
}

impl<T> Drop for BlockingTask<T> {
    fn drop(&mut self) {
        let work = take(&self.queued);
        // Dropped without the lock.
        drop(work);
    }
}

fn take<T>(queued: &Mutex<Option<Work<T>>>) -> Option<Work<T>> {
    queued.lock().unwrap_or_else(PoisonError::into_inner).take()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn work_that_has_not_started_is_dropped_with_its_task_while_the_pool_is_busy() {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        let runtime = builder.max_blocking_threads(1).build().unwrap();
        let (release, blocker) = channel::<()>();
        let (start, started) = channel();
        let busy = BlockingTask::spawn(runtime.handle(), move || {
            start.send(()).unwrap();
            blocker.recv().is_err()
        });
        started.recv().unwrap();
        let held = Arc::new(());
        let freed = Arc::downgrade(&held);
        let queued = BlockingTask::spawn(runtime.handle(), move || drop(held));
        assert!(freed.upgrade().is_some());
        drop(queued);
        assert!(freed.upgrade().is_none());
        drop(release);
        assert_eq!(runtime.block_on(busy), Some(true));
        let panics = BlockingTask::spawn(runtime.handle(), || panic!("expected by the test"));
        assert_eq!(runtime.block_on(panics), None::<()>);
    }
}
