//! The builder of the router, with all of its settings.

use std::fmt;
use std::time::Duration;

use axum::Router;

#[cfg(feature = "dashboard")]
use crate::dashboards::AlertRules;
use crate::error::Error;
use crate::registry::Registry;
use crate::router::access::AccessSettings;
#[cfg(feature = "dashboard")]
use crate::router::dashboard::DashboardSettings;
use crate::router::router_state::{RouterState, ScrapeSettings};
use crate::router::routes::Routes;
#[cfg(feature = "serve")]
use crate::router::serve::ListenerSettings;
#[cfg(feature = "system")]
use crate::system::SystemMetrics;

/// Returns a router that serves the global registry. Nest it at `/metrics`.
///
/// It is short for `MetricsRouter::new().build()`. See the [module](crate::router) for the
/// paths.
#[doc(alias("prometheus", "exporter"))]
pub fn metrics_router<S>() -> Router<S>
where
    S: Clone + Send + Sync + 'static,
{
    MetricsRouter::new().build()
}

/// A builder for a router that serves the metrics of one or several registries.
///
/// See the [module](crate::router) for the paths of the router.
#[doc(alias("prometheus", "exporter"))]
#[derive(Clone)]
#[must_use = "call `build` to get the router"]
pub struct MetricsRouter {
    /// `None` means the global registry.
    registry: Option<Registry>,
    pub(super) access: AccessSettings,
    pub(super) scrapes: ScrapeSettings,
    /// `None` disables the dashboard.
    #[cfg(feature = "dashboard")]
    dashboard: Option<DashboardSettings>,
    /// `None` disables the system metrics.
    #[cfg(feature = "system")]
    system_metrics: Option<SystemMetrics>,
    #[cfg(feature = "serve")]
    pub(super) listener: ListenerSettings,
}

/// # Registry and scrapes
impl MetricsRouter {
    /// Creates a builder with the default settings, for the global registry.
    pub fn new() -> Self {
        Self {
            registry: None,
            access: AccessSettings::default(),
            scrapes: ScrapeSettings::default(),
            #[cfg(feature = "dashboard")]
            dashboard: Some(DashboardSettings::default()),
            #[cfg(feature = "system")]
            system_metrics: Some(SystemMetrics::new()),
            #[cfg(feature = "serve")]
            listener: ListenerSettings::default(),
        }
    }

