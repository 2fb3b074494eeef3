//! The settings of the listener, and what its clients may hold.

use std::time::Duration;

use crate::router::serve::allowed_hosts::AllowedHosts;

/// The settings of the listener.
#[derive(Debug, Clone, Default)]
pub(crate) struct ListenerSettings {
    pub(crate) limits: ListenerLimits,
    /// `None` checks hosts on loopback addresses only, and allows only local ones there.
    pub(crate) allowed_hosts: Option<AllowedHosts>,
}

/// The limits of the listener's connections.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ListenerLimits {
    /// The maximum number of connections.
    pub(crate) connections: usize,
    /// The maximum number of connections of one address.
    pub(crate) connections_per_address: usize,
    /// The time for the first request of a connection.
    pub(super) first_request: Duration,
    /// The time for each later request.
    pub(super) idle: Duration,
    /// The time in which the client has to read some bytes of a response.
    pub(super) write: Duration,
    /// The time in which the client has to read all of a response.
    pub(super) response_deadline: Duration,
    /// The time for responses in progress when the listener stops.
    pub(super) shutdown_grace: Duration,
    /// The pause after an error of `accept`.
    pub(super) accept_pause: Duration,
    /// The maximum number of rejected connections that wait for their response.
    pub(super) rejections: usize,
    /// The time for the response to a rejected connection.
    pub(super) rejection: Duration,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        Self {
            connections: 64,
            connections_per_address: 16,
            first_request: Duration::from_secs(10),
            // Longer than 15 and 30 seconds, the usual scrape intervals.
            idle: Duration::from_secs(40),
            write: Duration::from_secs(30),
            response_deadline: Duration::from_secs(30),
            shutdown_grace: Duration::from_secs(10),
            accept_pause: Duration::from_secs(1),
            rejections: 8,
            rejection: Duration::from_secs(1),
        }
    }
}
