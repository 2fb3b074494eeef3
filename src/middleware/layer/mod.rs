//! The layer and its settings.

mod end;
mod env;
mod labels;
mod names;
mod routes;
mod sizes;
mod times;

use std::fmt;
use std::sync::Arc;

use tower::Layer;

use crate::error::Error;
#[cfg(feature = "axum")]
use crate::middleware::boxed::BoxedMetricsLayer;
use crate::middleware::metrics::HttpMetrics;
use crate::middleware::service::MetricsService;
use crate::middleware::service_state::ServiceState;
use crate::middleware::settings::Settings;
use crate::middleware::wrap_request_body::WrapRequestBodyLayer;
use crate::registry::{LayerMetrics, LazyMetrics, Registry};

/// Measures every request of the services that it wraps.
///
/// See the [module](crate::middleware) for examples and the metrics. Clones share their
/// metrics.
#[derive(Clone, Default)]
#[must_use = "a layer does nothing until a service is wrapped in it"]
#[doc(alias = "middleware")]
#[doc(alias = "tower")]
pub struct MetricsLayer {
    metrics: LazyMetrics<Arc<HttpMetrics>>,
    is_disabled: bool,
}

impl MetricsLayer {
    /// Makes a layer that counts into the [global registry](Registry::global).
    ///
    /// The metrics are registered when the layer first wraps a service, which in
    /// `Router::layer` is at start-up.
    ///
    /// # Panics
    ///
    /// Not here, but when the layer first wraps a service: if the registry holds something else
    /// under the name of one of its metrics. `MethodRouter::layer` and `route_layer` wrap
    /// lazily, maybe as late as at the first connection. Call
    /// [`try_register`](Self::try_register) to get an error at start-up instead.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a layer like [`new`](Self::new) and registers its metrics at once, in the global
    /// registry.
    ///
    /// For a custom registry, end with [`try_register`](Self::try_register) instead:
    /// `MetricsLayer::new().registry(&registry).try_register()`.
    ///
    /// # Errors
    ///
    /// Returns an error if the global registry holds something else under the name of one of the
    /// layer's metrics, or the same with other labels or buckets ([`Error::is_conflict`]).
    pub fn try_new() -> Result<Self, Error> {
        Self::new().try_register()
    }

    /// Counts into `registry` instead of the global one.
    pub fn registry(self, registry: &Registry) -> Self {
        Self {
            metrics: self.metrics.set_registry(registry),
            ..self
        }
    }

    /// Registers the layer's metrics now, rather than when it first wraps a service.
    ///
    /// ```
    /// use tachometer::{MetricsLayer, Registry};
    ///
    /// let registry = Registry::new();
    /// registry.gauge("http_requests_total", "Not a counter.")?;
    /// let error = MetricsLayer::new().registry(&registry).try_register().unwrap_err();
    /// assert!(error.is_conflict());
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Returns an error if the registry holds something else under the name of one of the
    /// metrics, or the same with other labels or buckets ([`Error::is_conflict`]), and if a
    /// [prefix](Self::prefix) or a custom label is invalid or duplicate
    /// ([`Error::is_invalid_name`], [`Error::is_invalid_label`]). The same for
    /// [methods](Self::methods) ([`Error::is_invalid_method`]).
    pub fn try_register(self) -> Result<Self, Error> {
        if !self.is_disabled {
            self.metrics.try_register()?;
        }
        Ok(self)
    }
}

