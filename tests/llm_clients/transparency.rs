//! A wrapped body next to an unwrapped one: both return the same from every method, for LLM
//! calls and other requests.

use std::collections::VecDeque;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use bytes::buf::Chain;
use bytes::{Buf, Bytes};
use fastrand::Rng;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use tachometer::LlmLayer;
use tower::{Service, service_fn};

use crate::support::read::to_f64;
use crate::support::responses::{CHAT, chat, chunks, question};
use crate::support::{CANCELLED, SUCCESS, in_flight, layer, outcomes, tokens};

const BODIES: u64 = 20_000;

/// What a body does at one poll.
#[derive(Clone, Debug)]
enum Step {
    Pending,
    Data(Bytes),
    Trailers,
    Error,
}

/// The steps of a body; after the last one it returns `None` at every poll.
#[derive(Clone, Debug)]
struct Script {
    steps: VecDeque<Step>,
    /// The error of its size hint, if it has one.
    length: Option<u64>,
    /// Whether `is_end_stream` is true after the last step.
    flags_end: bool,
}

impl Script {
    /// A response in chunks, not always complete, with pauses and errors.
    fn random(random: &mut Rng) -> Self {
        let text = match random.u8(..4) {
            0 => chat("gpt-x", 3, 2).to_string(),
            1 => "no answer of any dialect".to_owned(),
            _ => {
                let events = chunks("gpt-x", 3, 2);
                let events = events.iter().map(|event| format!("data: {event}\n\n"));
                events.collect()
            }
        };
        let mut bytes = Bytes::from(text);
        let mut steps = VecDeque::new();
        for _ in 0..random.usize(..8) {
            steps.push_back(match random.u8(..12) {
                0..3 => Step::Pending,
                3 => Step::Data(Bytes::new()),
                4..10 => Step::Data(bytes.split_to(random.usize(..=bytes.len()))),
                10 => Step::Trailers,
                _ => Step::Error,
            });
        }
        Self {
            steps,
            length: random.bool().then(|| random.u64(..200)),
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

/// Data in two buffers, as some clients have it.
type Parts = Chain<Bytes, Bytes>;

impl Body for Scripted {
    type Data = Parts;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Parts>, &'static str>>> {
        self.polls.fetch_add(1, Ordering::Relaxed);
        Poll::Ready(match self.script.steps.pop_front() {
            None => None,
            Some(Step::Pending) => {
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Step::Data(mut data)) => {
                let first = data.split_to(data.len() / 3);
                Some(Ok(Frame::data(first.chain(data))))
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
        self.script.flags_end && self.script.steps.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        match self.script.length {
            Some(length) => SizeHint::with_exact(length),
            None => SizeHint::new(),
        }
    }
}

/// The observable results of one poll.
#[derive(Debug, PartialEq)]
enum Observation {
    Pending,
    Data(Bytes, Bytes),
    Trailers(HeaderMap),
    Error(&'static str),
    End,
}

fn poll<B>(body: Pin<&mut B>, waker: &Waker) -> Observation
where
    B: Body<Data = Parts, Error = &'static str>,
{
    match body.poll_frame(&mut Context::from_waker(waker)) {
        Poll::Pending => Observation::Pending,
        Poll::Ready(None) => Observation::End,
        Poll::Ready(Some(Err(error))) => Observation::Error(error),
        Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
            Ok(data) => {
                let (first, last) = data.into_inner();
                Observation::Data(first, last)
            }
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
    B: Body<Data = Parts, Error = &'static str>,
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

/// Makes a request that is a call of an LLM or not, and the head of its answer.
fn heads(random: &mut Rng) -> (Request<String>, Response<()>) {
    let paths = [CHAT, "/v1/messages", "/api/chat", "/v1/files", "/"];
    let statuses = [200, 200, 200, 204, 400, 429, 500];
    let request = Request::post(random.choice(paths).unwrap());
    let body = question("gpt-x", random.bool());
    let request = request.body(body).unwrap();
    let mut response = Response::new(());
    let status = random.choice(statuses).unwrap();
    *response.status_mut() = StatusCode::from_u16(status).unwrap();
    let kinds = [
        "text/event-stream",
        "application/json",
        "application/x-ndjson",
    ];
    let kind = HeaderValue::from_static(random.choice(kinds).unwrap());
    response.headers_mut().insert(CONTENT_TYPE, kind);
    if random.u8(..8) == 0 {
        let gzip = HeaderValue::from_static("gzip");
        response.headers_mut().insert(CONTENT_ENCODING, gzip);
    }
    (request, response)
}

/// Sends a request by a client that answers at once, and returns the answer.
fn send<B>(
    layer: &LlmLayer,
    request: Request<String>,
    answer: Response<B>,
) -> Response<tachometer::llm::LlmBody<B>>
where
    B: Body<Error = &'static str>,
{
    let expected = (request.uri().clone(), request.body().clone());
    let mut answer = Some(answer);
    let mut service = layer.layer(service_fn(|request: Request<String>| {
        assert_eq!((request.uri().clone(), request.into_body()), expected);
        std::future::ready(answer.take().ok_or("called twice"))
    }));
    let mut future = pin!(service.call(request));
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut context) else {
        panic!("there is nothing to wait for");
    };
    response
}

#[test]
fn polls_hints_flags_frames_and_errors_of_a_body_pass_unchanged() {
    let (layer, registry) = layer();
    let mut random = Rng::with_seed(1);
    for _ in 0..BODIES {
        let script = Script::random(&mut random);
        let (request, response) = heads(&mut random);
        let body = script.play();
        let polls = Arc::clone(&body.polls);
        let headers = response.headers().clone();
        let response = send(&layer, request, response.map(|()| body));
        assert_eq!(*response.headers(), headers);
        // The body is not polled before the caller does so.
        assert_eq!(polls.load(Ordering::Relaxed), 0);
        assert_unchanged(&script, response.into_body(), &polls);
    }
    let all: f64 = outcomes(&registry).iter().sum();
    assert!(all > to_f64(BODIES) / 2.0 && all < to_f64(BODIES), "{all}");
    assert!(
        outcomes(&registry)
            .iter()
            .skip(1)
            .all(|calls| *calls > 100.0)
    );
    assert_eq!(in_flight(&registry), 0.0);
}

/// Data in several buffers is read buffer by buffer.
#[test]
fn a_response_in_chunks_of_several_buffers_is_counted() {
    let (layer, registry) = layer();
    let bytes = Bytes::from(chat("gpt-x", 3, 2).to_string());
    let script = Script {
        steps: [bytes.slice(..100), bytes.slice(100..)]
            .map(Step::Data)
            .into(),
        length: None,
        flags_end: false,
    };
    let request = Request::post(CHAT).body(question("gpt-x", false)).unwrap();
    let body = script.play();
    let polls = Arc::clone(&body.polls);
    let response = send(&layer, request, Response::new(body));
    assert_unchanged(&script, response.into_body(), &polls);
    assert_eq!(outcomes(&registry), SUCCESS);
    assert_eq!(tokens(&registry), [3.0, 2.0]);
}

/// Many callers do not poll again after `is_end_stream`.
#[test]
fn a_body_that_reports_its_end_is_not_polled_again() {
    let (layer, registry) = layer();
    let script = Script {
        steps: [Step::Data(Bytes::from(chat("gpt-x", 3, 2).to_string()))].into(),
        length: None,
        flags_end: true,
    };
    let request = Request::post(CHAT).body(question("gpt-x", false)).unwrap();
    let response = send(&layer, request, Response::new(script.play()));
    let mut body = pin!(response.into_body());
    assert!(matches!(
        poll(body.as_mut(), Waker::noop()),
        Observation::Data(..)
    ));
    assert_eq!(outcomes(&registry), SUCCESS);
    assert_eq!(in_flight(&registry), 0.0);
}

#[test]
fn the_client_is_called_once_for_each_request_and_its_readiness_is_forwarded() {
    let (layer, registry) = layer();
    let (service, mut handle) = tower_test::mock::pair::<Request<String>, Response<String>>();
    let mut llm = layer.layer(service);
    let mut context = Context::from_waker(Waker::noop());
    let mut ready = || Service::<Request<String>>::poll_ready(&mut llm, &mut context).is_ready();
    handle.allow(0);
    assert!(!ready());
    handle.allow(1);
    assert!(ready());
    // tower's contract: another call without readiness would panic.
    let request = Request::post(CHAT).body(question("gpt-x", false)).unwrap();
    let future = llm.call(request);
    assert_eq!(in_flight(&registry), 1.0);
    drop(future);
    assert_eq!(outcomes(&registry), CANCELLED);
    assert_eq!(in_flight(&registry), 0.0);
}

#[test]
fn a_request_body_that_is_not_in_memory_is_not_read() {
    let (layer, registry) = layer();
    let script = Script::random(&mut Rng::with_seed(2));
    let body = script.play();
    let polls = Arc::clone(&body.polls);
    let mut is_read = false;
    let mut service = layer.layer(service_fn(|request: Request<Scripted>| {
        assert_eq!(polls.load(Ordering::Relaxed), 0);
        assert_unchanged(&script, request.into_body(), &polls);
        is_read = true;
        std::future::ready(Err::<Response<String>, _>("refused"))
    }));
    drop(service.call(Request::post(CHAT).body(body).unwrap()));
    drop(service);
    assert!(is_read);
    assert_eq!(outcomes(&registry), CANCELLED);
}
