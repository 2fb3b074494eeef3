//! The networks from which the metrics may be read.

use std::net::{IpAddr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

use crate::error::Error;

/// Networks, and single addresses as the smallest of them.
#[derive(Debug, Clone, Default)]
pub(super) struct Networks(Vec<IpNet>);

impl Networks {
    pub(super) fn add(&mut self, text: &str) -> Result<(), Error> {
        let Some(network) = parse(text.trim()) else {
            return Err(Error::invalid_network(format_args!(
                "the network {text:?} is not valid: it is neither an address nor a network; \
                 write one such as \"127.0.0.1\", \"10.0.0.0/8\" or \"fd00::/8\""
            )));
        };
        self.0.push(canonical(network));
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns true when the address, which is canonical, is in one of them.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// Returns what limits count as one client: an IPv4 address, however it is written, or the /64
/// of an IPv6 address.
pub(super) fn client_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => {
            let mask = u128::MAX << 64;
            Ipv6Addr::from_bits(address.to_bits() & mask).into()
        }
    }
}

fn parse(text: &str) -> Option<IpNet> {
    let address = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or_else(address)
}

/// Makes a network of IPv4 out of one that is written in IPv6, as peers' addresses are
/// made; else it would hold none of them.
fn canonical(network: IpNet) -> IpNet {
    /// So many bits say that an IPv6 address is one of IPv4.
    const MAPPED: u8 = 96;

    let (IpAddr::V6(address), length) = (network.addr(), network.prefix_len()) else {
        return network;
    };
    let mapped = Ipv6Addr::to_ipv4_mapped(&address).zip(length.checked_sub(MAPPED));
    let v4 = mapped.and_then(|(address, length)| Ipv4Net::new(address, length).ok());
    v4.map_or(network, IpNet::from)
}
