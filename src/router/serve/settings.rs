//! The settings of the listener.

use crate::error::Error;
use crate::router::MetricsRouter;
use crate::router::serve::allowed_hosts::AllowedHosts;
use crate::router::serve::limits::ListenerLimits;

/// The settings that the listener alone obeys.
#[derive(Debug, Clone, Default)]
pub(crate) struct ListenerSettings {
    pub(super) limits: ListenerLimits,
    /// Those of a loopback address alone, where there are none.
    pub(super) hosts: Option<AllowedHosts>,
}

/// # Limits of the listener
///
/// These hold for [`serve`](Self::serve) and [`serve_on`](Self::serve_on). In an application
/// ([`build`](Self::build)) connections and hosts are the server's concern.
impl MetricsRouter {
    /// Sets how many connections the listener has at most; by default 64.
    ///
    /// At the limit a new connection takes the slot of an idle one: the oldest of the address
    /// with the most connections. A connection is idle before its first request and between
    /// requests. If all of them are answering a request, the new connection is refused. Up to
    /// 8 at a time get a 503; others are closed.
    pub fn max_connections(mut self, most: usize) -> Self {
        self.listening.limits.connections = most;
        self
    }

    /// Sets how many connections one address has at most; by default 16.
    ///
    /// One address never has more than three quarters of the
    /// [`max_connections`](Self::max_connections), and at least one less than all, whatever is set here:
    /// with `max_connections(8)` it has 6. If there is only one connection, one address can have it.
    ///
    /// An address is one IPv4 address or one IPv6 /64. Each loopback address counts separately.
    /// At the limit the oldest idle connection of the address is closed for the new one. If all
    /// of its connections are answering a request, the new one is refused, as by
    /// [`max_connections`](Self::max_connections). Behind a proxy, all clients have the proxy's
    /// address.
    pub fn max_connections_per_address(mut self, most: usize) -> Self {
        self.listening.limits.per_address = most;
        self
    }

    /// Answers requests for these hosts, besides `localhost`, names below `.localhost` and
    /// IP addresses; requests for others are answered with 421 (Misdirected Request).
    ///
    /// On a loopback address the check is always on. Without this call only local names and IP
    /// addresses pass. On other addresses the check is on only after this call. It stops DNS
    /// rebinding: a website that points its own DNS name at this listener. `/healthz` is
    /// checked like every other path.
    ///
    /// The host is that of `Host`, or of the request's target if that is a whole URL. Port,
    /// case and a dot at the end do not matter. A request without `Host` passes, since
    /// HTTP/1.0 has none; one with several is answered with 400. Called again it adds names.
    /// The tests are in `tests/it/router/listener.rs`.
    ///
    /// ```
    /// # fn main() -> Result<(), tachometer::Error> {
    /// use tachometer::MetricsRouter;
    ///
    /// // A proxy on this machine passes requests for this name on.
    /// let metrics = MetricsRouter::new().allowed_hosts(["metrics.example.com"])?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If one of them is not valid ([`Error::is_invalid_host`]).
    pub fn allowed_hosts(
        mut self,
        hosts: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<Self, Error> {
        let all = self.listening.hosts.get_or_insert_default();
        all.add(hosts)?;
        Ok(self)
    }
}
