//! Settings of what is measured, and under which route.

use std::borrow::Cow;
use std::sync::Arc;

use http::{Method, StatusCode, Uri, request};

use crate::context::UserClosure;
use crate::middleware::MetricsLayer;
use crate::middleware::settings::PredeclaredEndpoint;

/// # Requests and routes
impl MetricsLayer {
    /// Excludes the requests for which `skip` returns true. They pass, and this layer counts
    /// nothing. Several calls add up.
    ///
    /// The closure is called before anything else, and should be fast. It is not called for
    /// requests that an outer layer of the same metrics counts. If it panics, the request is
    /// measured.
    ///
    /// ```
    /// use tachometer::MetricsLayer;
    ///
    /// let layer = MetricsLayer::new()
    ///     .skip(|_method, uri| matches!(uri.path(), "/health" | "/ready"));
    /// ```
    #[doc(alias = "filter")]
    #[doc(alias = "exclude")]
    #[doc(alias = "ignore")]
    pub fn skip(self, skip: impl Fn(&Method, &Uri) -> bool + Send + Sync + 'static) -> Self {
        self.set(|settings| settings.skip.add(UserClosure::new("skip", Arc::new(skip))))
    }

    /// Does not count requests that would have the route `unmatched`: those without a known route
    /// whose response is 404 or 405. They are not in any metric, except in flight until their
    /// response head.
    ///
    /// Still counted are responses of a fallback with another status, requests without a known
    /// route that end without a response (both as `fallback`), and every response of a known
    /// route, a nested service or a [`fallback_route`](Self::fallback_route).
    ///
    /// Of two layers of the same metrics, the setting of the outer one counts. Bytes of a
    /// request's body that are read after the response has ended are not counted if the request
    /// had no known route.
    ///
    /// ```
    /// use tachometer::MetricsLayer;
    ///
    /// let layer = MetricsLayer::new().skip_unmatched();
    /// ```
    #[doc(alias = "ignore")]
    #[doc(alias = "404")]
    pub fn skip_unmatched(self) -> Self {
        self.set(|settings| settings.skip_unmatched = true)
    }

    /// Keeps the names of these HTTP methods in the label `method`, like the nine methods
    /// that always keep theirs. All other methods are `_OTHER`.
    ///
    /// Names are case-sensitive. At most 64 are possible. Several calls add up. If a name
    /// is not valid, registration fails ([`Error::is_invalid_method`]).
    ///
    /// ```
    /// use tachometer::MetricsLayer;
    ///
    /// let layer = MetricsLayer::new().methods(["PROPFIND", "PURGE"]);
    /// ```
    ///
    /// [`Error::is_invalid_method`]: crate::Error::is_invalid_method
    #[doc(alias = "OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS")]
    pub fn methods(self, methods: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.set(|settings| {
            for name in methods {
                settings.methods.add(name.into());
            }
        })
    }

    /// Counts the requests to all these routes, given by their templates, under one name.
    ///
    /// Other settings for one of the routes apply to the whole group.
    ///
    /// ```
    /// use tachometer::MetricsLayer;
    ///
    /// let layer = MetricsLayer::new().group_routes("assets", ["/css/{*path}", "/js/{*path}"]);
    /// ```
    pub fn group_routes<'a>(self, name: &str, routes: impl IntoIterator<Item = &'a str>) -> Self {
        let name: Arc<str> = name.into();
        self.set(|settings| {
            let groups = routes
                .into_iter()
                .map(|route| (route.to_owned(), Arc::clone(&name)));
            settings.route_naming.groups.extend(groups);
        })
    }

    /// Sets the route of requests for which axum provides no template: those to a service
    /// that was added with `fallback_service`, and all requests outside of axum. Without it their
    /// route is `fallback`, or `unmatched` if the response is 404 or 405.
    ///
    /// ```
    /// use axum::Router;
    /// use tachometer::MetricsLayer;
    /// use tower::Layer;
    /// # use tachometer::Registry;
    /// # let registry = Registry::new();
    /// # #[derive(Clone)] struct Files;
    /// # impl Files { fn service(self) -> Router { Router::new() } }
    ///
    /// // Around the service itself, so that its requests have a route. A layer around the
    /// // whole application uses this route, and counts each request once.
    /// let files = MetricsLayer::new().fallback_route("files").registry(&registry).layer(Files.service());
    /// let app: Router = Router::new()
    ///     .fallback_service(files)
    ///     .layer(MetricsLayer::new().registry(&registry));
    /// ```
    pub fn fallback_route(self, name: impl Into<String>) -> Self {
        self.set(|settings| settings.route_naming.fallback = Some(name.into()))
    }

    /// Sets the route to the value that `route` returns. It has priority over the template of axum,
    /// and may borrow from the request.
    ///
    /// Its result may come from the client, so it is limited: beyond
    /// [`label_limit`](Self::label_limit) names the label is `_overflow`. If it returns `None`
    /// or panics, the route is axum's template. Templates are not limited.
    ///
    /// ```
    /// use tachometer::MetricsLayer;
    ///
    /// // The methods of gRPC services: axum shows the name of the service only.
    /// let layer = MetricsLayer::new().route_from(|request| {
    ///     let content_type = request.headers.get("content-type")?.as_bytes();
    ///     let is_grpc = content_type.starts_with(b"application/grpc");
    ///     is_grpc.then(|| request.uri.path().into())
    /// });
    /// ```
    pub fn route_from(
        self,
        route: impl Fn(&request::Parts) -> Option<Cow<'_, str>> + Send + Sync + 'static,
    ) -> Self {
        self.set(|settings| {
            settings.route_naming.route_fn = Some(UserClosure::new("route_from", Arc::new(route)));
        })
    }

    /// Treats every response of a route that has a body as a stream, like event streams: its duration
    /// ends with the head, and the time to its end is in `http_stream_duration_seconds`.
    #[doc(alias = "streaming")]
    #[doc(alias = "sse")]
    pub fn stream_route(self, route: impl Into<String>) -> Self {
        self.set(|settings| settings.stream_routes.push(route.into()))
    }

    /// Creates the series of a route with these statuses at registration, at 0, so that the
    /// first error of a process is an increase.
    ///
    /// Custom labels are `none` in these series, so the increase shows in sums over them.
    ///
    /// ```
    /// use axum::http::{Method, StatusCode};
    /// use tachometer::MetricsLayer;
    ///
    /// let statuses = [StatusCode::OK, StatusCode::INTERNAL_SERVER_ERROR];
    /// let layer = MetricsLayer::new().predeclare(Method::GET, "/users/{id}", statuses);
    /// ```
    pub fn predeclare(
        self,
        method: Method,
        route: impl Into<String>,
        statuses: impl IntoIterator<Item = StatusCode>,
    ) -> Self {
        let endpoint = PredeclaredEndpoint {
            method,
            route: route.into(),
            statuses: statuses.into_iter().collect(),
        };
        self.set(|settings| settings.predeclared.push(endpoint))
    }
}
