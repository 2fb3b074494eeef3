//! Fifty thousand requests over loopback, many from misbehaving clients.
//!
//! How such a request ends is random; that it ends once is not. The innermost service counts
//! what the outer layer must have counted.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use futures_util::{StreamExt, stream};
use tachometer::{MetricsLayer, Registry};
use tokio::runtime;
use tokio::task::yield_now;
use tower::{Service, layer::layer_fn};

use crate::support::loopback::Server;
use crate::support::observed::observed;
use crate::support::raw_client::RawClient;
use crate::support::read::{sum, to_f64};
use crate::support::request_ends::RequestEnds;

const CLIENTS: u64 = 25;
const CALLS: u32 = 2_000;
const UPLOAD: usize = 4_096;
const PIECE: &[u8] = &[b'x'; 1 << 14];
const EVENT: &str = "data: 1\n\n";

/// What the client does; each plan has every route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Plan {
    /// Reads the response, and then continues or closes.
    Finish,
    /// Closes the connection after the request.
    Leave,
    Reset,
    /// Shuts down its write half after the request, and reads.
    HalfClose,
    /// Starts to read, and stalls until it closes or resets.
    Stall,
    /// Closes or resets in the middle of the request's body.
    Upload,
}

const PLANS: [Plan; 6] = [
    Plan::Finish,
    Plan::Leave,
    Plan::Reset,
    Plan::HalfClose,
    Plan::Stall,
    Plan::Upload,
];

/// What the service does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Route {
    Small,
    Large,
    Chunked,
    Events,
    Echo,
    Panic,
    Never,
}

const ROUTES: [Route; 7] = [
    Route::Small,
    Route::Large,
    Route::Chunked,
    Route::Events,
    Route::Echo,
    // The last two give no answer.
    Route::Panic,
    Route::Never,
];

fn path(plan: Plan, route: Route) -> String {
    format!("/{plan:?}/{route:?}")
}

async fn answer(plan: Plan, route: Route, request: Request) -> Response {
    // A stalled client is sent more than all buffers can hold.
    let pieces = if plan == Plan::Stall { 1 << 20 } else { 16 };
    match route {
        Route::Small => "small".into_response(),
        Route::Large => {
            let length = [(CONTENT_LENGTH, pieces * PIECE.len())];
            let pieces = stream::repeat(Ok::<_, Infallible>(PIECE)).take(pieces);
            (length, Body::from_stream(pieces)).into_response()
        }
        Route::Chunked => {
            let pieces = stream::repeat("piece").take(20).then(async |piece| {
                yield_now().await;
                Ok::<_, Infallible>(piece)
            });
            Body::from_stream(pieces).into_response()
        }
        Route::Events => {
            let events = stream::repeat(Ok::<_, Infallible>(EVENT)).take(3);
            let body = if plan == Plan::Stall {
                Body::from_stream(events.chain(stream::pending()))
            } else {
                Body::from_stream(events)
            };
            ([(CONTENT_TYPE, "text/event-stream")], body).into_response()
        }
        Route::Echo => Response::new(request.into_body()),
        Route::Panic => resume_unwind(Box::new("part of the test")),
        Route::Never => std::future::pending().await,
    }
}

/// The length of a complete response body.
fn body_length(route: Route) -> usize {
    match route {
        Route::Small => "small".len(),
        Route::Large => 16 * PIECE.len(),
        Route::Chunked => 20 * "piece".len(),
        Route::Events => 3 * EVENT.len(),
        Route::Echo => UPLOAD,
        Route::Panic | Route::Never => 0,
    }
}

/// The outcome, if plan and route determine it.
fn only(plan: Plan, route: Route) -> Option<&'static str> {
    match (plan, route) {
        (_, Route::Panic) => Some("panic"),
        (_, Route::Never) => Some("cancelled_before_head"),
        (Plan::Finish, _) => Some("ok"),
        (Plan::Stall, Route::Large | Route::Events) => Some("cancelled_in_body"),
        _ => None,
    }
}

/// The counts of the innermost service for one route.
#[derive(Default)]
struct ServiceCounts {
    called: AtomicU32,
    answered: AtomicU32,
}

#[derive(Clone)]
struct CountingService<S> {
    inner: S,
    seen: Arc<ServiceCounts>,
}

impl<S> Service<Request> for CountingService<S>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send + 'static>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let seen = Arc::clone(&self.seen);
        seen.called.fetch_add(1, Ordering::Relaxed);
        let response = self.inner.call(request);
        Box::pin(async move {
            let response = response.await;
            seen.answered.fetch_add(1, Ordering::Relaxed);
            response
        })
    }
}

/// How many requests were sent, by plan and route.
type Sent = BTreeMap<(Plan, Route), u32>;

/// Sends a seeded choice of requests, a few on each connection.
async fn misbehave(address: SocketAddr, seed: u64) -> Sent {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut sent = Sent::new();
    let mut stalled = VecDeque::new();
    let mut left = CALLS;
    while left > 0 {
        let calls = random.u32(1..=left.min(4));
        left -= calls;
        let mut client = RawClient::connect(address).await;
        for call in 1..=calls {
            let (plan, route) = choose(&mut random, call == calls);
            *sent.entry((plan, route)).or_default() += 1;
            request(&mut client, plan, route, &mut random).await;
            if plan == Plan::Stall {
                // It is closed when four more have stalled.
                stalled.push_back(client);
                if stalled.len() > 4 {
                    stalled.pop_front();
                }
                break;
            }
        }
    }
    sent
}

