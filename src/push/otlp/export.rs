//! One export after the other.

use std::pin::pin;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use tokio::select;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep_until};

use crate::error::Error;
use crate::push::http_client::{HttpClient, HttpResponse};
use crate::push::http_error::HttpErrorKind;
use crate::push::otlp::export_limits::{ExportLimits, Stop, TimeLimits};
use crate::push::otlp::export_metrics::{ExportMetrics, ExportResult};
use crate::push::otlp::failure::{Failure, FailureLog};
use crate::push::otlp::partial_success::rejected_points;
use crate::push::otlp::random::random;
use crate::push::otlp::requests::{RequestBody, RequestSettings, Requests};
use crate::push::otlp::retry::{delay, is_retryable, retry_after};

/// What all exports have in common.
#[derive(Debug)]
pub(super) struct Exports {
    pub(super) client: HttpClient,
    pub(super) endpoint: Uri,
    pub(super) headers: HeaderMap,
    pub(super) limits: TimeLimits,
    pub(super) settings: RequestSettings,
    pub(super) metrics: ExportMetrics,
    pub(super) failures: FailureLog,
    /// When the registry was read for the last export that succeeded.
    pub(super) last_read: Option<SystemTime>,
    /// When the receiver accepts requests again, as it said by `Retry-After`.
    pub(super) not_before: Option<Instant>,
    /// Reads the registry. It is kept if the export ends before.
    pub(super) reading: Option<JoinHandle<Reading>>,
}

/// A registry that is being read, and the request that was encoded last.
type Reading = (Box<Requests>, Option<RequestBody>);

/// An export that did not succeed.
#[derive(Debug, Clone, Copy)]
enum End {
    Failed(Failure),
    /// A command ended it after this failure, if there was one.
    Interrupted(Option<Failure>),
}

impl From<Stop> for End {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Timeout => Self::Failed(Failure::Timeout),
            Stop::Command => Self::Interrupted(None),
        }
    }
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl Exports {
    /// Exports the registry. Returns `None` if a command ended the export.
    pub(super) async fn export(
        &mut self,
        mut limits: ExportLimits<'_>,
    ) -> Option<Result<(), Error>> {
        let mut rejected_points = 0;
        let end = match self.wait_for_receiver(&mut limits).await? {
            Ok(()) => self.send_all(&mut limits, &mut rejected_points).await,
            Err(failure) => Err(failure.into()),
        };
        let (result, failure) = match end {
            Ok(()) if rejected_points > 0 => (
                ExportResult::Partial,
                Some(Failure::Partial(rejected_points)),
            ),
            Ok(()) => (ExportResult::Success, None),
            Err(End::Failed(failure @ Failure::Rejected(_))) => {
                (ExportResult::Rejected, Some(failure))
            }
            Err(End::Failed(failure)) => (ExportResult::Failed, Some(failure)),
            Err(End::Interrupted(failure)) => (ExportResult::Failed, failure),
        };
        self.metrics.record(result, rejected_points);
        match failure {
            Some(failure) => self.failures.warn(failure),
            None if result == ExportResult::Success => self.failures.record_success(),
            None => {}
        }
        match end {
            Err(End::Interrupted(_)) => None,
            _ => Some(failure.map_or(Ok(()), |failure| Err(self.failures.error(failure)))),
        }
    }

    /// Sends all requests of an export. After one is rejected, it goes on with the next.
    async fn send_all(
        &mut self,
        limits: &mut ExportLimits<'_>,
        rejected: &mut u64,
    ) -> Result<(), End> {
        self.finish_reading(limits).await?;
        let (settings, last_read) = (self.settings.clone(), self.last_read);
        let mut rejection = None;
        let start = move || Box::new(Requests::new(settings, last_read));
        let mut reading = self.read(limits, start).await?;
        while let Some(body) = reading.1.take() {
            match self.send(&body, limits).await {
                Ok(points) => {
                    *rejected += points;
                    reading.0.accept_request();
                }
                Err(End::Failed(failure @ Failure::Rejected(_))) => {
                    rejection.get_or_insert(failure);
                }
                Err(end) => return Err(end),
            }
            let (requests, _) = reading;
            reading = self.read(limits, || requests).await?;
        }
        match rejection {
            Some(failure) => Err(failure.into()),
            None => {
                let (requests, _) = reading;
                self.last_read = Some(requests.read_at());
                requests.complete_delivery();
                Ok(())
            }
        }
    }
}