    /// Serves `registry` instead of the global registry.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = Some(registry.clone());
        self
    }

    /// Serves several registries as one, such as a custom registry and the global one.
    ///
    /// Scrapes, JSON, the dashboards and the rules cover all of them. See [`Registry::merged`]
    /// for how families are merged. The router registers its own metrics and the system metrics
    /// in the first registry.
    ///
    /// ```
    /// use axum::Router;
    /// use tachometer::{MetricsRouter, Registry};
    ///
    /// let registry = Registry::new();
    /// let metrics = MetricsRouter::new().registries([&registry, Registry::global()])?;
    /// let app: Router = Router::new().nest("/metrics", metrics.build());
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If no registry is given, or if two of them conflict ([`Error::is_conflict`]).
    pub fn registries<'a>(
        self,
        registries: impl IntoIterator<Item = &'a Registry>,
    ) -> Result<Self, Error> {
        Ok(self.registry(&Registry::merged(registries)?))
    }

    /// Sets whether OpenMetrics and protobuf responses contain the creation time of each counter
    /// and histogram. By default protobuf does, and OpenMetrics does not: there they add one
    /// `_created` line to each series.
    ///
    /// Set it to false if a Prometheus server
    /// [crashes](crate::guides::troubleshooting#prometheus-exits-with-unlock-of-unlocked-mutex)
    /// because of them.
    pub fn created_timestamps(mut self, enabled: bool) -> Self {
        self.scrapes.created_timestamps = Some(enabled);
        self
    }

    /// Sets the maximum number of scrapes at a time; by default 8. Further scrapes are answered
    /// with 503. With 0 all are.
    ///
    /// A scrape counts until its response is complete, its client disconnects, or the
    /// [`scrape_timeout`](Self::scrape_timeout) elapses, and in any case while a collector runs
    /// for it. So slow collectors cannot use up the runtime's blocking threads. Requests for
    /// the summary, the dashboard's data, the Grafana dashboard and the rules count as scrapes.
    ///
    /// One client address has at most three quarters of these scrapes, and at least one less
    /// than all: 6 of 8. So one address cannot use all of them, even if it keeps collectors busy
    /// all the time. With a maximum of 1, one client can keep the only scrape busy.
    ///
    /// At the maximum, a new scrape aborts the oldest scrape of the address with the most
    /// scrapes, if that address has at least two more than the new client. Scrapes that are
    /// encoding a part of the response at that moment are not aborted.
    ///
    /// This works only if the server provides client addresses (see
    /// [`allowed_networks`](Self::allowed_networks)). An IPv6 /64 counts as one address. Without
    /// addresses one client can use all scrapes. `MetricsServer` documents what several clients
    /// can do together (tests: `tests/it/router/listener/`).
    #[doc(alias("in_flight", "concurrency_limit"))]
    pub fn max_concurrent_scrapes(mut self, max: usize) -> Self {
        self.scrapes.max_concurrent = max;
        self
    }

    /// Sets after how long a scrape is aborted; by default 30 seconds.
    ///
    /// A scraper can ask for less by `X-Prometheus-Scrape-Timeout-Seconds`, which Prometheus
    /// sends. Less than a second counts as a second.
    ///
    /// At the timeout a scrape frees its memory, whether its client reads or not: its share of
    /// the [`max_concurrent_scrapes`](Self::max_concurrent_scrapes), the encoded part of the
    /// response, and the compressor. Less than 1 KiB remains (tests:
    /// `tests/it/router/scrape_timeout.rs`, `tests/memory.rs`). A collector that is running at
    /// that time is not stopped, but its result is discarded. One thread of this crate handles
    /// all timeouts, so the runtime needs no timers.
    ///
    /// Aborting a response breaks its connection, so that a partial response never looks
    /// complete. (Over HTTP/1.0 the end of the connection is the end of the response; only
    /// the crate's own listener resets the connection.)
    ///
    /// A client that has stopped reading keeps its connection until the server closes it.
    /// `MetricsRouter::serve` closes it one second after the timeout. `axum::serve` does not: it
    /// keeps hyper's write buffer, about 400 KiB, and the socket's buffer until the client
    /// disconnects. If such clients can reach the metrics, use `serve`, or a proxy with a write
    /// timeout.
    #[doc(alias = "deadline")]
    pub fn scrape_timeout(mut self, timeout: Duration) -> Self {
        self.scrapes.timeout = timeout;
        self
    }

    /// Builds the router. It can be nested in a router with any state.
    pub fn build<S>(self) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let Routes { root, subpaths, .. } = self.routes();
        self.access.protect_routes(subpaths.route("/", root))
    }

    /// Returns the routes without access control.
    pub(super) fn routes<S>(&self) -> Routes<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let registry = self.registry.as_ref().unwrap_or_else(|| Registry::global());
        #[cfg(feature = "system")]
        if let Some(system_metrics) = &self.system_metrics {
            system_metrics.register_or_warn(registry);
        }
        let state = RouterState::new(registry, &self.scrapes);
        let routes = Routes::new(&state);
        #[cfg(feature = "dashboard")]
        if let Some(dashboard) = &self.dashboard {
            return routes.with_dashboard(dashboard.routes(&state));
        }
        routes
    }
}

/// # Access control
///
/// A request must pass both checks: first the client's network, then the credentials.
impl MetricsRouter {
    /// Requires `Authorization: Bearer` with this token. Without this and
    /// [`basic_auth`](Self::basic_auth), no credentials are required.
    ///
    /// If it is called several times, or together with `basic_auth`, any one of the credentials
    /// is accepted, so that a token can be rotated. Requests without are answered with 401.
    /// Leading and trailing whitespace of the token is removed. An empty token, as from an
    /// environment variable that is not set, denies all requests, and a warning is logged.
    ///
    /// Over plain HTTP, anyone who can read the traffic can read the token.
    ///
    /// ```
    /// use axum::Router;
    /// use tachometer::MetricsRouter;
    ///
    /// let token = std::env::var("METRICS_TOKEN").unwrap_or_default();
    /// let app: Router = Router::new().nest("/metrics", MetricsRouter::new().bearer_token(token).build());
    /// ```
    #[doc(alias = "authorization")]
    pub fn bearer_token(mut self, token: impl AsRef<str>) -> Self {
        self.access.credentials.add_bearer(token.as_ref());
        self
    }

