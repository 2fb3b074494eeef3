//! `Debug` output shows no value of a client, and at most one line.

use std::fmt::Debug;
use std::mem;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use axum::http::header::{HeaderMap, HeaderValue};
use axum::http::{Request, Response};
use http_body::Body;
use tachometer::export::Format;
use tachometer::llm::{PriceTable, RequestModel};
use tachometer::middleware::{
    RequestBody, RequestLabels, UpgradeGuard, WrapRequestBodyLayer, WrapRequestBodyService,
};
use tachometer::registry::{Collect, CollectSink};
use tachometer::snapshot::{Desc, Kind};
use tachometer::{
    Counter, Gauge, Histogram, Label, LlmLayer, MetricsLayer, MetricsRouter, Registry,
    RequestRoute, SystemMetrics,
};
use tower::{Layer, Service};

/// A part of every value that a client sends.
const CANARY: &str = "CANARY";

/// Asserts that `Debug` prints no client value, and only a short line.
#[track_caller]
fn assert_silent(value: &impl Debug) {
    let line = format!("{value:?}");
    for text in [&line, &format!("{value:#?}")] {
        assert!(!text.contains(CANARY), "{text}");
        for internal in ["RwLock", "OnceLock", "Mutex", "Sharded", "Cell", "Arc"] {
            assert!(!text.contains(internal), "{internal} in {text}");
        }
    }
    assert!(line.len() < 200, "{} bytes: {line}", line.len());
}

fn canary(name: &str) -> String {
    format!("{CANARY}-{name}")
}

fn headers(into: &mut HeaderMap) {
    for name in ["authorization", "cookie", "host", "x-label", "x-trace"] {
        into.insert(name, HeaderValue::try_from(canary(name)).unwrap());
    }
}

fn request() -> Request<String> {
    let uri = format!("http://{CANARY}-user:{CANARY}-password@{CANARY}-host/{CANARY}?q={CANARY}");
    let request = Request::builder().method("CANARY").uri(uri);
    let mut request = request.body(canary("body")).unwrap();
    headers(request.headers_mut());
    // The layer then adds a guard.
    let upgrade = HeaderValue::from_static("CANARY-protocol");
    request.headers_mut().insert("upgrade", upgrade);
    request
}

fn response() -> Response<String> {
    let mut response = Response::new(canary("answer"));
    headers(response.headers_mut());
    response
}

/// A service that holds a secret. Its future holds the request.
#[derive(Debug, Clone)]
struct SecretService(#[expect(dead_code, reason = "only `Debug` would read it")] &'static str);

#[derive(Debug)]
struct ResponseFuture {
    request: Request<RequestBody<String>>,
    polled: bool,
}

impl Service<Request<RequestBody<String>>> for SecretService {
    type Response = Response<String>;
    type Error = String;
    type Future = ResponseFuture;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), String>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<RequestBody<String>>) -> ResponseFuture {
        assert_silent(request.body());
        let labels: RequestLabels = request.extensions_mut().remove().unwrap();
        assert!(labels.set("handler", canary("handler")));
        assert_silent(&labels);
        let guard: UpgradeGuard = request.extensions_mut().remove().unwrap();
        assert_silent(&guard);
        let route = RequestRoute::current();
        assert_eq!(route.name(), Some("CANARY-authorization"));
        assert_silent(&route);
        ResponseFuture {
            request,
            polled: false,
        }
    }
}

impl Future for ResponseFuture {
    type Output = Result<Response<String>, String>;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        if mem::replace(&mut self.polled, true) {
            assert!(!self.request.headers().is_empty());
            Poll::Ready(Ok(response()))
        } else {
            Poll::Pending
        }
    }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    Some(headers.get(name)?.to_str().ok()?.to_owned())
}

/// Returns a layer with every optional setting enabled.
fn layer(registry: &Registry) -> WrapRequestBodyLayer {
    MetricsLayer::new()
        .registry(registry)
        .route_from(|head| Some(text(&head.headers, "authorization")?.into()))
        .label_from_request(Label::closed("closed", ["a"]), |head| {
            Some(text(&head.headers, "x-label")?.into())
        })
        .label_from_request("open", |head| Some(text(&head.headers, "host")?.into()))
        .label_from_response(Label::closed("response", ["a"]), |head| {
            Some(text(&head.headers, "x-label")?.into())
        })
        .label_from_handler(Label::closed("handler", ["a"]))
        .exemplar_from(|head| Some(text(&head.headers, "x-trace")?.into()))
        .time_to_first_byte()
        .body_sizes()
        .methods(["PURGE"])
        .skip_unmatched()
        .wrap_request_body()
}

