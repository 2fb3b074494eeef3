//! A wrapped body next to an unwrapped one: both return the same from every method.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use tachometer::middleware::RequestBody;
use tachometer::{MetricsLayer, Registry};
use tower::{Layer, Service, service_fn};

const BODIES: u64 = 20_000;
const BYTES: &[u8] = &[b'x'; 100];

/// What a body does at one poll.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Pending,
    Data(usize),
    Trailers,
    Error,
}

/// The size hint of a body.
#[derive(Clone, Copy, Debug)]
enum HintKind {
    Exactly,
    /// This many bytes too many or too few.
    Wrongly(i64),
    Roughly,
    Nothing,
}

/// The steps of a body; after the last one it returns `None` at every poll.
#[derive(Clone, Debug)]
struct Script {
    steps: Vec<Step>,
    hint_kind: HintKind,
    /// Whether `is_end_stream` is true after the last step.
    flags_end: bool,
}

impl Script {
    fn random(random: &mut fastrand::Rng) -> Self {
        let steps = (0..random.usize(..8)).map(|_| match random.u8(..10) {
            0..3 => Step::Pending,
            3 => Step::Data(0),
            4..8 => Step::Data(random.usize(..=BYTES.len())),
            8 => Step::Trailers,
            _ => Step::Error,
        });
        Self {
            steps: steps.collect(),
            hint_kind: match random.u8(..4) {
                0 => HintKind::Exactly,
                1 => HintKind::Wrongly(random.i64(-50..50)),
                2 => HintKind::Roughly,
                _ => HintKind::Nothing,
            },
            flags_end: random.bool(),
        }
    }

    fn play(&self) -> Scripted {
        Scripted {
            script: self.clone(),
            polls: Arc::default(),
        }
    }
}

/// A body that follows its script.
struct Scripted {
    script: Script,
    polls: Arc<AtomicU32>,
}

impl Scripted {
    fn remaining_steps(&self) -> &[Step] {
        let polls = self.polls.load(Ordering::Relaxed) as usize;
        self.script.steps.get(polls..).unwrap_or_default()
    }
}

impl Body for Scripted {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        let step = self.remaining_steps().first().copied();
        self.polls.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(match step {
            None => None,
            Some(Step::Pending) => {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Step::Data(length)) => {
                let data = Bytes::from_static(&BYTES[..length]);
                Some(Ok(Frame::data(data)))
            }
            Some(Step::Trailers) => {
                let mut trailers = HeaderMap::new();
                trailers.insert("checksum", HeaderValue::from_static("42"));
                Some(Ok(Frame::trailers(trailers)))
            }
            Some(Step::Error) => Some(Err("the body failed")),
        })
    }

    fn is_end_stream(&self) -> bool {
        self.script.flags_end && self.remaining_steps().is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let lengths = self.remaining_steps().iter().map(|step| match step {
            Step::Data(length) => *length as u64,
            _ => 0,
        });
        let length: u64 = lengths.sum();
        let mut hint = SizeHint::new();
        match self.script.hint_kind {
            HintKind::Exactly => hint.set_exact(length),
            HintKind::Wrongly(by) => hint.set_exact(length.saturating_add_signed(by)),
            HintKind::Roughly => {
                hint.set_lower(length / 2);
                hint.set_upper(length + 10);
            }
            HintKind::Nothing => {}
        }
        hint
    }
}

/// The observable results of one poll.
#[derive(Debug, PartialEq)]
enum Observation {
    Pending,
    Data(Bytes),
    Trailers(HeaderMap),
    Error(&'static str),
    End,
}

fn poll<B>(body: Pin<&mut B>, waker: &Waker) -> Observation
where
    B: Body<Data = Bytes, Error = &'static str>,
{
    match body.poll_frame(&mut Context::from_waker(waker)) {
        Poll::Pending => Observation::Pending,
        Poll::Ready(None) => Observation::End,
        Poll::Ready(Some(Err(error))) => Observation::Error(error),
        Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
            Ok(data) => Observation::Data(data),
            Err(frame) => Observation::Trailers(frame.into_trailers().unwrap()),
        },
    }
}

