//! Every call ends in exactly one outcome.
//!
//! A seeded script decides for each call what the wrapped service does and when
//! the caller gives up. From the script alone follows what must be counted; the
//! layer is asked only in the end.

use std::any::Any;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};
use std::thread;

use axum::body::Bytes;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use tachometer::{MetricsLayer, Registry};
use tower::{Layer, Service};

use crate::support::read::{sum, to_f64};

const CALLS: u32 = 4_000;
const THREADS: u64 = 4;

/// How one call goes.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Plan {
    /// The response is read to its end, in one of the ways an end shows.
    Whole(End),
    InnerError,
    /// Dropped after so many polls, none included.
    DropFuture,
    /// Dropped after so many frames, while more were to come.
    DropBody,
    BodyError,
    /// The body ends before the length that its head declared.
    ShortBody,
    PanicInCall,
    PanicInPoll,
    /// Like it, but the panic is caught outside and the future dropped later.
    PanicInPollCaught,
    PanicInBody,
    /// Dropped while another panic, not its own, unwinds.
    DropInUnwind,
    Upgrade,
    EventStream,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    /// The body is polled until it says `None`.
    Polled,
    /// The body says that it has ended with its last frame, and is not polled
    /// again.
    Flagged,
    /// As many bytes as the head declared have passed, and it is not polled
    /// again, as hyper does.
    Declared,
    /// As many bytes as the body's exact size hint.
    Hinted,
    /// The last frame is trailers, after which hyper does not poll again.
    Trailers,
    /// The answer to a HEAD, dropped unpolled.
    Head,
    /// A status without a body, dropped unpolled.
    NoContent,
}

const PLANS: [Plan; 19] = [
    Plan::Whole(End::Polled),
    Plan::Whole(End::Flagged),
    Plan::Whole(End::Declared),
    Plan::Whole(End::Hinted),
    Plan::Whole(End::Trailers),
    Plan::Whole(End::Head),
    Plan::Whole(End::NoContent),
    Plan::InnerError,
    Plan::DropFuture,
    Plan::DropBody,
    Plan::BodyError,
    Plan::ShortBody,
    Plan::PanicInCall,
    Plan::PanicInPoll,
    Plan::PanicInPollCaught,
    Plan::PanicInBody,
    Plan::DropInUnwind,
    Plan::Upgrade,
    Plan::EventStream,
];

#[derive(Clone, Copy, Debug)]
struct Call {
    plan: Plan,
    status: StatusCode,
    /// How often the future is pending before its response.
    pending: u32,
    /// How many frames, of 3 bytes each, the body has.
    frames: u32,
    /// At which of them something happens, if something does.
    at: u32,
}

impl Call {
    fn random(random: &mut fastrand::Rng) -> Self {
        let plan = PLANS[random.usize(..PLANS.len())];
        let frames = random.u32(2..6);
        let statuses = [200, 201, 302, 404, 418, 500, 503];
        let status = match plan {
            Plan::Upgrade => StatusCode::SWITCHING_PROTOCOLS,
            Plan::Whole(End::NoContent) => StatusCode::NO_CONTENT,
            _ => StatusCode::from_u16(statuses[random.usize(..statuses.len())]).unwrap(),
        };
        Self {
            plan,
            status,
            pending: random.u32(0..4),
            frames,
            at: random.u32(0..frames - 1),
        }
    }

    /// What must be counted: the status and the outcome.
    fn expected(&self) -> (String, &'static str) {
        let head = self.status.as_str().to_owned();
        let none = "none".to_owned();
        let by_status = match self.status.as_u16() {
            ..400 => "ok",
            400..500 => "client_error",
            500.. => "server_error",
        };
        match self.plan {
            Plan::Whole(_) | Plan::EventStream => (head, by_status),
            Plan::InnerError => (none, "service_error"),
            Plan::DropFuture | Plan::DropInUnwind => (none, "cancelled_before_head"),
            Plan::DropBody => (head, "cancelled_in_body"),
            Plan::BodyError | Plan::ShortBody => (head, "body_error"),
            Plan::PanicInCall | Plan::PanicInPoll | Plan::PanicInPollCaught => (none, "panic"),
            Plan::PanicInBody => (head, "panic"),
            Plan::Upgrade => (head, "upgraded"),
        }
    }
}

