//! One export after the other.

use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, HeaderValue, Method, Request, Uri};
use tokio::select;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Instant, sleep_until, timeout_at};

use crate::error::Error;
use crate::push::http_client::{HttpClient, HttpResponse};
use crate::push::http_error::HttpErrorKind;
use crate::push::otlp::commands::{Commands, Trigger};
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
    /// Reads the registry. It is left here if an export ends meanwhile.
    pub(super) reading: Option<JoinHandle<Reading>>,
}

/// How long an export may take.
#[derive(Debug, Clone, Copy)]
pub(super) struct TimeLimits {
    /// Of one request.
    pub(super) request: Duration,
    /// Of an export by the timer, or by a flush.
    pub(super) export: Duration,
    /// An export by the timer is not retried for longer.
    pub(super) interval: Duration,
}

/// A registry that is being read, and the request that was encoded last.
type Reading = (Box<Requests>, Option<RequestBody>);

/// When an export ends.
#[derive(Debug, Clone, Copy)]
struct Deadlines {
    /// No request starts later.
    retry: Instant,
    export: Instant,
}

/// An export that did not succeed.
#[derive(Debug, Clone, Copy)]
enum End {
    Failed(Failure),
    /// A command ended it after this failure, if there was one.
    Interrupted(Option<Failure>),
}

impl From<Failure> for End {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl TimeLimits {
    fn deadlines(self, trigger: Trigger) -> Deadlines {
        let now = Instant::now();
        match trigger {
            Trigger::Shutdown { deadline } => Deadlines {
                retry: deadline,
                export: deadline,
            },
            Trigger::Flush => Deadlines {
                retry: now + self.export,
                export: now + self.export,
            },
            Trigger::Timer => Deadlines {
                retry: now + self.export.min(self.interval),
                export: now + self.export,
            },
        }
    }
}

impl Exports {
    /// Exports the registry. Returns `None` if a command ended the export.
    pub(super) async fn export(
        &mut self,
        trigger: Trigger,
        commands: &mut Commands,
    ) -> Option<Result<(), Error>> {
        let deadlines = self.limits.deadlines(trigger);
        let mut rejected_points = 0;
        let end = self
            .send_all(deadlines, trigger, commands, &mut rejected_points)
            .await;
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
        deadlines: Deadlines,
        trigger: Trigger,
        commands: &mut Commands,
        rejected: &mut u64,
    ) -> Result<(), End> {
        self.finish_reading(deadlines).await?;
        let (settings, last_read) = (self.settings.clone(), self.last_read);
        let mut rejection = None;
        let start = move || Box::new(Requests::new(settings, last_read));
        let mut reading = self.read(deadlines, trigger, commands, start).await?;
        while let Some(body) = reading.1.take() {
            match self.send(&body, deadlines, trigger, commands).await {
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
            reading = self.read(deadlines, trigger, commands, || requests).await?;
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
    /// Waits until an earlier export has stopped reading.
    async fn finish_reading(&mut self, deadlines: Deadlines) -> Result<(), Failure> {
        if let Some(reading) = &mut self.reading {
            let finished = timeout_at(deadlines.export, reading).await;
            drop(finished.map_err(|_| Failure::Timeout)?);
            self.reading = None;
        }
        Ok(())
    }

    /// Encodes the next request on a thread for blocking work.
    async fn read(
        &mut self,
        deadlines: Deadlines,
        trigger: Trigger,
        commands: &mut Commands,
        requests: impl FnOnce() -> Box<Requests> + Send + 'static,
    ) -> Result<Reading, End> {
        let reading = self.reading.insert(spawn_blocking(|| {
            let mut requests = requests();
            let body = requests.next_request();
            (requests, body)
        }));
        let finished = select! {
            biased;
            finished = timeout_at(deadlines.export, reading) => finished,
            () = commands.end_export(trigger) => return Err(End::Interrupted(None)),
        };
        let finished = finished.map_err(|_| Failure::Timeout)?;
        self.reading = None;
        finished.map_err(|_| Failure::Unread.into())
    }

    /// Sends a request until it is accepted or rejected. Returns how many points were rejected.
    async fn send(
        &self,
        body: &RequestBody,
        deadlines: Deadlines,
        trigger: Trigger,
        commands: &mut Commands,
    ) -> Result<u64, End> {
        let mut last_failure = None;
        for retries in 0.. {
            let remaining = deadlines.export.saturating_duration_since(Instant::now());
            let limit = self.limits.request.min(remaining);
            if limit.is_zero() {
                return Err(last_failure.unwrap_or(Failure::Timeout).into());
            }
            let response = select! {
                biased;
                response = self.client.send(self.request(body), limit) => response,
                () = commands.end_export(trigger) => return Err(End::Interrupted(last_failure)),
            };
            let (failure, retry_after) = match response {
                Ok(response) if response.status.is_success() => return Ok(rejected(&response)),
                Ok(response) => refusal(&response)?,
                Err(error) if error.kind() == HttpErrorKind::Redirect => {
                    return Err(Failure::NoResponse(error).into());
                }
                Err(error) => (Failure::NoResponse(error), None),
            };
            let retry_at = Instant::now().checked_add(delay(retries, retry_after, random()));
            let Some(retry_at) = retry_at.filter(|at| *at < deadlines.retry) else {
                return Err(failure.into());
            };
            select! {
                () = sleep_until(retry_at) => {}
                () = commands.end_delay(trigger) => return Err(End::Interrupted(Some(failure))),
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