fn choose(random: &mut fastrand::Rng, last: bool) -> (Plan, Route) {
    if !last {
        return (Plan::Finish, ROUTES[random.usize(..5)]);
    }
    let plan = PLANS[random.usize(..PLANS.len())];
    // No client waits for a response that never comes. None closes in the middle of its
    // request body either: hyper does not notice, because it has stopped reading.
    let waits = !matches!(plan, Plan::Finish | Plan::Upload);
    (plan, ROUTES[random.usize(..if waits { 7 } else { 6 })])
}

async fn request(client: &mut RawClient, plan: Plan, route: Route, random: &mut fastrand::Rng) {
    let (length, now) = match (plan, route) {
        (Plan::Upload, _) => (UPLOAD, UPLOAD / 2),
        (_, Route::Echo) => (UPLOAD, UPLOAD),
        _ => (0, 0),
    };
    client.send(&path(plan, route), length, now).await;
    match (plan, route) {
        (Plan::Finish, Route::Panic) => return client.until_closed().await,
        (Plan::Finish, _) => {
            return assert_eq!(client.finish().await, body_length(route), "{route:?}");
        }
        (Plan::Stall, Route::Panic | Route::Never) => {}
        (Plan::Stall, _) => client.peep().await,
        // Meanwhile the server may start or finish.
        _ => {
            for _ in 0..random.u8(..16) {
                yield_now().await;
            }
        }
    }
    let either = matches!(plan, Plan::Stall | Plan::Upload) && random.bool();
    if plan == Plan::HalfClose {
        client.half_close().await;
    } else if plan == Plan::Reset || either {
        client.reset_when_dropped();
    }
}

#[test]
fn every_request_that_reaches_the_service_ends_once_whatever_clients_do() {
    let registry = Registry::new();
    let mut seen: BTreeMap<(Plan, Route), Arc<ServiceCounts>> = BTreeMap::new();
    let mut app = Router::new();
    for plan in PLANS {
        for route in ROUTES {
            let seen = Arc::clone(seen.entry((plan, route)).or_default());
            let witness = layer_fn(move |inner| CountingService {
                inner,
                seen: Arc::clone(&seen),
            });
            let handler = move |request: Request| answer(plan, route, request);
            app = app.route(&path(plan, route), any(handler).layer(witness));
        }
    }
    let ends = RequestEnds::default();
    let layer = MetricsLayer::new().registry(&registry).body_sizes();
    let app = app.layer(ends.observe(layer));

    let mut builder = runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).enable_all().build().unwrap();
    let sent = runtime.block_on(async {
        let server = Server::start(app).await;
        let clients: Vec<_> = (0..CLIENTS)
            .map(|seed| tokio::spawn(misbehave(server.address, seed)))
            .collect();
        let mut sent = Sent::new();
        for client in clients {
            for (call, number) in client.await.unwrap() {
                *sent.entry(call).or_default() += number;
            }
        }
        server.stop().await;
        sent
    });
    // Waits until the connection's task has dropped everything.
    drop(runtime);

    assert_eq!(sent.values().sum::<u32>(), 50_000);
    let mut all = 0.0;
    for ((plan, route), seen) in seen {
        let path = path(plan, route);
        let of_route = |metric| sum(&registry, metric, &[("route", &path)]);
        let ended = |outcome| {
            let labels = [("route", path.as_str()), ("outcome", outcome)];
            sum(&registry, "http_requests_total", &labels)
        };
        let called = f64::from(seen.called.load(Ordering::Relaxed));
        let answered = f64::from(seen.answered.load(Ordering::Relaxed));
        all += called;
        assert_eq!(of_route("http_requests_total"), called, "{path}");
        assert_eq!(of_route("http_request_duration_seconds"), called, "{path}");
        let unanswered = ended("cancelled_before_head") + ended("panic");
        assert_eq!(unanswered, called - answered, "{path}");
        if let Some(outcome) = only(plan, route) {
            assert_eq!(ended(outcome), called, "{path} {outcome}");
        }
        if (plan, route) == (Plan::Upload, Route::Echo) {
            assert_eq!(ended("ok"), 0.0, "half of a body was echoed as a whole one");
        }
        // Of whole bodies and of cancelled ones.
        for body in ["request", "response"] {
            let bytes = format!("http_{body}_body_bytes_total");
            let sizes = format!("http_{body}_body_size_bytes");
            let labels = [("route", path.as_str())];
            let bytes = sum(&registry, &bytes, &labels);
            assert_eq!(observed(&registry, &sizes, &labels), bytes, "{path}");
        }
        assert_eq!(of_route("http_request_body_size_bytes"), called, "{path}");
        assert_eq!(
            of_route("http_response_body_size_bytes"),
            answered,
            "{path}"
        );
        let sent = f64::from(*sent.get(&(plan, route)).unwrap_or(&0));
        assert!(
            called > 0.0 || sent == 0.0,
            "{path}: what is tested never happened"
        );
        if plan == Plan::Finish {
            assert_eq!(called, sent, "{path}");
            let bytes = sent * to_f64(body_length(route));
            assert_eq!(of_route("http_response_body_bytes_total"), bytes, "{path}");
        }
    }
    assert_eq!(sum(&registry, "http_requests_total", &[]), all);
    ends.assert_counted(&registry);
    for gauge in ["http_requests_in_flight", "http_streams_in_flight"] {
        assert_eq!(sum(&registry, gauge, &[]), 0.0, "{gauge}");
    }
}
