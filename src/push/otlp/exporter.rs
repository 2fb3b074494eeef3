//! A running exporter.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::error::Error;
use crate::push::otlp::MAX_DURATION;
use crate::push::otlp::commands::Command;

/// Exports a registry over OTLP, at an interval and on request.
///
/// [`Otlp::start`](crate::push::Otlp::start) returns it. A clone is a handle to the same exporter.
/// Exports run in a task of the runtime on which it was started.
///
/// When the last handle is dropped, the task ends **without another export**. Call
/// [`shutdown`](Self::shutdown) to export what was recorded since the last one.
///
/// ```no_run
/// use std::time::Duration;
///
/// use axum::Router;
/// use tachometer::push::Otlp;
///
/// # async fn run(app: Router) -> Result<(), Box<dyn std::error::Error>> {
/// let exporter = Otlp::from_env()?.start()?;
///
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
/// let stop = async { tokio::signal::ctrl_c().await.unwrap_or_default() };
/// axum::serve(listener, app).with_graceful_shutdown(stop).await?;
///
/// // After the last request.
/// exporter.shutdown(Duration::from_secs(5)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "the exporter stops when it is dropped"]
pub struct OtlpExporter {
    /// `None` if nothing is exported.
    task: Option<Arc<TaskHandle>>,
}

/// A handle to the task. It ends the task when it is dropped.
pub(super) struct TaskHandle {
    pub(super) commands: UnboundedSender<Command>,
    pub(super) task: AbortHandle,
    /// The result of the last export.
    pub(super) last_result: Arc<OnceLock<Result<(), Error>>>,
}

impl OtlpExporter {
    pub(super) fn disabled() -> Self {
        Self { task: None }
    }

    pub(super) fn running(task: TaskHandle) -> Self {
        Self {
            task: Some(Arc::new(task)),
        }
    }

    /// Exports everything that was recorded before the call, and returns once it was accepted.
    ///
    /// A running export finishes first. If it was started by the timer and waits for a retry, it is
    /// aborted. Concurrent calls share one export. Its time limit, including retries, is
    /// [`Otlp::export_timeout`](crate::push::Otlp::export_timeout).
    ///
    /// The export waits if the receiver has asked for a delay (`Retry-After`). If the delay ends
    /// after the time limit, the call returns an error at once.
    ///
    /// Dropping the future does not cancel the export. The call blocks no thread, and works on any
    /// runtime.
    ///
    /// ```no_run
    /// # async fn run(exporter: tachometer::push::OtlpExporter) -> Result<(), tachometer::Error> {
    /// // At the end of an invocation of a function, before its process is suspended.
    /// exporter.flush().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If not everything was accepted, or if the exporter was shut down
    /// ([`Error::is_failed_push`]).
    pub async fn flush(&self) -> Result<(), Error> {
        let Some(task) = &self.task else {
            return Ok(());
        };
        match task.request(None).await {
            Some(result) => result,
            None => Err(task.ended()),
        }
    }

    /// Exports a last time, and ends the exporter.
    ///
    /// It returns after the export, at the latest after `deadline`. A running export finishes first.
    /// If it waits for a retry, it is aborted. Otherwise it is aborted after half of that time. The
    /// last export is retried until the deadline. It waits for a delay that the receiver has asked
    /// for (`Retry-After`), unless the delay ends after the deadline.
    ///
    /// Concurrent calls share one export, which ends at the earliest of their deadlines. Later calls
    /// return its result. A [`flush`](Self::flush) during the last export returns an error.
    ///
    /// Dropping the future does not cancel the export. The call blocks no thread, and works on any
    /// runtime.
    ///
    /// # Errors
    ///
    /// If not everything was accepted ([`Error::is_failed_push`]).
    pub async fn shutdown(&self, deadline: Duration) -> Result<(), Error> {
        let Some(task) = &self.task else {
            return Ok(());
        };
        let now = Instant::now();
        let deadline = now.checked_add(deadline).unwrap_or(now + MAX_DURATION);
        match task.request(Some(deadline)).await {
            Some(result) => result,
            None => match task.last_result.get() {
                Some(result) => result.clone(),
                None => Err(task.ended()),
            },
        }
    }
}

impl TaskHandle {
    /// Waits for an export by the task. Returns `None` if the task has ended.
    async fn request(&self, deadline: Option<Instant>) -> Option<Result<(), Error>> {
        let (reply, result) = oneshot::channel();
        self.commands.send(Command { reply, deadline }).ok()?;
        result.await.ok()
    }

    /// Returns why there are no more exports.
    fn ended(&self) -> Error {
        Error::failed_push(match self.last_result.get() {
            Some(_) => "the OTLP exporter was shut down: call `flush` before `shutdown`",
            None => {
                "the runtime of the OTLP exporter has shut down: call `OtlpExporter::shutdown` \
                 before"
            }
        })
    }
}

impl Drop for TaskHandle {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl fmt::Debug for OtlpExporter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let task = self.task.as_ref();
        f.debug_struct("OtlpExporter")
            .field("is_enabled", &task.is_some())
            .field(
                "is_running",
                &task.is_some_and(|task| !task.task.is_finished()),
            )
            .finish()
    }
}
