//! A service with requests, LLM calls and system metrics, and a clock set by the test.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Path;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{get, post};
use futures_util::stream;
use http_body_util::{BodyExt, Full};
use serde_json::json;
use tachometer::llm::{LlmService, Outcome, Price, PriceTable, Usage};
use tachometer::{Buckets, LlmLayer, MetricsLayer, MetricsRouter, Registry};
use tower::util::BoxCloneSyncService;
use tower::{ServiceExt, service_fn};

use crate::support::loopback::Server;

/// One instance of the service.
pub(super) struct Instance {
    pub(super) registry: Registry,
    pub(super) server: Server,
    app: Router,
    held: Vec<Response<Body>>,
}

type Question = Request<Full<Bytes>>;
type Upstream = BoxCloneSyncService<Question, Response<Body>, std::io::Error>;

/// A clock that the test advances.
#[derive(Clone)]
struct Clock(Instant, Arc<AtomicU64>);

impl Clock {
    fn new() -> Self {
        Self(Instant::now(), Arc::default())
    }

    fn now(&self) -> Instant {
        self.0 + Duration::from_millis(self.1.load(Ordering::Relaxed))
    }

    fn pass(&self, millis: u64) {
        self.1.fetch_add(millis, Ordering::Relaxed);
    }
}

impl Instance {
    pub(super) async fn start(buckets: Buckets) -> Self {
        let registry = Registry::new();
        let app = app(&registry, buckets);
        let metrics = MetricsRouter::new()
            .registry(&registry)
            .max_concurrent_scrapes(20);
        let serving = Router::new().nest("/metrics", metrics.build());
        Self {
            registry,
            server: Server::start(serving).await,
            app,
            held: Vec::new(),
        }
    }

    /// Ends the requests in flight.
    pub(super) fn let_go(&mut self) {
        self.held.clear();
    }

    async fn get(&self, path: &str) -> Response<Body> {
        let request = Request::get(path).body(Body::empty()).unwrap();
        self.app.clone().oneshot(request).await.unwrap()
    }

    pub(super) async fn read(&self, path: &str) {
        let body = self.get(path).await.into_body();
        // One of the bodies breaks off, as intended.
        let _ = body.collect().await;
    }

    /// Makes every kind of request and call, some several times; returns when the requests have
    /// ended.
    pub(super) async fn traffic(&mut self, times: u64) -> f64 {
        // First of all, so that it is there when the others have ended.
        self.held.push(self.get("/stream").await);
        let mut ended = 0;
        for number in 1..=times {
            for millis in [3, 20 * number, 130, 700] {
                self.read(&format!("/ok/{millis}")).await;
            }
            for path in ["/ok/400", "/fail", "/broken", "/nowhere"] {
                self.read(path).await;
            }
            for model in ["priced", "unpriced", "failing", "limited"] {
                self.read(&format!("/ask/{model}")).await;
            }
            let upload = Request::post("/echo").body(Body::from("12345678")).unwrap();
            let echo = self.app.clone().oneshot(upload).await.unwrap();
            echo.into_body().collect().await.unwrap();
            ended += 13;
        }
        f64::from(ended)
    }
}

fn app(registry: &Registry, buckets: Buckets) -> Router {
    let clock = Clock::new();
    let layer = MetricsLayer::new()
        .registry(registry)
        .buckets(buckets)
        .service_level("/ok/{millis}", Duration::from_millis(250));
    let now = clock.clone();
    let layer = layer.clock(move || now.now());
    let now = clock.clone();
    let llm = LlmLayer::new()
        .registry(registry)
        .provider_for_host("llm.test", "openai")
        .known_models(["priced", "unpriced", "failing", "limited"])
        .prices(PriceTable::new().model("priced", Price::per_million(2e5, 4e5)))
        .route_metrics()
        .clock(move || now.now());
    let upstream = clock.clone();
    let client = llm.layer(BoxCloneSyncService::new(service_fn(
        move |request: Question| answer(upstream.clone(), request),
    )));
    let wait = clock.clone();
    let waits = async move |Path(millis): Path<u64>| wait.pass(millis);
    Router::new()
        .route("/ok/{millis}", get(waits))
        .route("/once", get(async || {}))
        .route("/fail", get(async || StatusCode::BAD_GATEWAY))
        .route("/broken", get(async || broken()))
        .route("/echo", post(async |body: Bytes| body))
        .route("/stream", get(async || endless()))
        .route(
            "/ask/{model}",
            get(async move |Path(model): Path<String>| {
                by_hand(&llm, &clock, &model);
                call_model(client.clone(), &model).await;
            }),
        )
        .layer(layer)
}

/// A body that ends too soon.
fn broken() -> impl IntoResponse {
    let pieces = [Ok("some"), Err(std::io::Error::other("gone"))];
    Body::from_stream(stream::iter(pieces))
}

fn endless() -> impl IntoResponse {
    let pieces = stream::pending::<Result<&str, std::io::Error>>();
    let head = [(CONTENT_TYPE, "text/event-stream")];
    (head, Body::from_stream(pieces))
}

/// Records a streamed response manually, as for a client that hides its HTTP.
fn by_hand(llm: &LlmLayer, clock: &Clock, model: &str) {
    let mut call = llm.start_call("local", model, "chat");
    clock.pass(240);
    call.first_token();
    clock.pass(900);
    call.set_usage(Usage::new().input(21).output(19));
    call.finish(Outcome::Success);
}

async fn call_model(client: LlmService<Upstream>, model: &str) {
    let body = json!({"model": model, "messages": [{"role": "user", "content": "?"}]});
    let request = Request::post("http://llm.test/v1/chat/completions");
    let request = request.header(CONTENT_TYPE, "application/json");
    let request = request.body(Full::from(body.to_string())).unwrap();
    if let Ok(answer) = client.oneshot(request).await {
        let _ = answer.into_body().collect().await;
    }
}

/// Responds like a provider, with the remaining rate limits.
async fn answer(clock: Clock, request: Question) -> Result<Response<Body>, std::io::Error> {
    clock.pass(350);
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let question: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let status = match question["model"].as_str() {
        Some("failing") => StatusCode::INTERNAL_SERVER_ERROR,
        Some("limited") => StatusCode::TOO_MANY_REQUESTS,
        _ => StatusCode::OK,
    };
    let answer = json!({
        "id": "1",
        "object": "chat.completion",
        "model": question["model"],
        "choices": [{
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": "!"},
        }],
        "usage": {"prompt_tokens": 30, "completion_tokens": 5, "total_tokens": 35},
    });
    let headers = [
        ("x-ratelimit-remaining-requests", "45"),
        ("x-ratelimit-limit-requests", "60"),
        ("x-ratelimit-reset-requests", "1h0m0s"),
        ("x-ratelimit-remaining-tokens", "1500"),
        ("x-ratelimit-limit-tokens", "150000"),
        ("x-ratelimit-reset-tokens", "1h0m0s"),
        ("content-type", "application/json"),
    ];
    Ok((status, headers, answer.to_string()).into_response())
}
