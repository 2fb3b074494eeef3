//! The settings of the listener.

use crate::error::Error;
use crate::router::MetricsRouter;
use crate::router::serve::hosts::Hosts;
use crate::router::serve::limits::Limits;

/// The settings that the listener alone obeys.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    pub(super) limits: Limits,
    /// Those of a loopback address alone, where there are none.
    pub(super) hosts: Option<Hosts>,
}

/// # Limits of the listener
///
/// These hold for [`serve`](Self::serve) and [`serve_on`](Self::serve_on). In an application
/// ([`build`](Self::build)) connections and hosts are the server's concern.
impl MetricsRouter {
    /// Sets how many connections the listener has at most; by default 64.
    ///
    /// At the limit a new connection takes the place of an idle one: the oldest of the
    /// address that has most connections. A connection is idle before its first request and
    /// between requests. If all of them are answering, the new one is refused: with 503 if
    /// few are, else by closing it.
    pub fn connections(mut self, most: usize) -> Self {
        self.listening.limits.connections = most;
        self
    }

    /// Sets how many connections one address has at most; by default 16.
    ///
    /// An address is one of IPv4, or a network of 64 bits of IPv6; loopback is one, too. At
    /// the limit its oldest idle connection is closed for the new one. If all of its
    /// connections are answering, the new one is refused, as by
    /// [`connections`](Self::connections). Behind a proxy, all clients have the proxy's
    /// address.
    pub fn connections_per_address(mut self, most: usize) -> Self {
        self.listening.limits.per_address = most;
        self
    }

    /// Answers requests for these hosts, besides `localhost`, names below `.localhost` and
    /// IP addresses; requests for others are answered with 421 (Misdirected Request).
    ///
    /// On a loopback address this check is always done, and without this call no further name
    /// is allowed. On other addresses it is done only after this call. It stops DNS
    /// rebinding: a page of another site that makes its own name point to this listener.
    /// `/healthz` is checked like every other path.
    ///
    /// The host is that of `Host`, or of the request's target if that is a whole URL. Port,
    /// case and a dot at the end do not matter. A request without `Host` passes, since
    /// HTTP/1.0 has none; one with several is answered with 400. Called again it adds names.
    /// The tests are in `tests/it/listener.rs`.
    ///
    /// ```
    /// # fn main() -> Result<(), tachometer::Error> {
    /// use tachometer::MetricsRouter;
    ///
    /// // A proxy on this machine passes requests for this name on.
    /// let metrics = MetricsRouter::new().hosts(["metrics.example.com"])?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// When one of them is not a host.
    pub fn hosts(
        mut self,
        hosts: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Self, Error> {
        let all = self.listening.hosts.get_or_insert_default();
        all.add(hosts)?;
        Ok(self)
    }
}
