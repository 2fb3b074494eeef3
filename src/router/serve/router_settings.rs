//! The methods of the router's builder that start the separate listener, and its settings.

use std::io;
use std::net::Ipv4Addr;

use tokio::net::ToSocketAddrs;

use crate::error::Error;
use crate::router::metrics_router::MetricsRouter;
use crate::router::serve::metrics_server::MetricsServer;

/// The default port of the listener: 9464, as in OpenTelemetry's Prometheus exporters.
const DEFAULT_PORT: u16 = 9464;

/// # Separate listener
///
/// A separate listener keeps the metrics out of the reach of the service's clients, and can
/// respond while the service is overloaded. It speaks HTTP/1.1, without TLS. The limits apply
/// to the listener only. In an application ([`build`](Self::build)), connections and hosts are
/// the server's job.
impl MetricsRouter {
    /// Serves the metrics at `http://127.0.0.1:9464/metrics`, in the background.
    ///
    /// See [`serve_on`](Self::serve_on).
    ///
    /// # Errors
    ///
    /// If the port is already in use.
    ///
    /// # Panics
    ///
    /// As [`serve_on`](Self::serve_on).
    pub async fn serve(self) -> io::Result<MetricsServer> {
        self.serve_on((Ipv4Addr::LOCALHOST, DEFAULT_PORT)).await
    }

    /// Serves the metrics at `/metrics` on `address`, in the background, until the returned
    /// [`MetricsServer`] is shut down or dropped. Port 0 selects a free port.
    ///
    /// In addition to the router's paths it serves:
    ///
    /// | path | response |
    /// | --- | --- |
    /// | `/` | a page with links to the other paths |
    /// | `/metrics/` | the same as `/metrics` |
    /// | `/healthz` | `ok`, for liveness checks; needs no credentials; [`allowed_networks`](Self::allowed_networks) and [`allowed_hosts`](Self::allowed_hosts) still apply |
    /// | `/readyz` | `ok`, for readiness checks, like `/healthz`; 503 once a shutdown [waits for the last scrape](crate::router::LastScrape) |
    ///
    /// See [`MetricsServer`] for what clients can hold.
    ///
    /// On a loopback address the listener answers only requests for `localhost`, names below it
    /// and IP addresses. Others get a 421 (Misdirected Request). See
    /// [`allowed_hosts`](Self::allowed_hosts).
    ///
    /// ```
    /// use tachometer::{MetricsRouter, Registry};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let registry = Registry::new();
    /// let server = MetricsRouter::new()
    ///     .registry(&registry)
    ///     .allowed_networks(["127.0.0.1"])?
    ///     .serve_on("127.0.0.1:0")
    ///     .await?;
    /// println!("http://{}/metrics", server.local_addr());
    /// // At the end of the program:
    /// server.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If binding fails, because the address is already in use or does not belong to this
    /// machine.
    ///
    /// # Panics
    ///
    /// If it is called outside of a tokio runtime with I/O and timers.
    #[doc(alias("exporter", "listen"))]
    pub async fn serve_on(self, address: impl ToSocketAddrs) -> io::Result<MetricsServer> {
        let (listener, access) = (self.listener.clone(), self.access.clone());
        let (timeout, last_scrape) = (self.scrapes.timeout, self.last_scrape());
        let routes = || self.routes();
        MetricsServer::start(address, listener, access, routes, timeout, last_scrape).await
    }

    /// Sets the maximum number of connections; by default 64.
    ///
    /// At the maximum, a new connection replaces an idle one: the oldest of the address with
    /// the most connections. A connection is idle before its first request and between
    /// requests. If none is idle, the new connection is refused. Up to 8 refused connections at
    /// a time get a 503; others are closed without a response.
    pub fn max_connections(mut self, max: usize) -> Self {
        self.listener.limits.connections = max;
        self
    }

    /// Sets the maximum number of connections of one address; by default 16.
    ///
    /// One address never has more than three quarters of
    /// [`max_connections`](Self::max_connections), and at least one less than all, whatever is
    /// set here: with `max_connections(8)` it has 6. With `max_connections(1)`, one address can
    /// have the only connection.
    ///
    /// An address is one IPv4 address or one IPv6 /64. Each loopback address counts separately.
    /// At the maximum, a new connection replaces the oldest idle one of the address. If none is
    /// idle, the new one is refused, as by [`max_connections`](Self::max_connections). Behind a
    /// proxy, all clients have the proxy's address.
    pub fn max_connections_per_address(mut self, max: usize) -> Self {
        self.listener.limits.connections_per_address = max;
        self
    }

    /// Allows requests for these hosts, in addition to `localhost`, names below `.localhost` and IP
    /// addresses. Requests for other hosts get a 421 (Misdirected Request).
    ///
    /// On a loopback address the check is always on. On other addresses it is on only after this
    /// call. It prevents DNS rebinding: a website that points its own DNS name at this listener.
    /// `/healthz` and `/readyz` are checked like every other path.
    ///
    /// The host is that of `Host`, or of the request's target if that is an absolute URL. Port,
    /// case and a trailing dot do not matter. A request without `Host` passes, since HTTP/1.0
    /// has none; one with several gets a 400. Further calls add hosts. The tests are in
    /// `tests/it/router/listener/`.
    ///
    /// ```
    /// use tachometer::MetricsRouter;
    ///
    /// // A proxy on this machine forwards requests for this name.
    /// let metrics = MetricsRouter::new().allowed_hosts(["metrics.example.com"])?;
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If one of them is not a valid host ([`Error::is_invalid_host`]).
    #[doc(alias = "dns_rebinding")]
    pub fn allowed_hosts(
        mut self,
        hosts: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Self, Error> {
        let allowed = self.listener.allowed_hosts.get_or_insert_default();
        allowed.add(hosts)?;
        Ok(self)
    }
}
