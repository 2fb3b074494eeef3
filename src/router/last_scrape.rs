//! Waiting for the last scrape before a shutdown.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use crate::router::metrics_router::MetricsRouter;

/// Waits until Prometheus has scraped the final values of a process.
///
/// [`MetricsRouter::last_scrape`] returns it. What is recorded after the last scrape of a process
/// is lost. So a service that shuts down should wait for one more scrape, as follows.
///
/// # What counts
///
/// [`wait`](Self::wait) returns once a scrape that began after the call is complete: all of its
/// response was passed to the connection. It is a GET request for all metrics, in a text format,
/// `OpenMetrics` or protobuf. Responses that are aborted, JSON, the dashboard, HEAD requests and
/// scrapes with `name[]` do not count. Scrapes of other routers do not count either.
///
/// # In an application with a separate listener
///
/// First stop the application and let its requests finish. Then wait for the scrape, which
/// contains all of them. [`MetricsServer::shutdown_after_scrape`] waits and stops the listener.
///
#[cfg_attr(feature = "serve", doc = "```no_run")]
#[cfg_attr(not(feature = "serve"), doc = "```ignore")]
/// use std::time::Duration;
///
/// use axum::Router;
/// use tachometer::MetricsRouter;
///
/// # async fn run(app: Router, terminated: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
/// let metrics = MetricsRouter::new().serve_on("0.0.0.0:9464").await?;
/// let listener = tokio::net::TcpListener::bind("0.0.0.0:3000").await?;
/// // After the signal, no connection is accepted, and running requests finish.
/// axum::serve(listener, app).with_graceful_shutdown(terminated).await?;
/// // More than two scrape intervals.
/// if let Err(error) = metrics.shutdown_after_scrape(Duration::from_secs(35)).await {
///     eprintln!("{error}");
/// }
/// # Ok(())
/// # }
/// ```
///
/// # In an application that serves the metrics itself
///
/// The scrape uses the application's own listener, so that must accept connections until the
/// scrape is complete. The router and this handle do not refuse other requests meanwhile.
/// Requests that end after the scrape has read their metrics are lost. If the readiness
/// check fails after the signal, a load balancer sends no new requests, and few are lost. If none
/// may be lost, use a separate listener.
///
/// ```no_run
/// use std::time::Duration;
///
/// use axum::http::StatusCode;
/// use axum::{Router, routing::get};
/// use tachometer::MetricsRouter;
///
/// # async fn run(terminated: impl Future<Output = ()> + Send + 'static) -> std::io::Result<()> {
/// let metrics = MetricsRouter::new();
/// let last_scrape = metrics.last_scrape();
/// let readiness = last_scrape.clone();
/// let app = Router::new()
///     .route("/readyz", get(async move || match readiness.is_shutting_down() {
///         false => StatusCode::OK,
///         true => StatusCode::SERVICE_UNAVAILABLE,
///     }))
///     .nest("/metrics", metrics.build());
///
/// let listener = tokio::net::TcpListener::bind("0.0.0.0:3000").await?;
/// axum::serve(listener, app)
///     .with_graceful_shutdown(async move {
///         terminated.await;
///         if let Err(error) = last_scrape.wait(Duration::from_secs(35)).await {
///             eprintln!("{error}");
///         }
///     })
///     .await
/// # }
/// ```
///
/// # Deadline
///
/// The next scrape begins within one scrape interval, and then takes up to the scrape timeout. Use
/// a deadline of two intervals plus the timeout, so that one scrape can fail. An orchestrator must not end the
/// process earlier: in Kubernetes, `terminationGracePeriodSeconds` includes the time in which the
/// application's requests finish, and this deadline.
///
/// [`MetricsServer::shutdown_after_scrape`]: https://docs.rs/tachometer/latest/tachometer/router/struct.MetricsServer.html#method.shutdown_after_scrape
#[doc(alias("graceful_shutdown", "drain"))]
#[derive(Clone)]
pub struct LastScrape {
    scrapers: usize,
    waits: Arc<ScrapeWaits>,
}

/// # Shutdown
impl MetricsRouter {
    /// Returns a handle that waits for the last scrape of this router before a shutdown.
    ///
    /// All handles of a builder are the same. Clones of the builder share it if they are made
    /// after this call. Then a scrape of any of their routers counts.
    #[doc(alias("graceful_shutdown", "drain"))]
    pub fn last_scrape(&self) -> LastScrape {
        LastScrape {
            scrapers: self.scrapes.scrapers,
            waits: Arc::clone(self.scrapes.waits()),
        }
    }

    /// Sets how many Prometheus servers scrape this router; by default 1. A shutdown waits for as
    /// many scrapes.
    ///
    /// The scrapers are not identified. Servers with the same interval scrape once each within
    /// one interval, unless a scrape fails. Call it before [`last_scrape`](Self::last_scrape).
    #[doc(alias = "replicas")]
    pub fn scrapers(mut self, scrapers: usize) -> Self {
        self.scrapes.scrapers = scrapers;
        self
    }
}