    /// Requires `Authorization: Basic` with this user and password, which browsers can ask for.
    ///
    /// See [`bearer_token`](Self::bearer_token). An empty password denies all requests, whatever the
    /// user. Both are used as they are, with their whitespace.
    ///
    /// ```
    /// use tachometer::MetricsRouter;
    ///
    /// let password = std::env::var("METRICS_PASSWORD").unwrap_or_default();
    /// let router = MetricsRouter::new().basic_auth("prometheus", password);
    /// ```
    #[doc(alias("authorization", "password"))]
    pub fn basic_auth(mut self, user: impl AsRef<str>, password: impl AsRef<str>) -> Self {
        let credentials = &mut self.access.credentials;
        credentials.add_basic(user.as_ref(), password.as_ref());
        self
    }

    /// Allows only clients with an address in one of these networks; others get a 403. Without
    /// this call, all addresses are allowed.
    ///
    /// A network is a single address, or an address and a prefix length. Further calls add
    /// networks. An empty list denies all requests, and a warning is logged.
    ///
    /// The address is that of the connection. Headers such as `X-Forwarded-For` are ignored,
    /// since any client can send them. Behind a proxy, the address is the proxy's. axum
    /// provides the address if the application is served with
    /// [`into_make_service_with_connect_info`](Router::into_make_service_with_connect_info).
    /// Otherwise every request is refused, and a warning is logged.
    ///
    /// ```no_run
    /// use std::net::SocketAddr;
    ///
    /// use axum::Router;
    /// use tachometer::MetricsRouter;
    ///
    /// # #[tokio::main]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let metrics = MetricsRouter::new().allowed_networks(["127.0.0.1", "10.0.0.0/8", "fd00::/8"])?;
    /// let app = Router::new().nest("/metrics", metrics.build());
    ///
    /// let listener = tokio::net::TcpListener::bind("0.0.0.0:3000").await?;
    /// axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>()).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If one of them is neither an address nor a network ([`Error::is_invalid_network`]).
    #[doc(alias("allowlist", "cidr"))]
    pub fn allowed_networks(
        mut self,
        networks: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Self, Error> {
        let allowed = self.access.networks.get_or_insert_default();
        for network in networks {
            allowed.add(network.as_ref())?;
        }
        Ok(self)
    }
}

/// # Dashboards and rules
#[cfg(feature = "dashboard")]
impl MetricsRouter {
    /// Sets the title of the dashboard and of the Grafana dashboard; by default the name of the
    /// executable.
    pub fn dashboard_title(mut self, title: impl Into<String>) -> Self {
        if let Some(dashboard) = &mut self.dashboard {
            dashboard.title = Some(title.into());
        }
        self
    }

    /// Sets the minimum time between two reads of the registry for the dashboard; by default one
    /// second. All viewers share the result.
    ///
    /// A longer interval reduces the load of slow collectors. The dashboard then updates less
    /// often.
    pub fn dashboard_interval(mut self, interval: Duration) -> Self {
        if let Some(dashboard) = &mut self.dashboard {
            dashboard.interval = Some(interval);
        }
        self
    }

    /// Sets the rules that `/rules.yml` serves, instead of the default ones.
    pub fn alert_rules(mut self, rules: AlertRules) -> Self {
        if let Some(dashboard) = &mut self.dashboard {
            dashboard.alert_rules = rules;
        }
        self
    }

    /// Serves metrics only: no dashboard, no Grafana dashboard and no rules.
    pub fn without_dashboard(mut self) -> Self {
        self.dashboard = None;
        self
    }
}

/// # System metrics
#[cfg(feature = "system")]
impl MetricsRouter {
    /// Registers the [system metrics](crate::system) with these settings, if the registry does
    /// not have them yet. By default they are registered with an interval of one second.
    ///
    /// A metric whose name is already in use is omitted, and a warning is logged.
    pub fn system_metrics(mut self, metrics: SystemMetrics) -> Self {
        self.system_metrics = Some(metrics);
        self
    }

    /// Does not register the system metrics, for example because another exporter on the host
    /// reports them.
    pub fn without_system_metrics(mut self) -> Self {
        self.system_metrics = None;
        self
    }
}

impl Default for MetricsRouter {
    fn default() -> Self {
        Self::new()
    }
}

/// Prints which kinds of credentials are required, without their secrets.
impl fmt::Debug for MetricsRouter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsRouter")
            .field("access", &self.access)
            .finish_non_exhaustive()
    }
}
