//! Who may read the metrics, and what every answer of the router has in common.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::{ConnectInfo, Request};
use axum::http::header::{CACHE_CONTROL, WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{Extensions, HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};

use crate::context::Unmeasured;
use crate::error::Error;
use crate::router::MetricsRouter;
use crate::router::allowed_networks::Networks;
use crate::router::credentials::Credentials;

/// The longest query that is read, in bytes.
const LONGEST_QUERY: usize = 8 * 1024;

/// # Who may read it
///
/// All of the router is behind these, and all of them must be content: first the
/// network, then the credentials.
impl MetricsRouter {
    /// Asks for `Authorization: Bearer` and this token; anyone may read the metrics if
    /// neither this nor [`basic_auth`](Self::basic_auth) is called.
    ///
    /// Called several times, or with `basic_auth`, any one of them will do, so that a token
    /// can be replaced while the old one is still in use. Without any the answer is 401.
    /// Spaces and line ends around the token are dropped. An empty token lets nobody
    /// in, and a warning says so: it comes of an environment variable that is not set.
    ///
    /// A token is as secret as the connection: over plain HTTP whoever sees the traffic
    /// sees it.
    ///
    /// ```
    /// use axum::Router;
    /// use tachometer::MetricsRouter;
    ///
    /// let token = std::env::var("METRICS_TOKEN").unwrap_or_default();
    /// let app: Router = Router::new().nest("/metrics", MetricsRouter::new().bearer_token(token).build());
    /// ```
    pub fn bearer_token(mut self, token: impl AsRef<str>) -> Self {
        self.guard.credentials.add_bearer(token.as_ref());
        self
    }

    /// Asks for `Authorization: Basic` and this user and password, as browsers do.
    ///
    /// See [`bearer_token`](Self::bearer_token). An empty password lets nobody in, whatever the user.
    /// Both are taken as they are, spaces and line ends too.
    ///
    /// ```
    /// use tachometer::MetricsRouter;
    ///
    /// let password = std::env::var("METRICS_PASSWORD").unwrap_or_default();
    /// let router = MetricsRouter::new().basic_auth("prometheus", password);
    /// ```
    pub fn basic_auth(mut self, user: impl AsRef<str>, password: impl AsRef<str>) -> Self {
        let credentials = &mut self.guard.credentials;
        credentials.add_basic(user.as_ref(), password.as_ref());
        self
    }

    /// Answers only those whose address is in one of these networks, others with 403;
    /// all addresses are answered if this is not called.
    ///
    /// A network is an address and the length of its prefix, or an address alone. Called
    /// again it adds to them; of no network at all there is nobody, which a warning says.
    ///
    /// The address is that of the connection. What a header says (`X-Forwarded-For`) is
    /// not believed: anyone can write one. So behind a proxy this tells proxies apart,
    /// and no clients. Axum shows the address if it is asked to, by
    /// [`into_make_service_with_connect_info`](Router::into_make_service_with_connect_info);
    /// where it does not, everyone is refused, and a warning says why.
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
    /// When one of them is neither an address nor a network.
    pub fn allowed_networks(
        mut self,
        networks: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Self, Error> {
        let known = self.guard.networks.get_or_insert_default();
        for network in networks {
            known.add(network.as_ref())?;
        }
        Ok(self)
    }
}

/// What stands before every route.
#[derive(Debug, Clone, Default)]
pub(super) struct Guard {
    /// Everyone is let in where there are none.
    credentials: Credentials,
    networks: Option<Networks>,
}

impl Guard {
    /// Stands before every route of `router`, refused methods too.
    ///
    /// What is not a route is another's, where the router is nested or merged into
    /// another's application.
    pub(super) fn before<S>(self, router: Router<S>) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let watch = self.watch();
        router.route_layer(from_fn(move |request: Request, next: Next| {
            Arc::clone(&watch).answer(request, next)
        }))
    }

    #[cfg(feature = "serve")]
    pub(super) fn networks(&self) -> Option<Networks> {
        self.networks.clone()
    }

    /// Stands before all that is asked of `router`, be there such a route or not.
    #[cfg(feature = "serve")]
    pub(super) fn around(self, router: Router) -> Router {
        let watch = self.watch();
        router.layer(from_fn(move |request: Request, next: Next| {
            Arc::clone(&watch).answer(request, next)
        }))
    }

    fn watch(self) -> Arc<Watch> {
        self.warn_of_closed_doors();
        Arc::new(Watch {
            guard: self,
            has_told: AtomicBool::new(false),
        })
    }

    fn warn_of_closed_doors(&self) {
        if self.credentials.has_empty_secret() {
            tracing::warn!(
                "MetricsRouter was given an empty token or password, which lets nobody in; is an \
                 environment variable not set? For metrics that anyone may read call neither \
                 `bearer_token` nor `basic_auth`"
            );
        }
        if self.networks.as_ref().is_some_and(Networks::is_empty) {
            tracing::warn!(
                "MetricsRouter was given an empty list of networks, which lets nobody in; for \
                 metrics that any address may read do not call `allowed_networks`"
            );
        }
    }
}

/// A guard at work.
#[derive(Debug)]
struct Watch {
    guard: Guard,
    /// Whether it was said that peers are not known.
    has_told: AtomicBool,
}

impl Watch {
    async fn answer(self: Arc<Self>, request: Request, next: Next) -> Response {
        let answer = match self.refuse(&request) {
            Some(refusal) => refusal,
            None => next.run(request).await,
        };
        set_common_headers(answer)
    }

    /// Returns the answer to a request that is not let in.
    fn refuse(&self, request: &Request) -> Option<Response> {
        let Guard {
            credentials,
            networks,
        } = &self.guard;
        if let Some(networks) = networks {
            let peer = self.peer(request.extensions());
            if !peer.is_some_and(|peer| networks.contains(peer)) {
                return Some(StatusCode::FORBIDDEN.into_response());
            }
        }
        if !credentials.is_empty() && !credentials.is_authorized(request.headers()) {
            let mut refusal = StatusCode::UNAUTHORIZED.into_response();
            for challenge in credentials.challenges() {
                refusal.headers_mut().append(WWW_AUTHENTICATE, challenge);
            }
            return Some(refusal);
        }
        let query = request.uri().query().unwrap_or_default();
        (query.len() > LONGEST_QUERY).then(|| StatusCode::URI_TOO_LONG.into_response())
    }

    /// Returns the address of the connection's other end, if axum shows it.
    fn peer(&self, extensions: &Extensions) -> Option<IpAddr> {
        let peer = extensions.get::<ConnectInfo<SocketAddr>>();
        if peer.is_none() && !self.has_told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "MetricsRouter refuses everyone, since it is to answer certain networks only and \
                 axum does not show where requests come from; serve the application with \
                 `into_make_service_with_connect_info::<SocketAddr>()`"
            );
        }
        // A socket of IPv6 shows peers of IPv4 in its own way.
        peer.map(|ConnectInfo(address)| address.ip().to_canonical())
    }
}

/// Gives an answer what all of them have; a file says itself whether it may be kept.
pub(super) fn set_common_headers(mut answer: Response) -> Response {
    answer.extensions_mut().insert(Unmeasured);
    let headers = answer.headers_mut();
    let kept = headers.entry(CACHE_CONTROL);
    kept.or_insert(HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}