impl LastScrape {
    /// Waits until a scrape that begins after this call is complete, or until the deadline.
    ///
    /// If [`MetricsRouter::scrapers`] is set, it waits for as many scrapes. From this call on,
    /// [`is_shutting_down`](Self::is_shutting_down) returns true. The router serves all requests
    /// as before, also if the returned future is dropped.
    ///
    /// Keep the server running until it has sent the response: it may still be in the buffer of
    /// the connection. A graceful shutdown after this call sends it.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use tachometer::MetricsRouter;
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let last_scrape = MetricsRouter::new().last_scrape();
    /// // Nothing scrapes this router.
    /// let timeout = last_scrape.wait(Duration::ZERO).await.unwrap_err();
    /// assert_eq!((timeout.completed(), timeout.expected()), (0, 1));
    /// assert!(last_scrape.is_shutting_down());
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the deadline passes first.
    ///
    /// # Panics
    ///
    /// If it is polled outside of a tokio runtime with timers.
    pub async fn wait(&self, deadline: Duration) -> Result<(), LastScrapeTimeout> {
        let wait = Wait::start(&self.waits);
        let mut changes = self.waits.state.subscribe();
        let complete = changes.wait_for(|state| state.completed(wait.number) >= self.scrapers);
        let in_time = timeout(deadline, complete).await.is_ok();
        if in_time {
            return Ok(());
        }
        Err(LastScrapeTimeout {
            deadline,
            completed: self.waits.state.borrow().completed(wait.number),
            expected: self.scrapers,
        })
    }

    /// Returns true once [`wait`](Self::wait) was called. The readiness check of the service
    /// should fail then.
    ///
    /// On the separate listener, `/readyz` does that.
    #[must_use]
    pub fn is_shutting_down(&self) -> bool {
        self.waits.state.borrow().calls > 0
    }
}

impl fmt::Debug for LastScrape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LastScrape")
            .field("scrapers", &self.scrapers)
            .field("is_shutting_down", &self.is_shutting_down())
            .finish_non_exhaustive()
    }
}

/// The deadline passed before the last scrapes were complete.
///
/// [`LastScrape::wait`] and `MetricsServer::shutdown_after_scrape` return it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LastScrapeTimeout {
    deadline: Duration,
    completed: usize,
    expected: usize,
}

impl LastScrapeTimeout {
    /// Returns how many scrapes were complete.
    #[must_use]
    pub fn completed(&self) -> usize {
        self.completed
    }

    /// Returns how many scrapes were expected.
    #[must_use]
    pub fn expected(&self) -> usize {
        self.expected
    }
}

impl fmt::Display for LastScrapeTimeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} of {} scrapes were complete within {:?}, so the last values may be lost; is the \
             deadline longer than the scrape interval, and does Prometheus still discover this \
             process while it shuts down?",
            self.completed, self.expected, self.deadline
        )
    }
}

impl std::error::Error for LastScrapeTimeout {}

/// The calls that wait for scrapes of one router.
pub(super) struct ScrapeWaits {
    state: watch::Sender<State>,
}

#[derive(Default)]
struct State {
    /// How many calls have begun so far. It numbers the calls.
    calls: u64,
    /// How many scrapes that began after the call are complete, for each call that waits.
    waiting: BTreeMap<u64, usize>,
}

impl State {
    fn completed(&self, number: u64) -> usize {
        self.waiting.get(&number).copied().unwrap_or_default()
    }
}

impl ScrapeWaits {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            state: watch::Sender::default(),
        })
    }

    /// Begins a scrape. Returns `None` if no call could count it.
    pub(super) fn start_scrape(self: &Arc<Self>) -> Option<CountedScrape> {
        let calls = self.state.borrow().calls;
        (calls > 0).then(|| CountedScrape {
            waits: Arc::clone(self),
            calls,
        })
    }
}

/// A scrape that counts for the calls before it, once it is complete.
pub(super) struct CountedScrape {
    waits: Arc<ScrapeWaits>,
    /// How many calls had begun before the scrape.
    calls: u64,
}

impl CountedScrape {
    pub(super) fn complete(self) {
        self.waits.state.send_if_modified(|state| {
            let mut is_awaited = false;
            for completed in state.waiting.range_mut(..=self.calls) {
                *completed.1 += 1;
                is_awaited = true;
            }
            is_awaited
        });
    }
}

/// A call that waits, until it is dropped.
struct Wait<'a> {
    waits: &'a ScrapeWaits,
    number: u64,
}

impl<'a> Wait<'a> {
    fn start(waits: &'a ScrapeWaits) -> Self {
        let mut number = 0;
        waits.state.send_modify(|state| {
            state.calls += 1;
            number = state.calls;
            state.waiting.insert(number, 0);
        });
        Self { waits, number }
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        self.waits.state.send_if_modified(|state| {
            state.waiting.remove(&self.number);
            false
        });
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_call_that_has_ended_leaves_nothing_behind() {
        let last_scrape = MetricsRouter::new().last_scrape();
        let waiting = || last_scrape.waits.state.borrow().waiting.len();
        {
            let mut wait = pin!(last_scrape.wait(Duration::MAX));
            let mut context = Context::from_waker(Waker::noop());
            assert!(wait.as_mut().poll(&mut context).is_pending());
            assert_eq!(waiting(), 1);
        }
        assert_eq!(waiting(), 0);
        assert!(last_scrape.wait(Duration::from_secs(1)).await.is_err());
        assert_eq!(waiting(), 0);
    }
}
