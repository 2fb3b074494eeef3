//! Compares the time that layers add to a request through an axum router.
//!
//! `cargo run --release --bin layers` in this folder.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use axum::routing::{Route, get};
use axum_prometheus::PrometheusMetricLayer;
use http_body::Body as _;
use tokio::runtime::Runtime;
use tower::{Layer, Service};

use tachometer_rivals::{Candidate, compare};

/// It installs a global recorder, so it can be created only once. Its upkeep needs a runtime.
static PROMETHEUS: LazyLock<(Runtime, PrometheusMetricLayer<'static>)> = LazyLock::new(|| {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(1).enable_time().build();
    let runtime = runtime.expect("a runtime");
    let entered = runtime.enter();
    let (layer, _) = PrometheusMetricLayer::pair();
    drop(entered);
    (runtime, layer)
});

fn main() {
    for threads in [1, 2] {
        let work = "a request through axum's router, with a layer";
        compare(work, threads, &layers());
    }
}

fn layers() -> Vec<Candidate> {
    let routes = || Router::new().route("/users/{id}", get(async || "a user"));
    let ours = || tachometer::MetricsLayer::new().registry(&tachometer::Registry::new());
    vec![
        candidate("no layer", routes()),
        candidate("no-op", routes().layer(Noop)),
        candidate("baseline", routes().layer(Baseline::default())),
        candidate(
            "baseline, bodies wrapped",
            routes().layer(WrappedBodies(Baseline::default())),
        ),
        candidate("tachometer", routes().layer(ours())),
        candidate("tachometer, boxed", routes().layer(ours().boxed())),
        candidate("axum-prometheus 0.10", routes().layer(PROMETHEUS.1.clone())),
        candidate("axum-otel-metrics 0.14", routes().layer(axum_otel())),
        candidate("tower-otel-http-metrics 0.16", routes().layer(tower_otel())),
        candidate(
            "opentelemetry-instrumentation-tower 0.19",
            routes().layer(instrumentation()),
        ),
        candidate(
            "from_fn with metrics 0.24",
            routes().layer(from_fn(by_hand)),
        ),
    ]
}

/// The OpenTelemetry layers use its SDK, which is read once per minute, its default.
fn axum_otel() -> axum_otel_metrics::HttpMetricsLayer {
    use opentelemetry_sdk_32::metrics::{InMemoryMetricExporter, SdkMeterProvider};
    let provider = SdkMeterProvider::builder();
    let provider = provider.with_periodic_exporter(InMemoryMetricExporter::default());
    axum_otel_metrics::HttpMetricsLayerBuilder::new()
        .with_provider(provider.build())
        .build()
}

fn tower_otel() -> tower_otel_http_metrics::HTTPMetricsLayer {
    use opentelemetry_30::metrics::MeterProvider;
    use opentelemetry_sdk_30::metrics::{InMemoryMetricExporter, SdkMeterProvider};
    // A dropped provider stops measuring.
    static PROVIDER: LazyLock<SdkMeterProvider> = LazyLock::new(|| {
        let provider = SdkMeterProvider::builder();
        let provider = provider.with_periodic_exporter(InMemoryMetricExporter::default());
        provider.build()
    });
    let layer = tower_otel_http_metrics::HTTPMetricsLayerBuilder::builder()
        .with_meter(PROVIDER.meter("benchmark"));
    layer.build().expect("a layer")
}

fn instrumentation() -> opentelemetry_instrumentation_tower::http::server::Layer {
    use opentelemetry_instrumentation_tower::http::server::LayerBuilder;
    use opentelemetry_sdk_33::metrics::{InMemoryMetricExporter, SdkMeterProvider};
    let provider = SdkMeterProvider::builder();
    let provider = provider.with_periodic_exporter(InMemoryMetricExporter::default());
    opentelemetry_33::global::set_meter_provider(provider.build());
    let layer = LayerBuilder::builder().with_tracing(false);
    layer.build().expect("a layer")
}

