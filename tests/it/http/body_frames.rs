//! A body with the layer around it, beside the same body without it: whatever is
//! asked of the two, they answer the same.

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

/// What a body does when it is polled once.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Step {
    Pending,
    Data(usize),
    Trailers,
    Error,
}

/// What a body tells of its length.
#[derive(Clone, Copy, Debug)]
enum Told {
    Exactly,
    /// So many bytes more than there are, or fewer.
    Wrongly(i64),
    Roughly,
    Nothing,
}

/// All that a body does; after its last step it ends, however often it is polled.
#[derive(Clone, Debug)]
struct Script {
    steps: Vec<Step>,
    told: Told,
    /// Whether it says with its last step that it has ended.
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
            told: match random.u8(..4) {
                0 => Told::Exactly,
                1 => Told::Wrongly(random.i64(-50..50)),
                2 => Told::Roughly,
                _ => Told::Nothing,
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

/// A body that goes by its script.
struct Scripted {
    script: Script,
    polls: Arc<AtomicU32>,
}

impl Scripted {
    fn rest(&self) -> &[Step] {
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
        let step = self.rest().first().copied();
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
        self.script.flags_end && self.rest().is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        let lengths = self.rest().iter().map(|step| match step {
            Step::Data(length) => *length as u64,
            _ => 0,
        });
        let length: u64 = lengths.sum();
        let mut hint = SizeHint::new();
        match self.script.told {
            Told::Exactly => hint.set_exact(length),
            Told::Wrongly(by) => hint.set_exact(length.saturating_add_signed(by)),
            Told::Roughly => {
                hint.set_lower(length / 2);
                hint.set_upper(length + 10);
            }
            Told::Nothing => {}
        }
        hint
    }
}

/// What can be seen of one poll.
#[derive(Debug, PartialEq)]
enum Seen {
    Pending,
    Data(Bytes),
    Trailers(HeaderMap),
    Error(&'static str),
    End,
}

fn poll<B>(body: Pin<&mut B>, waker: &Waker) -> Seen
where
    B: Body<Data = Bytes, Error = &'static str>,
{
    match body.poll_frame(&mut Context::from_waker(waker)) {
        Poll::Pending => Seen::Pending,
        Poll::Ready(None) => Seen::End,
        Poll::Ready(Some(Err(error))) => Seen::Error(error),
        Poll::Ready(Some(Ok(frame))) => match frame.into_data() {
            Ok(data) => Seen::Data(data),
            Err(frame) => Seen::Trailers(frame.into_trailers().unwrap()),
        },
    }
}

/// How often a waker was woken.
#[derive(Default)]
struct Wakes(AtomicU32);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// Polls a body beside one of the same script that is all by itself, to the end and
/// beyond; `polls` counts those that come through to the former.
fn assert_unchanged<B>(script: &Script, body: B, polls: &AtomicU32)
where
    B: Body<Data = Bytes, Error = &'static str>,
{
    let mut body = pin!(body);
    let mut bare = pin!(script.play());
    let bare_polls = Arc::clone(&bare.polls);
    let counts: [Arc<Wakes>; 2] = Default::default();
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

/// Makes one of the requests and responses whose bodies the layer looks at in ways of
/// their own.
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
fn no_poll_hint_or_flag_of_a_response_body_is_changed_added_or_left_out() {
    let layer = MetricsLayer::new().registry(&Registry::new());
    let mut random = fastrand::Rng::with_seed(1);
    for _ in 0..BODIES {
        let script = Script::random(&mut random);
        let (request, response) = heads(&mut random);
        let body = script.play();
        let polls = Arc::clone(&body.polls);
        let mut response = Some(response.map(|()| body));
        let mut service = layer.layer(service_fn(move |_: Request<RequestBody<String>>| {
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
fn no_poll_hint_or_flag_of_a_request_body_is_changed_added_or_left_out() {
    let layer = MetricsLayer::new().registry(&Registry::new());
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
