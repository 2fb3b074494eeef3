//! Requests to a Pushgateway.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::error::Error;
use crate::push::http_client::HttpClient;
use crate::push::pushgateway::exposition;
use crate::push::pushgateway::group::Group;
use crate::push::pushgateway::refusal::{no_response, refused};
use crate::registry::{Delivery, Registry};

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");

/// A client of a Pushgateway, for one group of metrics.
///
/// [`Pushgateway::build`](crate::push::Pushgateway::build) returns it. Each method sends one request
/// and does not repeat it. A push can be repeated after an error, since it replaces what an earlier
/// one has pushed.
#[derive(Clone)]
pub struct PushgatewayClient {
    /// With the path of the group.
    pub(super) url: Uri,
    pub(super) group: Arc<Group>,
    pub(super) registry: Registry,
    pub(super) client: HttpClient,
    pub(super) headers: HeaderMap,
    pub(super) timeout: Duration,
}

impl PushgatewayClient {
    /// Replaces all metrics of the group by those of the registry (`PUT`).
    ///
    /// If it succeeds, it counts as a scrape for [`expire_after`](crate::Family::expire_after).
    ///
    /// # Errors
    ///
    /// If a metric has a label of the group, if the push takes longer than the timeout, or if the
    /// Pushgateway refuses the metrics ([`Error::is_failed_push`]). After a timeout or a broken
    /// connection, the Pushgateway may have accepted them.
    pub async fn push(&self) -> Result<(), Error> {
        self.send_metrics(Method::PUT).await
    }

    /// Adds the metrics of the registry to the group (`POST`). Metrics with other names remain.
    ///
    /// Of a metric in both, all series are replaced. So values do not add up.
    ///
    /// # Errors
    ///
    /// As [`push`](Self::push).
    pub async fn push_add(&self) -> Result<(), Error> {
        self.send_metrics(Method::POST).await
    }

    /// Deletes the group with all of its metrics. It is no error if the group does not exist.
    ///
    /// The Pushgateway answers before it has deleted the group. It processes a later push after that.
    /// The Pushgateway keeps a group until it is deleted, also if the job never runs again.
    ///
    /// # Errors
    ///
    /// If there is no response within the timeout, or if the Pushgateway refuses the request
    /// ([`Error::is_failed_push`]).
    pub async fn delete(&self) -> Result<(), Error> {
        self.send(Method::DELETE, Bytes::new(), self.timeout).await
    }

    async fn send_metrics(&self, method: Method) -> Result<(), Error> {
        let begun = Instant::now();
        let (text, delivery) = self.read_metrics().await?;
        let remaining = self.timeout.saturating_sub(begun.elapsed());
        self.send(method, text, remaining).await?;
        delivery.complete();
        Ok(())
    }

    /// Reads the metrics on a thread of the runtime for blocking work, until the timeout.
    async fn read_metrics(&self) -> Result<(Bytes, Delivery), Error> {
        let runtime = runtime()?;
        let (registry, group) = (self.registry.clone(), Arc::clone(&self.group));
        let read = runtime.spawn_blocking(move || exposition::read(&registry, &group));
        // In a task, so that a runtime without timers makes only this push fail.
        let mut task = JoinSet::new();
        let time_limit = self.timeout;
        task.spawn(async move { timeout(time_limit, read).await });
        match task.join_next().await {
            Some(Ok(Ok(Ok(result)))) => result,
            Some(Ok(Err(_))) => Err(Error::failed_push(
                "reading the metrics took longer than the timeout: find the collector of metrics \
                 that is slow, or raise `Pushgateway::timeout`",
            )),
            Some(Ok(Ok(Err(error)))) if error.is_panic() => Err(Error::failed_push(
                "reading the metrics panicked: see the panic message",
            )),
            Some(Err(error)) if error.is_panic() => Err(Error::failed_push(
                "a push needs timers of the tokio runtime: call `enable_all` on its builder",
            )),
            _ => Err(Error::failed_push(
                "the metrics could not be read, since the runtime is shutting down: push before",
            )),
        }
    }

    async fn send(&self, method: Method, body: Bytes, time_limit: Duration) -> Result<(), Error> {
        runtime()?;
        let mut request = Request::new(body);
        *request.uri_mut() = self.url.clone();
        request.headers_mut().clone_from(&self.headers);
        if method != Method::DELETE {
            request.headers_mut().insert(CONTENT_TYPE, TEXT);
        }
        *request.method_mut() = method;
        let response = self.client.send(request, time_limit).await;
        let response = response.map_err(|error| no_response(&self.url, error))?;
        if response.status.is_success() {
            Ok(())
        } else {
            Err(refused(&self.url, &response))
        }
    }
}

fn runtime() -> Result<Handle, Error> {
    Handle::try_current()
        .map_err(|_| Error::failed_push("a push needs a tokio runtime: await it in a task of one"))
}

/// Prints the host, without the path, which has the values of the grouping labels.
impl fmt::Debug for PushgatewayClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushgatewayClient")
            .field("host", &self.url.host())
            .finish_non_exhaustive()
    }
}
