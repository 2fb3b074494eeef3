//! Scripted calls: what the wrapped service does, when the caller gives up, and the expected
//! counts.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use axum::body::Bytes;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body::{Body, Frame, SizeHint};
use tower::Service;

/// The course of one call.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Plan {
    /// The response is read to its end, in one of the ways an end shows.
    Whole(End),
    InnerError,
    /// Dropped after this many polls, 0 included.
    DropFuture,
    /// Dropped after this many frames, before the end.
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
pub(crate) enum End {
    /// The body is polled until it returns `None`.
    Polled,
    /// `is_end_stream` is true with the last frame, and the body is not polled again.
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
pub(crate) struct Call {
    pub(crate) plan: Plan,
    pub(crate) status: StatusCode,
    /// How often the future is pending before its response.
    pub(crate) pending: u32,
    /// How many frames, of 3 bytes each, the body has.
    pub(crate) frames: u32,
    /// The frame at which something happens, if anything.
    pub(crate) at: u32,
    /// How many frames, of 5 bytes each, the request's body has.
    pub(crate) upload: u32,
    /// How many of them the service reads before it answers.
    pub(crate) read: u32,
}

impl Call {
    pub(crate) fn random(random: &mut fastrand::Rng) -> Self {
        let plan = PLANS[random.usize(..PLANS.len())];
        let frames = random.u32(2..6);
        let upload = random.u32(0..4);
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
            upload,
            read: random.u32(0..=upload),
        }
    }

    /// What must be counted: the status and the outcome.
    pub(crate) fn expected(&self) -> (String, &'static str) {
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

    /// How many bytes of the request's body are read.
    pub(crate) fn uploaded(&self) -> u32 {
        match self.plan {
            Plan::PanicInCall => 0,
            _ => 5 * self.read,
        }
    }

    pub(crate) fn request(self) -> Request<Upload> {
        let method = match self.plan {
            Plan::Whole(End::Head) => Method::HEAD,
            _ => Method::GET,
        };
        let request = Request::builder().method(method).extension(self);
        request.body(Upload { left: self.upload }).unwrap()
    }

    /// How many bytes of the response's body pass.
    pub(crate) fn bytes(&self) -> u32 {
        let frames = match self.plan {
            Plan::Whole(End::Trailers) => self.frames - 1,
            Plan::Whole(End::Head | End::NoContent) => return 0,
            Plan::Whole(_) | Plan::EventStream => self.frames,
            Plan::DropBody | Plan::BodyError | Plan::ShortBody | Plan::PanicInBody => self.at,
            _ => 0,
        };
        3 * frames
    }
}

/// The body of a request.
pub(crate) struct Upload {
    left: u32,
}

impl Body for Upload {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        let more = self.left > 0;
        self.left = self.left.saturating_sub(1);
        Poll::Ready(more.then(|| Ok(Frame::data(Bytes::from_static(b"bytes")))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }
}

/// The service that follows the plan.
#[derive(Clone)]
pub(crate) struct Scripted;

impl<B: Body + Unpin> Service<Request<B>> for Scripted {
    type Response = Response<ScriptedBody>;
    type Error = &'static str;
    type Future = ScriptedFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<B>) -> ScriptedFuture {
        let call = *request.extensions().get::<Call>().unwrap();
        if call.plan == Plan::PanicInCall {
            unwind();
        }
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..call.read {
            let frame = Pin::new(request.body_mut()).poll_frame(&mut context);
            assert!(matches!(frame, Poll::Ready(Some(Ok(_)))));
        }
        ScriptedFuture {
            left: call.pending,
            call,
        }
    }
}

pub(crate) struct ScriptedFuture {
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

pub(crate) struct ScriptedBody {
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

/// Starts one call, and returns its expected outcome, unless the call itself panics.
pub(crate) fn begin<S>(service: &mut S, call: Call) -> Option<Pin<Box<S::Future>>>
where
    S: Service<Request<Upload>>,
{
    let future = quietly(|| service.call(call.request())).ok()?;
    Some(Box::pin(future))
}

/// Plays the caller's part.
pub(crate) fn finish<F, B>(call: Call, mut future: Pin<Box<F>>)
where
    F: Future<Output = Result<Response<B>, &'static str>>,
    B: Body<Data = Bytes, Error = &'static str>,
{
    let mut context = Context::from_waker(Waker::noop());
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