/// The service that goes by the plan.
#[derive(Clone)]
struct Scripted;

impl Service<Request<Call>> for Scripted {
    type Response = Response<ScriptedBody>;
    type Error = &'static str;
    type Future = ScriptedFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Call>) -> ScriptedFuture {
        let call = request.into_body();
        if call.plan == Plan::PanicInCall {
            unwind();
        }
        ScriptedFuture {
            left: call.pending,
            call,
        }
    }
}

struct ScriptedFuture {
    call: Call,
    left: u32,
}

impl Future for ScriptedFuture {
    type Output = Result<Response<ScriptedBody>, &'static str>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        if self.left > 0 {
            self.left -= 1;
            return Poll::Pending;
        }
        let call = self.call;
        let mut response = Response::builder().status(call.status);
        match call.plan {
            Plan::DropFuture | Plan::DropInUnwind => return Poll::Pending,
            Plan::InnerError => return Poll::Ready(Err("the service failed")),
            Plan::PanicInPoll | Plan::PanicInPollCaught => unwind(),
            Plan::Whole(End::Declared) | Plan::ShortBody => {
                response = response.header(CONTENT_LENGTH, call.frames * 3);
            }
            Plan::EventStream => {
                response = response.header(CONTENT_TYPE, "text/event-stream; charset=utf-8");
            }
            _ => {}
        }
        let body = ScriptedBody { call, passed: 0 };
        Poll::Ready(Ok(response.body(body).unwrap()))
    }
}

struct ScriptedBody {
    call: Call,
    passed: u32,
}

impl Body for ScriptedBody {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        let now = self.passed;
        if now == self.call.at {
            match self.call.plan {
                Plan::PanicInBody => unwind(),
                Plan::BodyError => return Poll::Ready(Some(Err("the body failed"))),
                Plan::ShortBody => return Poll::Ready(None),
                _ => {}
            }
        }
        if now == self.call.frames {
            return Poll::Ready(None);
        }
        self.passed += 1;
        if self.call.plan == Plan::Whole(End::Trailers) && self.passed == self.call.frames {
            return Poll::Ready(Some(Ok(Frame::trailers(HeaderMap::new()))));
        }
        Poll::Ready(Some(Ok(Frame::data(Bytes::from_static(b"abc")))))
    }

    fn is_end_stream(&self) -> bool {
        self.call.plan == Plan::Whole(End::Flagged) && self.passed == self.call.frames
    }

    fn size_hint(&self) -> SizeHint {
        match self.call.plan {
            Plan::Whole(End::Hinted) => {
                SizeHint::with_exact(u64::from(self.call.frames - self.passed) * 3)
            }
            _ => SizeHint::default(),
        }
    }
}

/// Panics without the noise of a panic's message.
fn unwind() -> ! {
    resume_unwind(Box::new("part of the script"))
}

/// Drops `victim` while a panic that has nothing to do with it unwinds.
fn drop_in_unwind<T>(victim: T) {
    let _ = quietly(move || {
        let _victim = victim;
        unwind()
    });
}

fn quietly<T>(run: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
    catch_unwind(AssertUnwindSafe(run))
}