/// # Kinds of layers
///
/// These come after all other settings.
impl MetricsLayer {
    /// Returns a layer whose responses have axum's `Body`, and not
    /// [`ResponseBody`](crate::middleware::ResponseBody).
    ///
    /// It fits where the type of the response matters: around a `Router` that is served with
    /// other middleware or with the addresses of clients, and in tower's `option_layer`. As the
    /// outermost layer of a `Router::layer` call it costs less than this layer.
    ///
    /// ```
    /// use axum::{Router, routing::get};
    /// use tachometer::MetricsLayer;
    /// use tower::Layer;
    ///
    /// # fn run(is_measured: bool) {
    /// // Around the router. The layer inside of it tells the routes, and `with_state` applies it
    /// // once instead of for each request.
    /// let app: Router = Router::new()
    ///     .route("/users/{id}", get(async || "a user"))
    ///     .layer(MetricsLayer::new())
    ///     .with_state(());
    /// let service = MetricsLayer::new()
    ///     .boxed()
    ///     .layer(app)
    ///     .into_make_service_with_connect_info::<std::net::SocketAddr>();
    ///
    /// // If it is switched on.
    /// let layer = is_measured.then(|| MetricsLayer::new().boxed());
    /// let app: Router = Router::new()
    ///     .route("/users/{id}", get(async || "a user"))
    ///     .layer(tower::util::option_layer(layer));
    /// # }
    /// ```
    #[cfg(feature = "axum")]
    pub fn boxed(self) -> BoxedMetricsLayer {
        BoxedMetricsLayer::new(self)
    }

    /// Returns a layer that wraps request bodies of any type in a
    /// [`RequestBody`](crate::middleware::RequestBody), and counts their bytes.
    ///
    /// The service gets `Request<RequestBody<B>>` instead of `Request<B>`. Use it for services
    /// whose request body is not axum's `Body`, such as those of hyper or tonic without
    /// axum's router.
    ///
    /// ```
    /// use std::convert::Infallible;
    ///
    /// use http::{Request, Response};
    /// use tachometer::middleware::RequestBody;
    /// use tachometer::{MetricsLayer, Registry};
    /// use tower::{Layer, service_fn};
    ///
    /// async fn handle<B>(request: Request<RequestBody<B>>) -> Result<Response<String>, Infallible> {
    ///     Ok(Response::new(format!("you asked for {}", request.uri())))
    /// }
    ///
    /// let layer = MetricsLayer::new().registry(&Registry::new()).wrap_request_body();
    /// let service = layer.layer(service_fn(handle::<String>));
    /// # fn is_service<S: tower::Service<Request<String>>>(_: S) {}
    /// # is_service(service);
    /// ```
    pub fn wrap_request_body(self) -> WrapRequestBodyLayer {
        WrapRequestBodyLayer::new(self)
    }

    /// Switches the layer off with `false`, without a change of its type. Then it registers no
    /// metrics, and requests pass.
    #[doc(alias = "disable")]
    pub fn enabled(self, is_enabled: bool) -> Self {
        Self {
            is_disabled: !is_enabled,
            ..self
        }
    }
}

impl MetricsLayer {
    /// Returns the state of another wrapped service, or `None` if the layer is switched off.
    ///
    /// # Panics
    ///
    /// The first time, if the metrics cannot be registered.
    pub(super) fn service_state(&self) -> Option<Arc<ServiceState>> {
        if self.is_disabled {
            return None;
        }
        let metrics = Arc::clone(self.metrics.get_or_register());
        Some(Arc::new(ServiceState::new(metrics)))
    }

    fn set(self, change: impl FnOnce(&mut Settings)) -> Self {
        Self {
            metrics: self.metrics.set(change),
            ..self
        }
    }
}

impl LayerMetrics for Arc<HttpMetrics> {
    type Settings = Settings;

    const LAYER: &'static str = "MetricsLayer";

    fn register(registry: &Registry, settings: Settings) -> Result<Self, Error> {
        HttpMetrics::new(registry, settings).map(Arc::new)
    }
}

impl fmt::Debug for MetricsLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsLayer")
            .field("prefix", &self.metrics.settings().prefix)
            .field("is_registered", &self.metrics.is_registered())
            .finish_non_exhaustive()
    }
}

impl<S> Layer<S> for MetricsLayer {
    type Service = MetricsService<S>;

    /// Wraps a service.
    ///
    /// # Panics
    ///
    /// The first time, if the metrics cannot be registered. See
    /// [`try_register`](Self::try_register) for the reasons.
    fn layer(&self, inner: S) -> Self::Service {
        MetricsService::new(inner, self.service_state())
    }
}
