//! A listener of the router's own.

mod accept;
mod connection;
mod limits;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use tokio::net::{TcpListener, ToSocketAddrs};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::router::MetricsRouter;
use crate::router::routes::routes;
use accept::accept;
use limits::Limits;

/// Where exporters of no other port are found, by custom.
const PORT: u16 = 9464;

/// # A listener of its own
///
/// Apart from the service's listener, the metrics can be out of its clients' reach, and
/// are there when the service is too busy to answer. HTTP/1.1 is spoken, without TLS.
impl MetricsRouter {
    /// Serves the metrics at `http://127.0.0.1:9464/metrics`, in the background.
    ///
    /// See [`serve_on`](Self::serve_on).
    ///
    /// # Errors
    ///
    /// When the port is taken.
    pub async fn serve(self) -> io::Result<Serving> {
        self.serve_on((Ipv4Addr::LOCALHOST, PORT)).await
    }

    /// Serves the metrics at `/metrics` on `address`, in the background, until what this
    /// returns is [shut down](Serving::shutdown) or dropped. Port 0 is any that is free.
    ///
    /// A client that is slow, or means harm, can hold little: there are at most 64
    /// connections, and more wait until one of them ends. A connection is cut if a
    /// request's head takes more than 40 seconds to come, also where none comes at all,
    /// or if nothing of an answer was taken for 30 seconds.
    ///
    /// ```
    /// use tachometer::{MetricsRouter, Registry};
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let registry = Registry::new();
    /// let serving = MetricsRouter::new()
    ///     .registry(&registry)
    ///     .networks(["127.0.0.1"])?
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
    pub async fn serve_on(self, address: impl ToSocketAddrs) -> io::Result<Serving> {
        let listener = TcpListener::bind(address).await?;
        let local = listener.local_addr()?;
        // The guard stands before paths that are not there, too.
        let whole = Router::new().nest("/metrics", routes(&self));
        let router = self.guard.around(whole);
        let (stop, stopped) = watch::channel(());
        let task = tokio::spawn(accept(listener, router, Limits::default(), stopped));
        Ok(Serving { local, stop, task })
    }
}

/// A listener that serves the metrics; see [`MetricsRouter::serve_on`].
///
/// Dropping it stops it as [`shutdown`](Self::shutdown) does, without waiting.
#[must_use = "dropping it stops listening"]
pub struct Serving {
    local: SocketAddr,
    /// It is dropped to stop.
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving")
            .field("address", &self.local)
            .finish_non_exhaustive()
    }
}

impl Serving {
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