/// Plays the caller's side of one call.
fn drive<S, B>(service: &mut S, call: Call)
where
    S: Service<Request<Call>, Response = Response<B>, Error = &'static str>,
    S::Future: 'static,
    B: Body<Data = Bytes, Error = &'static str>,
{
    let mut context = Context::from_waker(Waker::noop());
    let method = match call.plan {
        Plan::Whole(End::Head) => Method::HEAD,
        _ => Method::GET,
    };
    let request = Request::builder().method(method).body(call).unwrap();
    let Ok(future) = quietly(|| service.call(request)) else {
        return;
    };
    let mut future = Box::pin(future);
    for _ in 0..call.pending {
        assert!(future.as_mut().poll(&mut context).is_pending());
    }
    match call.plan {
        Plan::DropFuture => return,
        Plan::DropInUnwind => return drop_in_unwind(future),
        Plan::PanicInPoll => {
            // Not caught in between: the unwinding drops the future.
            let _ = quietly(move || future.as_mut().poll(&mut context));
            return;
        }
        _ => {}
    }
    let Ok(polled) = quietly(|| future.as_mut().poll(&mut context)) else {
        assert_eq!(call.plan, Plan::PanicInPollCaught);
        return drop(future);
    };
    let Poll::Ready(Ok(response)) = polled else {
        assert_eq!(call.plan, Plan::InnerError);
        return;
    };
    let mut body = pin!(response.into_body());
    let polls = match call.plan {
        Plan::Whole(End::Polled) | Plan::BodyError | Plan::ShortBody | Plan::EventStream => {
            u32::MAX
        }
        Plan::Whole(End::Head | End::NoContent) | Plan::Upgrade => 0,
        Plan::DropBody => call.at,
        _ => call.frames,
    };
    for _ in 0..polls {
        match quietly(|| body.as_mut().poll_frame(&mut context)) {
            Ok(Poll::Ready(Some(Ok(_)))) => {}
            Ok(_) | Err(_) => break,
        }
    }
}

#[test]
fn whatever_becomes_of_a_call_it_is_counted_once_under_what_became_of_it() {
    let registry = Registry::new();
    let layer = MetricsLayer::new().registry(&registry);
    let mut expected: BTreeMap<(String, &str), u32> = BTreeMap::new();
    let threads: Vec<_> = (0..THREADS)
        .map(|seed| {
            let mut service = layer.layer(Scripted);
            let mut random = fastrand::Rng::with_seed(seed);
            let calls: Vec<_> = (0..CALLS).map(|_| Call::random(&mut random)).collect();
            for call in &calls {
                *expected.entry(call.expected()).or_default() += 1;
            }
            thread::spawn(move || {
                for call in calls {
                    drive(&mut service, call);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }

    for ((status, outcome), calls) in &expected {
        let labels = [("status", status.as_str()), ("outcome", outcome)];
        let counted = sum(&registry, "http_requests_total", &labels);
        assert_eq!(counted, f64::from(*calls), "{status} {outcome}");
    }
    let all = f64::from(CALLS) * to_f64(THREADS);
    assert_eq!(sum(&registry, "http_requests_total", &[]), all);
    assert_eq!(sum(&registry, "http_request_duration_seconds", &[]), all);
    assert_eq!(sum(&registry, "http_requests_in_flight", &[]), 0.0);
}

#[test]
fn a_request_is_in_flight_until_its_body_is_dropped() {
    let registry = Registry::new();
    let mut service = MetricsLayer::new().registry(&registry).layer(Scripted);
    let in_flight = || sum(&registry, "http_requests_in_flight", &[]);
    let call = Call {
        plan: Plan::DropBody,
        status: StatusCode::OK,
        pending: 0,
        frames: 4,
        at: 2,
    };
    let mut future = pin!(service.call(Request::new(call)));
    assert_eq!(in_flight(), 1.0);
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut context) else {
        panic!("there is nothing to wait for");
    };
    let mut body = response.into_body();
    assert!(pin!(body.frame()).as_mut().poll(&mut context).is_ready());
    assert_eq!(in_flight(), 1.0);
    drop(body);
    assert_eq!(in_flight(), 0.0);
}

#[test]
fn the_errors_of_the_service_and_of_the_body_reach_the_caller_unchanged() {
    let registry = Registry::new();
    let mut service = MetricsLayer::new().registry(&registry).layer(Scripted);
    let mut context = Context::from_waker(Waker::noop());
    let mut call = Call {
        plan: Plan::InnerError,
        status: StatusCode::OK,
        pending: 0,
        frames: 4,
        at: 0,
    };
    let mut future = pin!(service.call(Request::new(call)));
    let polled = future.as_mut().poll(&mut context);
    assert!(matches!(polled, Poll::Ready(Err("the service failed"))));

    call.plan = Plan::BodyError;
    let mut future = pin!(service.call(Request::new(call)));
    let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut context) else {
        panic!("there is nothing to wait for");
    };
    let mut body = pin!(response.into_body());
    let polled = body.as_mut().poll_frame(&mut context);
    assert!(matches!(polled, Poll::Ready(Some(Err("the body failed")))));
}