/// # The parts of an export
impl Exports {
    /// Waits until the receiver accepts requests again. Returns `None` if a command ends the delay.
    ///
    /// The last export ignores a delay that ends after its deadline, since no export follows.
    async fn wait_for_receiver(
        &self,
        limits: &mut ExportLimits<'_>,
    ) -> Option<Result<(), Failure>> {
        match self.not_before {
            Some(at) if at > Instant::now() && at < limits.retry_deadline() => select! {
                () = sleep_until(at) => Some(Ok(())),
                () = limits.end_delay(at) => None,
            },
            Some(at) if at > Instant::now() && !limits.is_last() => Some(Err(Failure::Delayed)),
            _ => Some(Ok(())),
        }
    }

    /// Waits until an earlier export has stopped reading.
    async fn finish_reading(&mut self, limits: &mut ExportLimits<'_>) -> Result<(), End> {
        if let Some(reading) = &mut self.reading {
            // This export does not need what the earlier one has read.
            let finished = select! {
                biased;
                finished = reading => finished,
                stop = limits.end() => return Err(stop.into()),
            };
            drop(finished);
            self.reading = None;
        }
        Ok(())
    }

    /// Encodes the next request on a thread for blocking work.
    async fn read(
        &mut self,
        limits: &mut ExportLimits<'_>,
        requests: impl FnOnce() -> Box<Requests> + Send + 'static,
    ) -> Result<Reading, End> {
        let reading = self.reading.insert(spawn_blocking(|| {
            let mut requests = requests();
            let body = requests.next_request();
            (requests, body)
        }));
        let finished = select! {
            biased;
            finished = reading => finished,
            stop = limits.end() => return Err(stop.into()),
        };
        self.reading = None;
        finished.map_err(|error| Failure::unread(&error).into())
    }

    /// Sends a request until it is accepted or rejected. Returns how many points were rejected.
    async fn send(
        &mut self,
        body: &RequestBody,
        limits: &mut ExportLimits<'_>,
    ) -> Result<u64, End> {
        let mut last_failure = None;
        for retries in 0.. {
            let deadline = limits.deadline();
            let remaining = deadline.saturating_duration_since(Instant::now());
            let limit = self.limits.request.min(remaining);
            if limit.is_zero() {
                return Err(last_failure.unwrap_or(Failure::Timeout).into());
            }
            let mut request = pin!(self.client.send(self.request(body), limit));
            let response = select! {
                biased;
                response = &mut request => response,
                stop = limits.end() => match stop {
                    Stop::Command => return Err(End::Interrupted(last_failure)),
                    // Its limit has passed, too. It may have got a response.
                    Stop::Timeout if limits.deadline() >= deadline => request.await,
                    Stop::Timeout => {
                        return Err(Failure::NoResponse(HttpErrorKind::Timeout.into()).into());
                    }
                },
            };
            let (failure, retry_after) = match response {
                Ok(response) if response.status.is_success() => return Ok(rejected(&response)),
                Ok(response) => refusal(&response)?,
                Err(error) if error.kind() == HttpErrorKind::Redirect => {
                    return Err(Failure::NoResponse(error).into());
                }
                Err(error) => (Failure::NoResponse(error), None),
            };
            let retry_at = Instant::now() + delay(retries, retry_after, random());
            if retry_after.is_some() {
                self.not_before = Some(retry_at.min(Instant::now() + self.limits.export));
            }
            if retry_at >= limits.retry_deadline() {
                return Err(failure.into());
            }
            select! {
                () = sleep_until(retry_at) => {}
                () = limits.end_delay(retry_at) => return Err(End::Interrupted(Some(failure))),
            }
            last_failure = Some(failure);
        }
        Err(last_failure.unwrap_or(Failure::Timeout).into())
    }

    fn request(&self, body: &RequestBody) -> Request<Bytes> {
        let mut request = Request::new(body.bytes.clone());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.endpoint.clone();
        *request.headers_mut() = self.headers.clone();
        if body.is_gzip {
            let gzip = HeaderValue::from_static("gzip");
            request.headers_mut().insert(CONTENT_ENCODING, gzip);
        }
        request
    }
}

/// Returns how many points of a request were rejected that was accepted.
fn rejected(response: &HttpResponse) -> u64 {
    response.body.as_deref().map_or(0, rejected_points)
}

/// Returns why a request was not accepted, and the delay that the receiver asks for, if it may be
/// sent again.
fn refusal(response: &HttpResponse) -> Result<(Failure, Option<Duration>), Failure> {
    let status = response.status;
    if !is_retryable(status) {
        return Err(Failure::Rejected(status));
    }
    let delay = retry_after(&response.headers, SystemTime::now());
    Ok((Failure::Unavailable(status), delay))
}
