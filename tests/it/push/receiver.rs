//! A receiver of OTLP in memory, with prepared answers. It is a client without a network, so it
//! can be used with a paused clock.

use std::collections::{BTreeMap, VecDeque};
use std::future::{Future, pending};
use std::io::{self, ErrorKind, Read};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, Request, Response, Uri};
use flate2::read::GzDecoder;
use http_body_util::{BodyExt, Full};
use tachometer::Registry;
use tachometer::push::Otlp;
use tokio::time::{Instant, sleep};
use tower::Service;

use super::decode::{Message, Point, decode};

/// What the receiver does with a request.
#[derive(Debug, Clone)]
pub(super) enum Answer {
    Accept,
    /// Accepts it after this time.
    Slow(Duration),
    /// Accepts it, and says that so many points were rejected.
    Partial(u8),
    Status(u16),
    RetryAfter(u16, &'static str),
    /// There is never a response.
    Hang,
    /// The connection breaks, before or after the request was accepted.
    Reset {
        is_accepted: bool,
    },
    Panic,
}

use Answer::{Accept, Hang, Panic, Partial, Reset, RetryAfter, Slow, Status};

/// A request that arrived.
#[derive(Debug, Clone)]
pub(super) struct Received {
    pub(super) at: Instant,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body_len: usize,
    pub(super) message: Message,
    pub(super) is_accepted: bool,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Receiver(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    answers: VecDeque<Answer>,
    /// The answer after those.
    last: Option<Answer>,
    requests: Vec<Received>,
}

impl Receiver {
    /// Makes a receiver that gives these answers, and accepts all further requests.
    pub(super) fn new(answers: impl IntoIterator<Item = Answer>) -> Self {
        let receiver = Self::default();
        receiver.0.lock().unwrap().answers = answers.into_iter().collect();
        receiver
    }

    /// Makes a receiver that always gives this answer.
    pub(super) fn always(answer: Answer) -> Self {
        let receiver = Self::default();
        receiver.set(answer);
        receiver
    }

    /// Sets the answer to all further requests.
    pub(super) fn set(&self, answer: Answer) {
        let mut state = self.0.lock().unwrap();
        state.answers.clear();
        state.last = Some(answer);
    }

    pub(super) fn requests(&self) -> Vec<Received> {
        self.0.lock().unwrap().requests.clone()
    }

    /// Returns how many requests have arrived.
    pub(super) fn count(&self) -> usize {
        self.0.lock().unwrap().requests.len()
    }

    /// Returns settings for an exporter that sends this registry here, once per minute.
    pub(super) fn otlp(&self, registry: &Registry) -> Otlp {
        Otlp::new().registry(registry).client(self.clone())
    }

    /// Returns the sum of a metric over all series, as a monitoring system computes it from the
    /// accepted requests.
    pub(super) fn total(&self, metric: &str) -> f64 {
        self.series(metric).values().map(|(value, _)| *value).sum()
    }

    /// Returns the count of a histogram over all series.
    pub(super) fn observations(&self, metric: &str) -> u64 {
        self.series(metric).values().map(|(_, count)| *count).sum()
    }

    fn series(&self, metric: &str) -> BTreeMap<Vec<(String, String)>, (f64, u64)> {
        let mut series = BTreeMap::new();
        for request in self.requests().iter().filter(|request| request.is_accepted) {
            let points = request.message.points.iter();
            for point in points.filter(|point| point.metric == metric) {
                let labels = point.attributes.clone().into_iter().collect();
                let value = series.entry(labels).or_insert((0.0, 0));
                let is_delta = point.temporality == 1;
                let (sum, count) = if is_delta { *value } else { (0.0, 0) };
                *value = (sum + point.value, count + point.count);
            }
        }
        series
    }

    /// Returns the points of a metric in all requests that were accepted.
    pub(super) fn points(&self, metric: &str) -> Vec<Point> {
        let requests = self.requests().into_iter();
        let accepted = requests.filter(|request| request.is_accepted);
        let points = accepted.flat_map(|request| request.message.points);
        points.filter(|point| point.metric == metric).collect()
    }

    fn receive(&self, request: Request<Bytes>) -> Answer {
        let (head, body) = request.into_parts();
        let mut decoded = body.to_vec();
        if head.headers.contains_key("content-encoding") {
            assert_eq!(head.headers["content-encoding"], "gzip");
            decoded.clear();
            GzDecoder::new(&*body).read_to_end(&mut decoded).unwrap();
        }
        let mut state = self.0.lock().unwrap();
        let answer = state.answers.pop_front().or_else(|| state.last.clone());
        let answer = answer.unwrap_or(Accept);
        let is_accepted = matches!(
            answer,
            Accept | Slow(_) | Partial(_) | Reset { is_accepted: true } | Status(200..=299)
        );
        state.requests.push(Received {
            at: Instant::now(),
            uri: head.uri,
            headers: head.headers,
            body_len: body.len(),
            message: decode(&decoded),
            is_accepted,
        });
        answer
    }
}

type Body = Full<Bytes>;
type ResponseFuture = Pin<Box<dyn Future<Output = io::Result<Response<Body>>> + Send>>;

impl Service<Request<Body>> for Receiver {
    type Response = Response<Body>;
    type Error = io::Error;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> ResponseFuture {
        let receiver = self.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let body = body.collect().await.unwrap().to_bytes();
            let response = Response::builder();
            let (response, body) = match receiver.receive(Request::from_parts(head, body)) {
                Accept => (response, Bytes::new()),
                Slow(duration) => {
                    sleep(duration).await;
                    (response, Bytes::new())
                }
                Partial(points) => (response, vec![0x0a, 2, 8, points].into()),
                Status(status) => (response.status(status), Bytes::from_static(b"CANARY")),
                RetryAfter(status, value) => {
                    let response = response.status(status).header("retry-after", value);
                    (response, Bytes::new())
                }
                Hang => pending().await,
                Reset { .. } => return Err(ErrorKind::ConnectionReset.into()),
                Panic => panic!("the client panics"),
            };
            Ok(response.body(body.into()).unwrap())
        })
    }
}
