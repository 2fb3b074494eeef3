//! A listener that is running.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::router::access::AccessSettings;
use crate::router::last_scrape::{LastScrape, LastScrapeTimeout};
use crate::router::routes::Routes;
use crate::router::serve::accept_loop::AcceptLoop;
use crate::router::serve::allowed_hosts::AllowedHosts;
use crate::router::serve::limits::{ListenerLimits, ListenerSettings};
use crate::router::serve::standalone_routes::standalone_routes;

/// A running server for metrics, returned by [`MetricsRouter::serve_on`].
///
/// Dropping it stops the server as [`shutdown`](Self::shutdown) does, without waiting.
///
/// # What a client can hold
///
/// The listener accepts each connection at once and then decides whether it gets a slot:
///
/// - A client outside of the [`allowed_networks`] gets no slot. Up to 8 at a time get a 403.
///   Others are closed without a response.
/// - There are 64 slots ([`max_connections`]), and 16 of them for one address
///   ([`max_connections_per_address`]). If an address is at its limit, the listener closes its
///   oldest idle connection. If no slot is free, the listener closes the oldest idle connection
///   of the address with the most connections. It never closes a connection with a response in
///   progress for another.
/// - The first request must arrive within 10 seconds, and a later one within 40.
/// - A client must read some bytes every 30 seconds and the whole response before the
///   [`scrape_timeout`]. The listener closes the connection one second after the timeout.
///
/// Of the 8 [concurrent scrapes][`max_concurrent_scrapes`], one address has at most 6. At the
/// maximum, a new scrape aborts one of the address with the most scrapes.
///
/// So one address cannot use up the connections or the scrapes of others, unless the
/// maximum is one. Clients can still do this:
///
/// - A client with the scraper's address, such as one behind the same proxy, can use up the
///   share of that address.
/// - Two or more allowed addresses can together keep all scrapes busy, and four (4 × 16) can
///   hold all connections with responses that they do not read: until the timeout, and again
///   after it.
/// - As many allowed addresses as there are connections can close a scraper's connection while
///   it is idle. The scraper can connect again.
///
/// If untrusted clients can reach the listener, allow your scrapers only, by
/// [`allowed_networks`].
///
/// The tests are in `tests/it/router/serve.rs`, `tests/it/router/listener/` and
/// `src/router/serve/`.
///
/// [`MetricsRouter::serve_on`]: crate::MetricsRouter::serve_on
/// [`allowed_networks`]: crate::MetricsRouter::allowed_networks
/// [`max_connections`]: crate::MetricsRouter::max_connections
/// [`max_connections_per_address`]: crate::MetricsRouter::max_connections_per_address
/// [`scrape_timeout`]: crate::MetricsRouter::scrape_timeout
/// [`max_concurrent_scrapes`]: crate::MetricsRouter::max_concurrent_scrapes
#[must_use = "dropping it stops the server"]
pub struct MetricsServer {
    address: SocketAddr,
    /// Dropped to stop the server.
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
    last_scrape: LastScrape,
}

impl MetricsServer {
    /// Binds the address, then creates `routes` and starts a server for them on a new task. If
    /// binding fails, no route is created and nothing is registered.
    pub(crate) async fn start(
        address: impl ToSocketAddrs,
        settings: ListenerSettings,
        access: AccessSettings,
        routes: impl FnOnce() -> Routes<()>,
        scrape_timeout: Duration,
        last_scrape: LastScrape,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let is_loopback = address.ip().to_canonical().is_loopback();
        let hosts = settings.allowed_hosts;
        let hosts = hosts.or_else(|| is_loopback.then(AllowedHosts::default));
        let accept_loop = AcceptLoop {
            listener,
            networks: access.networks.clone(),
            limits: ListenerLimits {
                response_deadline: scrape_timeout,
                ..settings.limits
            },
            router: standalone_routes(routes(), access, hosts, last_scrape.clone()),
        };
        let (stop, stopped) = watch::channel(());
        let task = tokio::spawn(accept_loop.run(stopped));
        Ok(Self {
            address,
            stop,
            task,
            last_scrape,
        })
    }

    /// Returns the address on which the server listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Waits for one more scrape, as [`LastScrape::wait`] does, and then stops the server, as
    /// [`shutdown`](Self::shutdown) does.
    ///
    /// Meanwhile `/metrics` is served as before, `/healthz` succeeds, and `/readyz` has the status
    /// 503. Call it when the application has finished its requests, so that the scrape contains
    /// all of them; [`LastScrape`] has an example. If the future is dropped, so is the server.
    ///
    /// # Errors
    ///
    /// If the deadline passes first. The server is stopped in any case.
    #[doc(alias("graceful_shutdown", "drain"))]
    pub async fn shutdown_after_scrape(self, deadline: Duration) -> Result<(), LastScrapeTimeout> {
        let scraped = self.last_scrape.wait(deadline).await;
        self.shutdown().await;
        scraped
    }

    /// Returns the handle of [`shutdown_after_scrape`](Self::shutdown_after_scrape), to wait for
    /// the scrape without stopping the server.
    pub fn last_scrape(&self) -> LastScrape {
        self.last_scrape.clone()
    }

    /// Stops accepting connections, and waits until the existing ones have ended.
    ///
    /// Scrapes in progress have 10 seconds to finish. Then they are aborted.
    #[doc(alias = "graceful_shutdown")]
    pub async fn shutdown(self) {
        drop(self.stop);
        // An error means that the runtime has shut down, and the task with it.
        let _ = self.task.await;
    }
}

impl fmt::Debug for MetricsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsServer")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}