#[test]
fn debug_output_of_the_layer_shows_no_value_of_a_request() {
    let registry = Registry::new();
    let layer = layer(&registry);
    assert_silent(&layer);
    let mut service: WrapRequestBodyService<SecretService> =
        layer.layer(SecretService("CANARY-key"));
    assert_silent(&layer);
    assert_silent(&service);
    let mut context = Context::from_waker(Waker::noop());
    let mut future = pin!(service.call(request()));
    assert_silent(&future);
    assert!(future.as_mut().poll(&mut context).is_pending());
    assert_silent(&future);
    let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut context) else {
        panic!("there is nothing to wait for");
    };
    assert_silent(&future);
    let mut body = pin!(response.into_body());
    assert_silent(&body);
    while let Poll::Ready(Some(frame)) = body.as_mut().poll_frame(&mut context) {
        assert!(frame.is_ok());
        assert_silent(&body);
    }
    assert_silent(&registry);
    // The values were stored: the open label and the exemplar hold them.
    let exported = registry.export(Format::OpenMetrics).to_bytes();
    let exported = String::from_utf8(exported).unwrap();
    assert!(exported.contains(r#"open="CANARY-host""#), "{exported}");
    assert!(
        exported.contains(r#"trace_id="CANARY-x-trace""#),
        "{exported}"
    );
    assert!(!exported.contains("CANARY-x-label"), "{exported}");
    assert!(!exported.contains("CANARY-handler"), "{exported}");
}

/// A collector whose series have a client's value as a label.
#[derive(Debug)]
struct Customers(Arc<Mutex<bool>>);

impl Collect for Customers {
    fn describe(&self) -> Vec<Desc> {
        vec![Desc::new("customers", "Customers.", Kind::Gauge)]
    }

    fn collect(&self, collected: &mut CollectSink<'_>) {
        collected.gauge("customers", [("name", canary("name").as_str())], 1);
        assert_silent(collected);
        *self.0.lock().unwrap() = true;
    }
}

#[tokio::test]
async fn debug_output_of_a_handle_is_one_line() {
    let registry = Registry::new();
    let counters = registry.counter_family("counters_total", "Counters.", ["customer"]);
    let counters = counters.unwrap();
    let gauges = registry.gauge_family("gauges", "Gauges.", ["customer"]);
    let histograms = registry.histogram_family("seconds", "Seconds.", ["customer"]);
    let (gauges, histograms) = (gauges.unwrap(), histograms.unwrap());
    for number in 0..1_000 {
        let customer = canary(&number.to_string());
        counters.with([&customer]).inc_by(0.1);
        gauges.with([&customer]).set(1e300);
        histograms.with([&customer]).observe(f64::from(number));
    }
    assert_silent(&counters.with(["CANARY-7"]));
    assert_silent(&gauges.with(["CANARY-7"]));
    let histogram = histograms.with(["CANARY-7"]);
    assert_silent(&histogram);
    assert_silent(&(Counter::new(), Gauge::new(), Histogram::new()));
    assert_silent(&histogram.start_timer());
    assert_silent(&counters);
    assert_silent(&gauges);
    assert_silent(&histograms);
    let called = Arc::new(Mutex::new(false));
    registry.collector(Customers(Arc::clone(&called))).unwrap();
    assert!(registry.export_prometheus().contains("CANARY-name"));
    assert!(*called.lock().unwrap());
    assert_silent(&registry);
    assert_silent(&registry.get("seconds").unwrap());
    assert_silent(&registry.export(Format::Json).filter_names([CANARY]));
    let router = MetricsRouter::new().registry(&registry);
    let router = router.bearer_token(CANARY).basic_auth(CANARY, CANARY);
    assert_silent(&router);
    #[cfg(feature = "serve")]
    assert_silent(&router.serve_on("127.0.0.1:0").await.unwrap());
    assert_silent(&SystemMetrics::new());
    let interval = std::time::Duration::from_secs(3_600);
    assert_silent(&registry.update_system_metrics_every(interval));
}

#[test]
fn debug_output_of_llm_types_shows_no_name_from_callers() {
    let registry = Registry::new();
    let layer = LlmLayer::new().registry(&registry);
    assert_silent(&layer);
    let llm = layer.clone().try_register().unwrap();
    for number in 0..1_000 {
        drop(llm.start_call("openai", &format!("gpt-{number}"), "chat"));
    }
    assert_silent(&layer);
    assert_silent(&llm);
    let mut call = llm.start_call("CANARY-provider", "CANARY-model", "CANARY-operation");
    call.first_token();
    assert_silent(&call);
    assert_silent(&RequestModel::new("CANARY-model"));
    assert_silent(&layer.layer(CANARY));
    assert_silent(&PriceTable::new());
    assert_silent(&registry);
}