/// Counts how often it was woken.
#[derive(Default)]
struct CountingWaker(AtomicU32);

impl Wake for CountingWaker {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Polls a wrapped body and an unwrapped one of the same script, past the end; `polls` counts
/// the polls that reach the wrapped one.
fn assert_unchanged<B>(script: &Script, body: B, polls: &AtomicU32)
where
    B: Body<Data = Bytes, Error = &'static str>,
{
    let mut body = pin!(body);
    let mut bare = pin!(script.play());
    let bare_polls = Arc::clone(&bare.polls);
    let counts: [Arc<CountingWaker>; 2] = Default::default();
    let wakers = counts.clone().map(Waker::from);
    for _ in 0..script.steps.len() + 3 {
        assert_eq!(body.is_end_stream(), bare.is_end_stream(), "{script:?}");
        let hints = [body.size_hint(), bare.size_hint()];
        let [hint, expected] = hints.map(|hint| (hint.lower(), hint.upper()));
        assert_eq!(hint, expected, "{script:?}");
        let seen = poll(body.as_mut(), &wakers[0]);
        assert_eq!(seen, poll(bare.as_mut(), &wakers[1]), "{script:?}");
        let [woken, expected] = counts.each_ref().map(|one| one.0.load(Ordering::Relaxed));
        assert_eq!(woken, expected, "{script:?}");
        let polls = polls.load(Ordering::Relaxed);
        assert_eq!(polls, bare_polls.load(Ordering::Relaxed), "{script:?}");
    }
}

/// Makes one of the kinds of requests and responses whose bodies the layer handles differently.
fn heads(random: &mut fastrand::Rng) -> (Request<()>, Response<()>) {
    let methods = [Method::GET, Method::HEAD, Method::POST, Method::CONNECT];
    let statuses = [101, 200, 204, 304, 500];
    let mut request = Request::new(());
    *request.method_mut() = methods[random.usize(..methods.len())].clone();
    let mut response = Response::new(());
    let status = statuses[random.usize(..statuses.len())];
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    let headers = response.headers_mut();
    match random.u8(..3) {
        0 => _ = headers.insert(CONTENT_LENGTH, random.u32(..300).into()),
        1 => _ = headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        _ => {}
    }
    (request, response)
}

#[test]
fn polls_hints_and_flags_of_a_response_body_pass_unchanged() {
    let layer = MetricsLayer::new().registry(&Registry::new());
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..BODIES {
        let script = Script::random(&mut random);
        let (request, response) = heads(&mut random);
        let body = script.play();
        let polls = Arc::clone(&body.polls);
        let mut response = Some(response.map(|()| body));
        let mut service = layer.layer(service_fn(move |_: Request<String>| {
            std::future::ready(response.take().ok_or("called twice"))
        }));
        let mut future = pin!(service.call(request.map(|()| String::new())));
        let mut context = Context::from_waker(Waker::noop());
        let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut context) else {
            panic!("there is nothing to wait for");
        };
        assert_unchanged(&script, response.into_body(), &polls);
    }
}

#[test]
fn polls_hints_and_flags_of_a_wrapped_request_body_pass_unchanged() {
    let layer = MetricsLayer::new().registry(&Registry::new());
    let layer = layer.wrap_request_body();
    let mut random = fastrand::Rng::with_seed(2);
    for _ in 0..BODIES {
        let script = Script::random(&mut random);
        let (request, _) = heads(&mut random);
        let body = script.play();
        let polls = Arc::clone(&body.polls);
        let mut read = false;
        let mut service = layer.layer(service_fn(|request: Request<RequestBody<Scripted>>| {
            assert_unchanged(&script, request.into_body(), &polls);
            read = true;
            std::future::ready(Ok::<_, &str>(Response::new(String::new())))
        }));
        drop(service.call(request.map(|()| body)));
        drop(service);
        assert!(read);
    }
}
