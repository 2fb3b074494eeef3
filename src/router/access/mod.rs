//! Access control: which clients may read the metrics.

pub(crate) mod credentials;
pub(crate) mod networks;

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::WWW_AUTHENTICATE;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};

use crate::context::WarnOnce;
use crate::router::access::credentials::Credentials;
use crate::router::access::networks::AllowedNetworks;
use crate::router::client_address::peer_address;
use crate::router::common_response::common_response_layer;

/// The maximum length of a query string, in bytes.
const MAX_QUERY_LENGTH: usize = 8 * 1024;

/// The settings of access control.
#[derive(Debug, Clone, Default)]
pub(crate) struct AccessSettings {
    /// If empty, no credentials are required.
    pub(super) credentials: Credentials,
    /// `None` allows all addresses.
    pub(super) networks: Option<AllowedNetworks>,
}

impl AccessSettings {
    /// Checks access before every route of `router`, also for methods that it does not support,
    /// and adds the common headers to all responses.
    ///
    /// Paths without a route are not checked: if the router is nested or merged, they belong to
    /// the application.
    pub(super) fn protect_routes<S>(self, router: Router<S>) -> Router<S>
    where
        S: Clone + Send + Sync + 'static,
    {
        let access = self.into_access_control();
        let check =
            from_fn(move |request: Request, next: Next| Arc::clone(&access).respond(request, next));
        // Together, since each call of `route_layer` adds 15 KB of code to a program.
        router.route_layer((common_response_layer(), check))
    }

    /// Checks access before every path of `router`, also before those without a route.
    #[cfg(feature = "serve")]
    pub(super) fn protect_all(self, router: Router) -> Router {
        let access = self.into_access_control();
        router.layer(from_fn(move |request: Request, next: Next| {
            Arc::clone(&access).respond(request, next)
        }))
    }

    fn into_access_control(self) -> Arc<AccessControl> {
        self.warn_if_nobody_is_allowed();
        Arc::new(AccessControl {
            settings: self,
            missing_address: WarnOnce::new(),
        })
    }

    fn warn_if_nobody_is_allowed(&self) {
        if self.credentials.has_empty_secret() {
            tracing::warn!(
                "MetricsRouter has an empty token or password, which denies all requests; is an \
                 environment variable not set? If anyone may read the metrics, call neither \
                 `bearer_token` nor `basic_auth`"
            );
        }
        if self
            .networks
            .as_ref()
            .is_some_and(AllowedNetworks::is_empty)
        {
            tracing::warn!(
                "MetricsRouter has an empty list of networks, which denies all requests; if any \
                 address may read the metrics, do not call `allowed_networks`"
            );
        }
    }
}

/// Checks requests.
#[derive(Debug)]
struct AccessControl {
    settings: AccessSettings,
    /// Warns that the server provides no client addresses.
    missing_address: WarnOnce,
}

impl AccessControl {
    async fn respond(self: Arc<Self>, request: Request, next: Next) -> Response {
        match self.refuse(&request) {
            Some(refusal) => refusal,
            None => next.run(request).await,
        }
    }

    /// Returns the response to a request that is refused.
    fn refuse(&self, request: &Request) -> Option<Response> {
        if !self.is_in_allowed_network(request) {
            return Some(StatusCode::FORBIDDEN.into_response());
        }
        let credentials = &self.settings.credentials;
        if !credentials.is_empty() && !credentials.is_authorized(request.headers()) {
            let mut refusal = StatusCode::UNAUTHORIZED.into_response();
            for challenge in credentials.challenges() {
                refusal.headers_mut().append(WWW_AUTHENTICATE, challenge);
            }
            return Some(refusal);
        }
        let query = request.uri().query().unwrap_or_default();
        (query.len() > MAX_QUERY_LENGTH).then(|| StatusCode::URI_TOO_LONG.into_response())
    }

    fn is_in_allowed_network(&self, request: &Request) -> bool {
        let Some(networks) = &self.settings.networks else {
            return true;
        };
        let address = peer_address(request);
        if address.is_none() {
            self.missing_address.warn(|| {
                tracing::warn!(
                    "MetricsRouter refuses all requests: `allowed_networks` is set, but the \
                     server provides no client addresses; serve the application with \
                     `into_make_service_with_connect_info::<SocketAddr>()`"
                );
            });
        }
        address.is_some_and(|address| networks.contains(address))
    }
}
