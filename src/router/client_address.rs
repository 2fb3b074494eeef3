//! The address of a request's client.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::{ConnectInfo, Request};

/// Returns the address of the connection's peer, if the server provides it.
///
/// The address is canonical: a socket of IPv6 reports IPv4 peers as mapped addresses.
pub(super) fn peer_address(request: &Request) -> Option<IpAddr> {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>();
    peer.map(|ConnectInfo(address)| address.ip().to_canonical())
}

/// Returns the [`client_key`] of the connection's peer, if the server provides its address.
pub(super) fn client_of(request: &Request) -> Option<IpAddr> {
    peer_address(request).map(client_key)
}

/// Returns the address by which limits identify a client: an IPv4 address in its canonical form,
/// or the /64 of an IPv6 address.
pub(super) fn client_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let mask = u128::MAX << 64;
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}
