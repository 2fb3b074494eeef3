//! A listener of the router's own.

mod accept_loop;
mod allowed_hosts;
mod connection;
mod connection_slots;
mod flush_tracker;
mod limits;
mod listener_router;
mod rejections;
mod settings;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::router::MetricsRouter;
use accept_loop::{Listening, accept};
use allowed_hosts::AllowedHosts;
use limits::ListenerLimits;
use listener_router::listener_router;
pub(super) use settings::ListenerSettings;

/// The usual port of exporters that have no other.
const PORT: u16 = 9464;

/// # A listener of its own
///
/// Apart from the service's listener, the metrics can be out of its clients' reach, and
/// are there when the service is too busy to answer. It speaks HTTP/1.1, without TLS.
impl MetricsRouter {
    /// Serves the metrics at `http://127.0.0.1:9464/metrics`, in the background.
    ///
    /// See [`serve_on`](Self::serve_on).
    ///
    /// # Errors
    ///
    /// When the port is taken.
    pub async fn serve(self) -> io::Result<MetricsServer> {
        self.serve_on((Ipv4Addr::LOCALHOST, PORT)).await
    }

    /// Serves the metrics at `/metrics` on `address`, in the background, until what this
    /// returns is [shut down](MetricsServer::shutdown) or dropped. Port 0 is any that is free.
    ///
    /// Besides the router's own paths there are:
    ///
    /// | path | what |
    /// | --- | --- |
    /// | `/` | a page with links to the others |
    /// | `/metrics/` | the same as `/metrics` |
    /// | `/healthz` | `ok`, for health checks; needs no credentials; [`allowed_networks`](Self::allowed_networks) and [`allowed_hosts`](Self::allowed_hosts) still apply |
    ///
    /// # What a client can hold
    ///
    /// The listener accepts each connection at once and then decides whether it gets a slot:
    ///
    /// - A client outside of the [`allowed_networks`](Self::allowed_networks) gets none. Up to 8 at a time get a
    ///   403. Others are closed without an answer.
    /// - There are 64 slots ([`max_connections`](Self::max_connections)), and 16 of them for one address
    ///   ([`max_connections_per_address`](Self::max_connections_per_address)). If an address is at its
    ///   limit, the listener closes its oldest idle connection. If no slot is free, the listener
    ///   closes the oldest idle connection of the address with the most connections. A
    ///   connection that is answering a request is never closed for another.
    /// - The first request has to come within 10 seconds, and a later one within 40.
    /// - A client must read some bytes every 30 seconds and the whole response before the
    ///   [`scrape_timeout`](Self::scrape_timeout). The listener closes the connection one second after the
    ///   deadline.
    ///
    /// Of the 8 scrapes [in flight](Self::in_flight), one address has at most 6. If all are in
    /// use, a new scrape cuts off one of the address with the most scrapes.
    ///
    /// So one address cannot use up the connections or the scrapes of others, unless there is
    /// only one. What remains:
    ///
    /// - A client with the scraper's address, such as one behind the same proxy, can use up the
    ///   share of that address.
    /// - Two or more allowed addresses can together keep all scrapes busy, and four (4 × 16) can
    ///   hold all connections with responses that they do not read: until the deadline, and
    ///   again after it.
    /// - As many allowed addresses as there are connections can close a scraper's connection
    ///   while it is idle. It can connect again.
    ///
    /// If untrusted clients can reach the listener, allow your scrapers only, by
    /// [`allowed_networks`](Self::allowed_networks).
    ///
    /// The tests are `tests/it/router/serve.rs`, `tests/it/router/listener.rs` and those of the module.
    ///
    /// # Hosts
    ///
    /// On a loopback address only requests for `localhost`, names below it and IP addresses are
    /// answered. Others get a 421 (Misdirected Request), so that no website can read the
    /// metrics by DNS rebinding. See [`allowed_hosts`](Self::allowed_hosts).
    ///
    /// ```
    /// use tachometer::{MetricsRouter, Registry};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let registry = Registry::new();
    /// let serving = MetricsRouter::new()
    ///     .registry(&registry)
    ///     .allowed_networks(["127.0.0.1"])?
    ///     .serve_on("127.0.0.1:0")
    ///     .await?;
    /// println!("http://{}/metrics", serving.local_addr());
    /// // The service does its work; then:
    /// serving.shutdown().await;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When it cannot listen there, because the address is taken or not this machine's.
    ///
    /// # Panics
    ///
    /// When it is not called on a runtime of tokio's with I/O and time.
    pub async fn serve_on(self, address: impl ToSocketAddrs) -> io::Result<MetricsServer> {
        let listener = TcpListener::bind(address).await?;
        let local = listener.local_addr()?;
        let is_loopback = local.ip().to_canonical().is_loopback();
        let ListenerSettings { limits, hosts } = self.listening.clone();
        let listening = Listening {
            listener,
            networks: self.guard.networks(),
            limits: ListenerLimits {
                deadline: self.deadline,
                ..limits
            },
            router: listener_router(
                &self,
                hosts.or_else(|| is_loopback.then(AllowedHosts::default)),
            ),
        };
        let (stop, stopped) = watch::channel(());
        let task = tokio::spawn(accept(listening, stopped));
        Ok(MetricsServer { local, stop, task })
    }
}

/// A listener that serves the metrics; see [`MetricsRouter::serve_on`].
///
/// Dropping it stops it as [`shutdown`](Self::shutdown) does, without waiting.
#[must_use = "dropping it stops listening"]
pub struct MetricsServer {
    local: SocketAddr,
    /// It is dropped to stop.
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

impl fmt::Debug for MetricsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MetricsServer")
            .field("address", &self.local)
            .finish_non_exhaustive()
    }
}

impl MetricsServer {
    /// Returns the address on which it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// Takes no more connections, and returns when those that there are have ended.
    ///
    /// Scrapes under way have 10 seconds to finish; then they are cut.
    pub async fn shutdown(self) {
        drop(self.stop);
        // It ends early if the runtime does, and there is nothing to be done about that.
        let _ = self.task.await;
    }
}