/// Creates a candidate that sends requests. It needs no runtime, since nothing blocks.
fn candidate(name: &'static str, router: Router) -> Candidate {
    // With its state, the router applies its layers once and not per request.
    let router = router.with_state::<()>(());
    Candidate::looped(name, move |iterations| {
        let mut router = router.clone();
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..iterations {
            let request = Request::get("/users/7").body(Body::empty());
            let mut future = Box::pin(router.call(request.expect("a valid request")));
            let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut context) else {
                unreachable!("the handler waits for nothing");
            };
            let mut body = response.into_body();
            while let Poll::Ready(Some(_)) = Pin::new(&mut body).poll_frame(&mut context) {}
        }
    })
}

/// A typical handwritten middleware.
async fn by_hand(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or("unmatched", MatchedPath::as_str).to_owned();
    let method = request.method().to_string();
    let started = Instant::now();
    let response = next.run(request).await;
    let status = response.status().as_u16().to_string();
    let labels = [("method", method), ("route", route), ("status", status)];
    metrics::counter!("requests_total", &labels).increment(1);
    metrics::histogram!("request_seconds", &labels).record(started.elapsed().as_secs_f64());
    response
}

#[derive(Clone)]
struct Noop;

impl<S> Layer<S> for Noop {
    type Service = S;

    fn layer(&self, inner: S) -> S {
        inner
    }
}

/// The minimum of a measuring layer: two clock readings, three adds, and a boxed future.
#[derive(Clone, Default)]
struct Baseline(Arc<[AtomicU64; 3]>);

#[derive(Clone)]
struct BaselineService {
    inner: Route,
    numbers: Arc<[AtomicU64; 3]>,
}

impl Layer<Route> for Baseline {
    type Service = BaselineService;

    fn layer(&self, inner: Route) -> BaselineService {
        BaselineService {
            inner,
            numbers: Arc::clone(&self.0),
        }
    }
}

/// The baseline with wrapped bodies, which are necessary to count bytes and to see the end. axum
/// then boxes both.
#[derive(Clone, Default)]
struct WrappedBodies(Baseline);

#[derive(Clone)]
struct WrappedBodiesService(BaselineService);

/// A body that only forwards.
struct Wrapped(Body);

impl Layer<Route> for WrappedBodies {
    type Service = WrappedBodiesService;

    fn layer(&self, inner: Route) -> WrappedBodiesService {
        WrappedBodiesService(self.0.layer(inner))
    }
}

impl Service<Request> for WrappedBodiesService {
    type Response = Response<Wrapped>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Wrapped>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        // One boxed future, like the baseline.
        self.0.time(request.map(Wrapped), Wrapped)
    }
}

impl http_body::Body for Wrapped {
    type Data = axum::body::Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Self::Data>, Self::Error>>> {
        Pin::new(&mut self.0).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.0.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.0.size_hint()
    }
}

impl BaselineService {
    /// Calls the service, and wraps the response body with `wrap`.
    fn time<Q, R: 'static>(
        &mut self,
        request: axum::http::Request<Q>,
        wrap: impl FnOnce(Body) -> R + Send + 'static,
    ) -> Pin<Box<dyn Future<Output = Result<Response<R>, Infallible>> + Send>>
    where
        Q: http_body::Body<Data = axum::body::Bytes, Error: Into<axum::BoxError>> + Send + 'static,
    {
        let numbers = Arc::clone(&self.numbers);
        let started = Instant::now();
        let response = self.inner.call(request);
        Box::pin(async move {
            let response = response.await;
            let nanos = u64::try_from(started.elapsed().as_nanos()).unwrap_or(u64::MAX);
            for (number, amount) in numbers.iter().zip([1, nanos, 1]) {
                number.fetch_add(amount, Ordering::Relaxed);
            }
            response.map(|response| response.map(wrap))
        })
    }
}

impl Service<Request> for BaselineService {
    type Response = Response;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request) -> Self::Future {
        self.time(request, |body| body)
    }
}
